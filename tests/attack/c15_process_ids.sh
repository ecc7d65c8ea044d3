#!/bin/bash
# C15: process ids that come round again. Ends of runs are waited for and
# brought about by descriptors of processes and by cgroups; a number that
# belongs to somebody else by now is never sent a signal.
# as: root

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/attack/store.sh
. "$ATTACK_DIR/store.sh"
ROW=C15

# In a PID namespace that is nobody else's.
apart()
{
	unshare --pid --mount --fork --mount-proc --kill-child "$@"
}

can_rewind()
{
	apart sh -c 'echo 1000 >/proc/sys/kernel/ns_last_pid'
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "nobody is killed for the process that had his number" &&
	    require "process ids cannot be chosen here" can_rewind; then
		apart "$PYTHON" "$ATTACK_DIR/c15_process_ids.py" "$MAYFLY" \
		    "$INSIDE" >out 2>&1 </dev/null
		expect_no_out
	fi

	# Who makes a PID namespace apart is root, and so is the store there.
	if [[ $AS == root ]] &&
	    attackcase "nor does a lock of a session's stay with a number" &&
	    require "process ids cannot be chosen here" can_rewind; then
		create
		apart "$PYTHON" "$ATTACK_DIR/c15_process_ids.py" "$MAYFLY" \
		    "$INSIDE" "$id" >out 2>&1 </dev/null
		expect_no_out
		delete
	fi
done
t_done
