#!/bin/bash
# By how much a limit can be exceeded where cgroups hold it: the table of
# tests/bench/overshoot.py. LONG=1: of 100 runs each.
# in: root

# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"

[[ $EUID == 0 && -n ${IN:-} ]] ||
    t_give_up "this is for a machine of its own: use guest.sh"

runs=2
[[ -z ${LONG:-} ]] || runs=100

if testcase "what is counted is never exceeded, and the reason is right"; then
	MAYFLY=$MAYFLY python3 "$T_TREE/tests/bench/overshoot.py" "$runs" \
	    >out 2>err
	status=$?
	expect_status 0
	# For whoever reads the results.
	sed '$d; /^$/d' out
	for limit in mem time nproc cpus; do
		check_not "$limit is not held by a cgroup" \
		    grep -qE "^\| \`$limit\`.*(sampled|rlimit|none)" out
	done
fi

t_done
