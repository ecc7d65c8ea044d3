#!/bin/bash
# C7: output without end.
# as: root user subuid
# shellcheck disable=SC2016 # what is in single quotes is for other shells

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=C7

OUTPUT=100000
SLACK=${ATTACK_SLACK:-5000}

# mayfly itself, whatever was needed to become its user.
own_processes()
{
	find /proc/[0-9]*/exe -maxdepth 0 -lname "$T_ROOT/bin/mayfly" \
	    2>/dev/null | cut -d / -f 3
}

for INSIDE in $ATTACK_UIDS; do
	for how in flood stderr both lines children; do
		if attackcase "'$how' is ended at the cap"; then
			OPTIONS=(--output "$OUTPUT" --wall 10000 --json)
			began=$(now)
			attack c07_output "$how"
			expect_took $((3000 + SLACK))
			expect_status 124
			expect_json '.reason == "output" and .signal == 9'
			expect_json '[.stdout, .stderr] | map(length) |
			    max == '"$OUTPUT"
			expect_json '.truncated.stdout or .truncated.stderr'
		fi
	done

	if attackcase "a dribble is ended by time, with what came"; then
		OPTIONS=(--output "$OUTPUT" --wall 500 --json)
		began=$(now)
		attack c07_output dribble
		expect_took $((500 + SLACK))
		expect_status 124
		expect_json '.reason == "wall" and (.stdout | length > 20)'
	fi

	if attackcase "a reader that has stopped does not hold the deadline up"
	then
		wrapper '"$MAYFLY" "$@" | sleep 3; exit "${PIPESTATUS[0]}"'
		OPTIONS=(--wall 500)
		MAYFLY=$wrap attack c07_output flood
		expect_status 124
		expect_err_has wall
	fi

	if attackcase "a flood does not fill mayfly's memory"; then
		# Half the flood's time a reader that keeps up, half none.
		attack_words c07_output flood
		spawn run --wall 1500 "${words[@]}" </dev/null
		sleep 1
		for id in $(own_processes); do
			most=$(status_of "$id" VmHWM)
			((${most%% *} < 16384)) || fail "$id had $most"
		done
		finish
		expect_status 124
	fi
done
t_done
