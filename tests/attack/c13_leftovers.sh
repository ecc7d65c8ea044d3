#!/bin/bash
# C13: segments, semaphores, queues and shared memory that are left behind, to
# use the host up or to tell the next run something.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/attack/store.sh
. "$ATTACK_DIR/store.sh"
ROW=C13

LEAVE='for i in 1 2 3; do ipcmk -M 4096 -p 0666; ipcmk -S 4 -p 0666
    ipcmk -Q -p 0666; done; echo word >/dev/shm/word
    perl -e "mkdir q(/dev/mqueue)"; echo word >/run/shm/word'
LOOK='cat /proc/sysvipc/shm /proc/sysvipc/sem /proc/sysvipc/msg | wc -l
    ls -A /dev/shm /run/shm /dev/mqueue 2>/dev/null | grep word'

ipc_of_host()
{
	cat /proc/sysvipc/{shm,sem,msg}
}

for INSIDE in $ATTACK_UIDS; do
	for end in 'exit 0' 'kill -9 $$' 'exec sleep 60'; do
		if attackcase "nothing is left of a run that ends by ${end%% *}"
		then
			ipc_of_host >before
			create
			inside --user "$INSIDE" \
			    --wall $((T_PATIENCE * 20)) -- \
			    sh -c "$LEAVE; { $LOOK; } >&2; $end"
			check "nothing was made: $(<err)" \
			    test "$(sed -n 1p err)" = 12
			inside --user "$INSIDE" -- sh -c "$LOOK"
			# The three head lines.
			expect_out 3
			run --user "$INSIDE" -- sh -c "$LOOK"
			expect_out 3
			ipc_of_host | cmp -s - before ||
			    fail "the host has more than before"
			delete
		fi
	done
done
t_done
