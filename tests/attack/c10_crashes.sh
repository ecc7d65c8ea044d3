#!/bin/bash
# C10: lines in the host's log, one for each crash or refused call.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=C10

TIMES=2000

log_bytes()
{
	dmesg 2>/dev/null | wc -c
}

for INSIDE in $ATTACK_UIDS; do
	for how in segv trap refused; do
		if attackcase "$TIMES times '$how' do not fill the host's log"
		then
			died=$TIMES
			[[ $how != refused ]] || died=0
			OPTIONS=(--time 30000)
			before=$(log_bytes)
			attack c10_crashes "$how" "$TIMES"
			expect_contained <<<"$died died"
			# The kernel's own rate limit is ten lines in 5 s.
			((EUID != 0 || $(log_bytes) - before < 16384)) ||
			    fail "$(($(log_bytes) - before)) bytes of log"
		fi
	done
done
t_done
