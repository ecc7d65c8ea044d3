#!/bin/bash
# Inside a container mayfly works, or says exactly what to change.
# as: root user
# shellcheck disable=SC2016 # programs in single quotes are for other shells

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

# The paths Docker hides and write-protects in a container's /proc.
MASK='for f in kcore keys timer_list latency_stats sched_debug; do
	[ ! -e /proc/$f ] || mount --bind /dev/null /proc/$f; done
    for d in acpi scsi asound; do
	[ ! -d /proc/$d ] || mount -t tmpfs -o ro tmpfs /proc/$d; done
    for d in bus fs irq sys sysrq-trigger; do
	[ ! -e /proc/$d ] || { mount --bind /proc/$d /proc/$d &&
	mount -o remount,bind,ro /proc/$d; }; done'

# in_container COMMAND...: as the test user, in namespaces with such a /proc.
in_container()
{
	unshare --mount --pid --fork --mount-proc --kill-child \
	    sh -c "$MASK"'
	    exec "$@"' sh "${T_AS[@]}" "$@" </dev/null >out 2>err
	status=$?
}

((EUID == 0)) || t_give_up "only root can arrange a container"

if testcase "where /proc is masked as Docker does it, it works or names proc"
then
	in_container "$MAYFLY" run -- sh -c 'echo started; ls /proc/self/fd'
	if [[ $status == 0 ]]; then
		expect_out_has '^started$'
	else
		expect_status 125
		expect_no_out
		expect_err_has 'proc'
	fi
fi

if [[ $AS == root ]] && testcase "root works where /proc is masked"; then
	in_container "$MAYFLY" run -- echo started
	expect_status 0
	expect_out started
fi

if testcase "what Docker masks in /proc is masked inside as well"; then
	in_container "$MAYFLY" run -- sh -c 'head -c 1 /proc/kcore | wc -c
	    head -c 1 /proc/keys | wc -c; echo 1 >/proc/sys/kernel/panic ||
	    echo refused'
	[[ $status == 125 ]] || expect_out $'0\n0\nrefused'
fi

if testcase "the doctor names the container option for a masked /proc"; then
	in_container "$MAYFLY" run -- true
	refused=$status
	in_container "$MAYFLY" doctor
	if ((refused != 0)); then
		expect_out_has 'systempaths=unconfined'
	fi
	check "the doctor says nothing" test -s out
fi

if testcase "mayfly works as the first process of a container"; then
	for code in 0 7; do
		unshare --mount --pid --fork --mount-proc --kill-child \
		    "${T_AS[@]}" "$MAYFLY" run -- sh -c "echo hi; exit $code" \
		    </dev/null >out 2>err
		status=$?
		expect_status "$code"
		expect_out hi
	done
fi

if testcase "the first process of a container can be told to stop"; then
	unshare --mount --pid --fork --mount-proc --kill-child \
	    "${T_AS[@]}" "$MAYFLY" run --verdict verdict -- \
	    sh -c 'echo up; exec sleep 60' </dev/null >out 2>err &
	outer=$!
	await "the command runs" grep -q up out
	# mayfly is the only child of unshare.
	read -r pid _ <"/proc/$outer/task/$outer/children"
	kill -TERM "$pid"
	wait "$outer"
	status=$?
	expect_status 143
fi

# in_namespace MAP SCRIPT: as root of a new user namespace with these ids; "$@"
# then is the test user's mayfly.
in_namespace()
{
	local holder

	unshare --user sh -c 'echo up; exec sleep 100' >up &
	holder=$!
	await "the user namespace" test -s up
	echo "$1" >"/proc/$holder/uid_map"
	echo "$1" >"/proc/$holder/gid_map"
	nsenter --user="/proc/$holder/ns/user" --setuid 0 --setgid 0 \
	    unshare --mount --pid --fork --mount-proc --kill-child \
	    sh -c "$2" sh "${T_AS[@]}" "$MAYFLY" </dev/null >out 2>err
	status=$?
	kill "$holder"
	wait "$holder" 2>/dev/null
}

if [[ $AS == root ]] &&
    testcase "root that could only make the command root is refused"; then
	for cap in sys_admin setuid setgid chown dac_override; do
		setpriv --bounding-set "-$cap" "$MAYFLY" run -- \
		    cat /proc/self/uid_map </dev/null >out 2>err
		status=$?
		expect_status 125
		expect_no_out
		expect_err_has "^mayfly: ids: .*CAP_${cap^^}"
		setpriv --bounding-set "-$cap" "$MAYFLY" doctor \
		    </dev/null >out 2>err
		check "the doctor does not say so" \
		    grep -q "host_ids.*CAP_${cap^^}" out
	done
fi

if testcase "where no user namespace can be made it says so"; then
	in_namespace "0 0 4294967295" 'echo 0 >/proc/sys/user/max_user_namespaces
	    exec "$@" run -- echo started'
	expect_status 125
	expect_no_out
	expect_err_has 'max_(user|\*)_namespaces|user namespace'
fi

if testcase "where no user namespace can be made the doctor says so"; then
	in_namespace "0 0 4294967295" 'echo 0 >/proc/sys/user/max_user_namespaces
	    exec "$@" doctor'
	expect_out_has 'max_user_namespaces'
fi

if testcase "as root of a namespace with one id it works or names the step"
then
	"${T_AS[@]}" unshare --user --map-root-user "$MAYFLY" run -- \
	    echo started </dev/null >out 2>err
	status=$?
	expect_status 0 125
	if ((status == 0)); then
		expect_out started
	else
		expect_no_out
		expect_err_has '^mayfly: [a-z]+: .*'
	fi
fi

if testcase "as root of a namespace with 65,536 ids it works or names the step"
then
	# A rootless container, or one with userns-remap.
	in_namespace "0 100000 65536" 'exec "$@" run -- echo started'
	expect_status 0 125
	if ((status == 0)); then
		expect_out started
	else
		expect_no_out
		expect_err_has '^mayfly: [a-z]+: .*'
	fi
fi

if testcase "in a chroot it says what is wrong"; then
	# The kernel makes no user namespace for a process in a chroot.
	mkdir new
	mount --rbind / new
	chroot new setpriv --reuid "$T_UID" --regid "$T_UID" --clear-groups \
	    -- env "XDG_STATE_HOME=$XDG_STATE_HOME" "$MAYFLY" run -- \
	    echo started </dev/null >out 2>err
	status=$?
	umount -l new
	expect_status 125 0
	[[ $status == 0 ]] || expect_err_has '[a-z]'
	[[ $status == 0 ]] || expect_no_out
fi

if testcase "on a read-only system it works, or names what it cannot write"
then
	unshare --mount sh -c 'mount -o bind,ro /run /run &&
	    mount -o remount,bind,ro / && exec "$@"' sh \
	    "${T_AS[@]}" "$MAYFLY" run -- echo started \
	    </dev/null >out 2>err
	status=$?
	if [[ $status == 0 ]]; then
		expect_out started
	else
		expect_status 125
		expect_err_has '/run|/var|lease|state'
	fi
fi

if testcase "with no terminal, no HOME and no environment at all it works"
then
	setsid -w env -i setpriv --reuid "$T_UID" --regid "$T_UID" \
	    --clear-groups -- "$MAYFLY" run -- echo hi </dev/null >out 2>err
	status=$?
	expect_status 0
	expect_out hi
fi

if testcase "called from a directory that is gone it works"; then
	mkdir gone
	cd gone || exit 2
	rmdir ../gone
	mayfly run -- pwd </dev/null >../out 2>../err
	status=$?
	cd ..
	expect_status 0
	expect_out /
fi

t_done
