#!/bin/bash
# A18: signals, limits and tricks against whoever watches over the sandbox.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A18

# The deadline is met, with this much for a machine that is busy.
WALL=1000
SLACK=${ATTACK_SLACK:-5000}

for INSIDE in $ATTACK_UIDS; do
	for how in stop ignore deathsig self; do
		if attackcase "the deadline is met in spite of '$how'"; then
			OPTIONS=(--wall "$WALL" --json)
			began=$(now)
			attack a18_signals "$how"
			expect_took $((WALL + SLACK))
			expect_status 124
			expect_json '.reason == "wall" and .signal == 9'
			expect_json '.stdout == "started\n"'
			expect_json ".usage.wall_ms >= $WALL"
		fi
	done

	if attackcase "killing everybody ends only the sandbox"; then
		OPTIONS=(--wall "$WALL" --json)
		began=$(now)
		attack a18_signals kill
		expect_took $((WALL + SLACK))
		# The command is killed by its children, unless it was faster.
		expect_status 124 137
		expect_json '.reason | IN("wall", "signal")'
		expect_json '.stdout == "started\n"'
	fi

	if attackcase "processes of the host are out of reach"; then
		# Ids that are so low would have namesakes inside.
		until (($(true & echo $!) > 100)); do
			:
		done
		sleep 60 &
		ours=$!
		"${T_AS[@]}" sleep 60 &
		theirs=$!
		attack a18_reach "$ours" "$theirs"
		# The filter may refuse it before the kernel looks for whom.
		sed -i 's/^\(prlimit .: \)EPERM/\1ESRCH/' out
		expect_contained <<-END
			$(for i in 1 2; do
				echo "kill $i: ESRCH"
				echo "tgkill $i: ESRCH"
				echo "pidfd_open $i: ESRCH"
				echo "prlimit $i: ESRCH"
				echo "renice $i: ESRCH"
				echo "idle $i: ESRCH"
				echo "status of $i: ENOENT"
			done)
			kill everybody else: ESRCH
		END
		check "the host's processes live" kill -0 "$ours" "$theirs"
		kill "$ours" "$theirs"
		wait "$ours" "$theirs" 2>/dev/null
	fi
done
t_done
