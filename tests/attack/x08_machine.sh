#!/bin/bash
# X8: what there is once for the whole machine, and is counted for no user.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=X8

for INSIDE in $ATTACK_UIDS; do
	if attackcase "no run takes what there is once for all of them"; then
		OPTIONS=(--nofile 200)
		attack x08_machine
		expect_contained <<-'END'
			io_setup: ENOSYS
			io_submit: ENOSYS
			io_getevents: ENOSYS
			io_destroy: ENOSYS
			map huge pages: ENOMEM
			map pages of 2 MB: ENOMEM
			map pages of 1 GB: ENOMEM
			map huge pages and a high bit: ENOMEM
			memfd of them: ENOMEM
			memfd of 2 MB: ENOMEM
			memfd and a high bit: ENOMEM
			segment of them: EPERM
			12 terminals, then ENOSPC
		END
	fi
done
t_done
