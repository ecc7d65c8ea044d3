#!/bin/bash
# mayfly inside systemd-nspawn.
# in: alone

# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"

((EUID == 0)) || t_give_up "this needs root"
[[ -n $(type -P systemd-nspawn) ]] || t_give_up "there is no systemd-nspawn"

# It refuses to start in / itself, so that it gets / by another name: read-only,
# and nowhere below T_ROOT, which is removed with all that is in it.
HOST=/run/mayfly-nspawn-host
mkdir -p "$HOST"
if ! mount --bind / "$HOST" || ! mount -o remount,bind,ro "$HOST"; then
	umount "$HOST"
	t_give_up "/ cannot be bound read-only"
fi

# nspawn [OPTION]... -- COMMAND...: with the host's own system, read-only.
nspawn()
{
	systemd-nspawn --quiet --register=no --keep-unit --directory="$HOST" \
	    --volatile=overlay --pipe --bind-ro="$T_ROOT/bin" "$@" \
	    </dev/null >out 2>err
	status=$?
}

if testcase "mayfly runs inside systemd-nspawn, in the host's network"; then
	# There root has no CAP_NET_ADMIN.
	nspawn -- "$MAYFLY" run -- sh -c 'echo started; exit 7'
	expect_status 7
	expect_out started
fi

if testcase "mayfly runs inside systemd-nspawn with a private network"; then
	nspawn --private-network -- "$MAYFLY" run --json -- echo started
	expect_status 0
	expect_json '.stdout == "started\n"'
fi

if testcase "mayfly runs in systemd-nspawn with a range of ids"; then
	nspawn --private-users=655360:327680 --setenv=MAYFLY_UID_BASE=196608 \
	    --setenv=MAYFLY_UID_COUNT=65536 -- \
	    "$MAYFLY" run --json -- echo started
	expect_status 0
	expect_json '.stdout == "started\n"'
fi

if testcase "the doctor says what systemd-nspawn offers"; then
	nspawn -- "$MAYFLY" doctor
	check "it says nothing" test -s out
fi

t_done
