#!/bin/bash
# A5, A6: /dev and masked files that are something else than they seem, and the
# attributes of every mount.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A6

# Root makes the nodes itself, on a mount that is then read-only; others show the
# host's, which belong to somebody else.
READONLY=EROFS

for INSIDE in $ATTACK_UIDS; do
	if attackcase "/dev and every mount are exactly as they should be"; then
		mkdir tree
		shared_dir writable
		OPTIONS=(--ro-bind "$PWD/tree:/mnt/ro"
		    --bind "$PWD/writable:/mnt/rw")
		attack a06_dev
		expect_contained <<-END
			fd -> /proc/self/fd
			full: c 1:7
			null: c 1:3
			ptmx -> pts/ptmx
			pts/
			random: c 1:8
			shm -> /run/shm
			stderr -> /proc/self/fd/2
			stdin -> /proc/self/fd/0
			stdout -> /proc/self/fd/1
			tty: c 5:0
			urandom: c 1:9
			zero: c 1:5
			mounts looked at: several
			open /dev/console: ENOENT
			open /dev/kmsg: ENOENT
			open /dev/mem: ENOENT
			create in /dev: EROFS
			unlink /dev/null: EROFS
			rename over /dev/null: EROFS
			chmod /dev/null: $READONLY
			link of /dev/null: EXDEV
		END
	fi
done
t_done
