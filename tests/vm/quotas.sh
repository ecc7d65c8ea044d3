#!/bin/bash
# What the kernel counts for a user: who uses all of it up in one sandbox takes
# nothing of it from another.
# in: root

# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"

[[ $EUID == 0 && -n ${IN:-} ]] ||
    t_give_up "this is for a machine of its own: use guest.sh"

# Else to use them up takes long, or needs more descriptors than there are.
lower()
{
	before[$1]=$(<"/proc/sys/$1")
	echo "$2" >"/proc/sys/$1"
}

declare -A before
lower fs/pipe-user-pages-soft 1024
lower fs/inotify/max_user_watches 200
lower fs/inotify/max_user_instances 50
lower fs/epoll/max_user_watches 50

WORDS=(--nofile 150 --nproc 40 --time 60000 --wall 120000
    --ro-bind "$T_TREE/tests/vm:/vm" -- python3 /vm/quotas.py)

have_all()
{
	grep -q '^processes ' "$1"
}

# Uses all up in one more sandbox, and keeps it until descriptor 9 is closed.
exhaust()
{
	"${T_AS[@]}" "$MAYFLY" run "${WORDS[@]}" <hold >"$1" 2>&1 9>&- &
	pids+=("$!")
	poll 600 have_all "$1" || fail "not all in $1: $(<"$1")"
}

if testcase "who exhausts what is counted per user leaves others theirs"; then
	mkfifo hold
	for names in alone 'one two'; do
		exec 9<>hold
		pids=()
		for name in $names; do
			exhaust "$name"
		done
		exec 9>&-
		wait "${pids[@]}"
	done
	for name in one two; do
		cmp -s alone "$name" || {
			fail "with a neighbour it is not as alone:"
			detail "$(diff alone "$name")"
		}
	done
	# Each was at its end, and there are no keyrings at all.
	sort alone >out
	for line in 'epoll_watches 50 ENOSPC' 'in_flight [0-9]+ ETOOMANYREFS' \
	    'inotify_instances 49 EMFILE' 'inotify_watches 200 ENOSPC' \
	    'keys 0 ENOSYS' 'locked 16 ENOMEM' 'pipes 960 EPERM' \
	    'processes [1-9][0-9]* EAGAIN' 'queues [1-9] EMFILE' \
	    'signals 1024 EAGAIN' 'terminals 12 ENOSPC'; do
		expect_out_has "^$line\$"
	done
fi

for name in "${!before[@]}"; do
	echo "${before[$name]}" >"/proc/sys/$name"
done
t_done
