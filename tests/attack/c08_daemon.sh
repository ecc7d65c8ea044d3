#!/bin/bash
# C8: processes that stay when the command has ended, and hold its streams.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=C8

SLACK=${ATTACK_SLACK:-5000}

for INSIDE in $ATTACK_UIDS; do
	for options in '' --json '--tty'; do
		if attackcase "the run ends with its command ${options:-plain}"
		then
			# shellcheck disable=SC2206
			OPTIONS=($options --wall 20000)
			began=$(now)
			attack c08_daemon
			expect_took "$SLACK"
			expect_status 0
			expect_out_has "done"
			check_not "a process is left" grep -lqs \
			    "^Name:.c08_daemon$" /proc/[0-9]*/status
		fi
	done
done
t_done
