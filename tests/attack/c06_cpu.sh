#!/bin/bash
# C6: CPU time that is hidden from whoever counts one process, and priority.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=C6

TIME=400
# How much later than at its limit a sandbox may be ended, in CPU time.
LATE=${ATTACK_LATE:-400}

for INSIDE in $ATTACK_UIDS; do
	for how in spin threads children ignored groups daemons; do
		[[ $how != ignored ]] || has_cgroup || continue
		if attackcase "the time of '$how' is counted"; then
			OPTIONS=(--time "$TIME" --wall 15000 --json)
			attack c06_cpu "$how"
			expect_status 124
			expect_json '.reason == "time" and .signal == 9'
			expect_json ".usage.cpu_ms >= $TIME"
			expect_json ".usage.cpu_ms <= $((TIME + LATE))"
			expect_json '.usage.wall_ms < 10000'
		fi
	done

	if attackcase "a chain of processes cannot outrun its own end"; then
		OPTIONS=(--time "$TIME" --wall 5000 --json)
		began=$(now)
		attack c06_cpu reexec
		expect_took 3000
		expect_json '.reason | IN("exit", "time")'
	fi

	if attackcase "nobody gets ahead of others"; then
		attack c06_cpu priority
		expect_contained <<-END
			SCHED_FIFO: EPERM
			SCHED_RR: EPERM
			SCHED_DEADLINE: EPERM
			nice -20: EACCES
			nice -1: EACCES
			real-time I/O: EPERM
			RLIMIT_RTPRIO: EPERM
			RLIMIT_NICE: EPERM
		END
	fi
done
t_done
