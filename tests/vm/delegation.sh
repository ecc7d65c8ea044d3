#!/bin/bash
# Where mayfly finds a cgroup of its own and where it does not: each run is
# started by systemd-run itself, and told what holds its limits.
# in: alone
# shellcheck disable=SC2016 # programs in single quotes are for elsewhere

# systemd has to know the processes by their numbers.
export T_ENTERED=1
# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"

[[ $EUID == 0 && -d /run/systemd/system ]] ||
    t_give_up "this needs root and systemd: use guest.sh"

EAT='$x = "a" x (512 << 20); sleep 60'
# For a shell that is to share its cgroup with mayfly, or to leave it first.
OWN='own=/sys/fs/cgroup$(sed -n "s/^0:://p" /proc/self/cgroup)'
LEAVE="$OWN"'; mkdir $own/mayfly-self; echo $$ >$own/mayfly-self/cgroup.procs'

as_user()
{
	local name=$1

	shift
	setpriv --reuid "$name" --regid "$name" --init-groups -- env \
	    "HOME=/home/$name" "XDG_RUNTIME_DIR=/run/user/$(id -u "$name")" \
	    "XDG_STATE_HOME=/home/$name/state" "$@"
}

# start_in WAY COMMAND...; sets status as run does.
start_in()
{
	local way=$1

	shift
	# systemd expands variables in what a service executes.
	[[ $way != *service && $way != unit ]] || set -- "${@//\$/\$\$}"
	case $way in
	scope) systemd-run -q --scope -p Delegate=yes -- "$@" ;;
	service) systemd-run -q --pipe --wait -p Delegate=yes -- "$@" ;;
	some) systemd-run -q --scope -p Delegate='pids cpu' -- "$@" ;;
	user) as_user tester systemd-run -q --user --scope -p Delegate=yes \
	    -- "$@" ;;
	userservice) as_user plain systemd-run -q --user --pipe --wait \
	    -p Delegate=yes -- "$@" ;;
	unit) systemd-run -q --pipe --wait --uid=plain -p Delegate=yes \
	    -E HOME=/home/plain -- "$@" ;;
	nomemory) systemd-run -q --scope --slice=mayflytest.slice \
	    -p Delegate=yes -- "$@" ;;
	none) systemd-run -q --scope -- "$@" ;;
	usernone) as_user tester systemd-run -q --user --scope -- "$@" ;;
	*) fail "no way in is called $way" ;;
	esac </dev/null >out 2>err
	status=$?
}

# Without timeout(1), which would be a second process in the cgroup.
start_run()
{
	local way=$1

	shift
	start_in "$way" "$MAYFLY" run --json "$@"
}

expect_ended()
{
	expect_status 124
	expect_json ".reason == \"$1\" and .signal == 9"
}

for way in scope service user userservice unit; do
	if testcase "$way: mayfly alone in a delegated cgroup uses it"; then
		start_run "$way" --cpus 0.5 -- echo up
		expect_status 0
		expect_json '.stdout == "up\n"'
		expect_json '.enforced | .time == "cgroup" and
		    .mem == "cgroup" and .nproc == "cgroup"'
		case $way in
		# systemd 252 delegates no cpu to the managers of users.
		user*) expect_json '.enforced.cpus |
		    IN("cgroup", "none")' ;;
		*) expect_json '.enforced.cpus == "cgroup"' ;;
		esac
	fi

	if testcase "$way: memory ends the run with reason memory"; then
		start_run "$way" --mem 65536 -- perl -e "$EAT"
		expect_ended memory
		expect_json '.usage.memory_kb <= 66000'
	fi
done

for way in none usernone; do
	if testcase "$way: without delegation nothing claims a cgroup"; then
		start_run "$way" --cpus 0.5 -- echo up
		expect_status 0
		expect_json '.enforced | .time == "sampled" and
		    .mem == "sampled" and .nproc == "rlimit" and
		    .cpus == "none"'
	fi

	if testcase "$way: memory is sampled and ends the run"; then
		start_run "$way" --mem 65536 -- perl -e '
		    for (1..4) { if (!fork) {
			    $x = "a" x (30 << 20); sleep 60; exit } }
		    sleep 60'
		expect_ended memory
	fi
done

if testcase "delegating some controllers only is no harm"; then
	start_run some -- echo up
	expect_status 0
	expect_json '.stdout == "up\n" and (.enforced.nproc == "cgroup")'
fi

