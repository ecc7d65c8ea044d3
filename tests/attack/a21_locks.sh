#!/bin/bash
# A21: locks on files that every sandbox shares, as a channel between sandboxes
# or a way to hold up the host.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A21

for INSIDE in $ATTACK_UIDS; do
	if attackcase "a lock on a file of /usr is not seen by others"; then
		attack_held a21_locks hold /usr/bin/env
		mkdir other
		cd other || exit 2
		attack a21_locks try /usr/bin/env
		expect_status 0
		expect_text <<-END
			open: ok
			flock: ok
			read lock: ok
			lease: EACCES
		END
		cd .. || exit 2
		release
		check "the host can lock it" flock -n -x /usr/bin/env true
	fi
done
t_done