if testcase "where there is no memory controller, memory is sampled"; then
	mkdir -p /run/systemd/system
	printf '[Slice]\nDisableControllers=memory\n' \
	    >/run/systemd/system/mayflytest.slice
	systemctl daemon-reload
	start_run nomemory -- echo up
	expect_status 0
	expect_json '.stdout == "up\n" and .enforced.mem == "sampled"'
	start_run nomemory --mem 65536 -- perl -e "$EAT"
	expect_ended memory
	systemctl stop mayflytest.slice
	rm /run/systemd/system/mayflytest.slice
	systemctl daemon-reload
fi

if testcase "the cgroup's root is no delegation: mayfly there says so"; then
	bash -c 'echo $$ >/sys/fs/cgroup/cgroup.procs; exec "$@"' bash \
	    "$MAYFLY" run --json -- echo up </dev/null >out 2>err
	status=$?
	expect_status 0
	expect_json '.stdout == "up\n"'
fi

if testcase "a shell in the same cgroup is left alone, and it is said"; then
	start_in scope sh -c '"$@"; '"$OWN"'; ls -d $own/*/ >&2; exit 0' sh \
	    "$MAYFLY" run --json -- echo up
	expect_status 0
	expect_json '.stdout == "up\n"'
	expect_json '.enforced | .mem == "sampled" and .nproc == "rlimit"'
	check_not "its cgroup was changed" grep -q mayfly err
fi

if testcase "the same in a cgroup of a user"; then
	start_in user sh -c '"$@"; '"$OWN"'; ls -d $own/*/ >&2; exit 0' sh \
	    "$MAYFLY" run --json -- echo up
	expect_status 0
	expect_json '.stdout == "up\n"'
	expect_json '.enforced | .mem == "sampled" and .nproc == "rlimit"'
	check_not "its cgroup was changed" grep -q mayfly err
fi

if testcase "a user in a cgroup delegated to root runs all the same"; then
	start_in scope setpriv --reuid tester --regid tester --init-groups \
	    env HOME=/home/tester "$MAYFLY" run --json -- echo up
	expect_status 0
	expect_json '.stdout == "up\n" and .enforced.mem == "sampled"'
fi

if testcase "two runs in one delegated cgroup hold their limits each"; then
	# An emulated processor takes its time.
	start_in scope sh -c "$LEAVE"'
	    export MAYFLY_DEFAULT_TIME=60000 MAYFLY_DEFAULT_WALL=60000
	    "$0" run --mem 65536 --json -- perl -e "$1" >one &
	    "$0" run --mem 400000 --json -- perl -e "\$x = q(a) x (100 << 20);
		    sleep 4; print q(fine)" >two
	    wait' "$MAYFLY" "$EAT"
	expect_json '.reason == "memory"' one
	expect_json '.stdout == "fine" and .enforced.mem == "cgroup"' two
	expect_json '.usage.memory_kb > 100000' two
fi

if testcase "eight runs that start at once in one cgroup all get their own"
then
	start_in scope sh -c "$LEAVE"'
	    for i in 1 2 3 4 5 6 7 8; do
		    "$0" run --json -- echo up >run.$i 2>&1 &
	    done; wait' "$MAYFLY"
	for i in 1 2 3 4 5 6 7 8; do
		expect_json '.stdout == "up\n" and
		    .enforced.mem == "cgroup"' "run.$i"
	done
fi

if testcase "the doctor tells a delegated cgroup from none"; then
	start_in scope "$MAYFLY" doctor --json
	expect_json '[.. | objects | select((.name? // .id? // "") |
	    tostring | test("cgroup"))] | length > 0'
	cp out "$T_ROOT/doctor.scope"
	start_in none "$MAYFLY" doctor --json
	check_not "it says the same of both" cmp -s out "$T_ROOT/doctor.scope"
fi

if testcase "SIGKILL of mayfly leaves one empty cgroup, and reap removes it"
then
	start_in scope sh -c "$LEAVE"'
	    "$0" run -- sh -c "echo up; exec sleep 60" >said 2>&1 &
	    pid=$!
	    until grep -q up said; do sleep 0.05; done
	    kill -KILL $pid; wait $pid
	    ls $own | grep -c ^mayfly-run- >left
	    i=0
	    while grep -q "populated 1" $own/mayfly-run-*/cgroup.events &&
		[ $i -lt 100 ]; do sleep 0.05; i=$((i + 1)); done
	    cat $own/mayfly-run-*/cgroup.procs >alive
	    "$0" reap --dry-run >dry; "$0" reap >reaped
	    ls $own | grep -c ^mayfly-run- >after; exit 0' "$MAYFLY"
	check "no cgroup was left" grep -qx 1 left
	check "something still runs in it" test ! -s alive
	check "the dry run named nothing" grep -q mayfly-run- dry
	check "reap named nothing" grep -q mayfly-run- reaped
	check "reap left it" grep -qx 0 after
fi

t_done
