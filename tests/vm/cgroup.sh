#!/bin/bash
# The limits where a cgroup is delegated to mayfly. inside.sh starts this in a
# leaf of that one; by hand: guest.sh cgroup.
# in: root user
# long: unit
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"

OWN=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
OWN=${OWN%/mayfly-self}

is_delegated()
{
	grep -qw memory "$OWN/cgroup.controllers" 2>/dev/null &&
	    grep -qw pids "$OWN/cgroup.controllers" && [[ -w $OWN ]]
}

has_cpu()
{
	grep -qw cpu "$OWN/cgroup.controllers"
}

is_delegated || t_give_up "no cgroup v2 is delegated: use guest.sh"

# The cgroups of runs.
runs()
{
	find "$OWN" -mindepth 1 -type d -name 'mayfly-run-*'
}

expect_ended()
{
	expect_status 124
	expect_json ".reason == \"$1\""
	expect_json '.exit_code == null and .signal == 9'
}

if testcase "the cgroup holds time, mem, nproc and cpus, and it is said"; then
	run --json --cpus 0.5 -- true
	expect_status 0
	for limit in time mem nproc cpus; do
		expect_json ".enforced.$limit == \"cgroup\""
	done
fi

# Of the run that spawn has begun: its cgroup becomes $dir.
begun()
{
	await "the command runs" grep -q up out
	dir=$(runs)
}

if testcase "its cgroup has the limits asked for, and none on the disk"; then
	spawn run --mem 65536 --nproc 12 --cpus 0.25 -- \
	    sh -c 'echo up; exec sleep 60' </dev/null
	begun
	for file in "memory.max $((65536 * 1024))" "memory.swap.max 0" \
	    "memory.high max" "memory.oom.group 1" "pids.max 13" \
	    "cpu.max 25000 100000" "cgroup.max.descendants 0"; do
		read -r name value <<<"$file"
		# A kernel without swap has nothing to say about it.
		[[ -e $dir/$name || $name != memory.swap.max ]] || continue
		[[ $name != cpu.max ]] || has_cpu || continue
		check "$name is $(<"$dir/$name")" \
		    test "$(<"$dir/$name")" = "$value"
	done
	for name in io.max io.latency io.cost.qos; do
		[[ ! -e $dir/$name ]] ||
		    check "$name: $(<"$dir/$name")" test ! -s "$dir/$name"
	done
	check "PID 1 and the command are not alone in it" \
	    test "$(wc -l <"$dir/cgroup.procs")" = 2
	kill "$pid"
	finish
fi

# What strace prints of the supervisor's calls, in the file calls.
traced()
{
	"${T_AS[@]}" strace -qq -o calls "$@" "$MAYFLY" run --json --wall 1000 \
	    -- sleep 60 </dev/null >out 2>err
	status=$?
}

if testcase "it is started in its cgroup, and nobody is moved into one"; then
	# What is traced has not the rights of newuidmap.
	follow=-f
	[[ $IN != user ]] || follow=
	traced $follow -e trace=clone3,openat
	expect_ended wall
	check "no clone3 into a cgroup" \
	    grep -q 'clone3(.*CLONE_INTO_CGROUP.*cgroup=' calls
	check_not "somebody was moved: $(grep cgroup.procs calls)" \
	    grep -q 'cgroup.procs.*O_\(WRONLY\|RDWR\)' calls
fi

if testcase "cgroup.kill ends it, also where no signal would"; then
	traced -e trace=pidfd_send_signal \
	    -e inject=pidfd_send_signal:error=EPERM
	expect_ended wall
	expect_json '.usage.wall_ms < 20000'
	check "no signal was refused" grep -q INJECTED calls
fi

if testcase "CPU time is the cgroup's"; then
	mkfifo hold
	exec 9<>hold
	spawn run --verdict verdict --time 60000 -- perl -e '
	    $| = 1; $n++ while times < 0.5; system "sh -c :" for 1 .. 5;
	    print "up\n"; <STDIN>' <hold
	begun
	used=$(awk '/^usage_usec/ { print int($2 / 1000) }' "$dir/cpu.stat")
	exec 9>&-
	finish
	expect_status 0
	# What building took is not the command's; what ending takes is.
	expect_json ".usage.cpu_ms > 500 and .usage.cpu_ms > $used - 400 and
	    .usage.cpu_ms < $used + 400" verdict
fi

if testcase "a process over mem ends the run with reason memory"; then
	run --json --mem 65536 -- perl -e '
	    $| = 1; print "started\n"; $n = shift; $x = "a" x $n;
	    sleep 60' 536870912
	expect_ended memory
	expect_json '.stdout == "started\n"'
	expect_json '.usage.memory_kb > 30000 and .usage.memory_kb <= 66000'
fi

if testcase "processes over mem together end the run"; then
	run --json --mem 131072 --time 60000 -- perl -e '
	    for (1..8) {
		    if (!fork) { $x = "a" x (40 << 20); sleep 60; exit }
	    } sleep 60'
	expect_ended memory
fi

if testcase "files in /tmp and /dev/shm count as memory"; then
	for dir in /tmp /dev/shm; do
		run --json --mem 32768 --disk 262144 --fsize 262144 -- \
		    sh -c 'head -c 100000000 /dev/zero >$0/f; sleep 60' $dir
		expect_ended memory
	done
fi

if testcase "shared memory counts as memory"; then
	run --json --mem 32768 -- perl -e '
	    $id = shmget(77, 100 << 20, 01600) // die;
	    shmwrite($id, "x" x (1 << 20), $_ << 20, 1 << 20) for 0 .. 99;
	    sleep 60'
	expect_ended memory
fi

if testcase "the whole sandbox ends, not one process of it"; then
	run --json --mem 65536 -- sh -c '
	    perl -e "\$x = q(a) x (512 << 20)"; echo survived; sleep 60'
	expect_ended memory
	expect_json '.stdout == ""'
fi

if testcase "a reservation beyond mem is no use of it"; then
	run --json --mem 65536 -- perl -e '
	    $r = syscall(9, 0, 64 << 30, 0, 0x4022, -1, 0);
	    print $r == -1 ? "refused" : "reserved"'
	expect_json '.stdout == "reserved"'
fi

if testcase "fork fails over nproc, whatever the program's user"; then
	run --nproc 12 -- perl -MPOSIX -e '
	    for ($n = 0; $n < 100; $n++) {
		    defined($p = fork) or last;
		    $p or (POSIX::setuid(1000 + $n), sleep(60), exit);
	    } print "$n $!{EAGAIN}\n"'
	expect_status 0
	read -r count why <out
	((count >= 9 && count <= 11)) || fail "$count children"
	[[ $why -gt 0 ]] || fail "fork did not fail with EAGAIN"
fi

if testcase "time is measured by the cgroup and ends the run"; then
	run --json --time 300 -- sh -c '
	    while :; do (i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done)
	    done'
	expect_ended time
	expect_json '.usage.cpu_ms >= 300'
fi

if testcase "cpus slows a run down"; then
	run --json --time 600000 --wall 1500 --cpus 0.2 -- sh -c '
	    while :; do :; done'
	expect_ended wall
	# A fifth of 1.5 s is 300 ms; at full speed it would be 1,500.
	expect_json '.usage.cpu_ms < 900'
fi

if testcase "a fork bomb is over with its run"; then
	run --json --wall 2000 --nproc 60 -- bash -c ':(){ :|:& };:; wait;
	    sleep 60'
	expect_status 124
fi

if testcase "no cgroup is left after a run"; then
	for _ in {1..10}; do
		run -- sh -c 'sleep 60 & exit 0'
	done
	check "one is left" test -z "$(runs)"
fi

if testcase "after SIGKILL of mayfly the sandbox ends and reap clears up"
then
	spawn run -- sh -c 'sleep 60 & echo up; exec sleep 60' </dev/null
	await "the command runs" grep -q up out
	kill -KILL "$pid"
	finish
	check "its cgroup is gone" test -n "$(runs)"
	poll 200 sh -c "! grep -qs 'populated 1' $OWN/mayfly-run-*/cgroup.events" ||
	    fail "something still runs in the cgroup"
	mayfly reap >out 2>err </dev/null
	status=$?
	expect_status 0
	check "a cgroup is left" test -z "$(runs)"
fi

if testcase "the cgroup is not visible inside"; then
	run -- cat /proc/self/cgroup
	expect_out "0::/"
	run -- ls -A /sys/fs/cgroup
	expect_no_out
fi

if testcase "runs side by side have a cgroup each"; then
	mkfifo hold
	exec 9<>hold
	"${T_AS[@]}" "$MAYFLY" run --mem 65536 -- sh -c 'echo up; read x' \
	    <hold >first 2>&1 &
	pid=$!
	await "the first runs" grep -q up first
	run --json --mem 65536 -- perl -e '$x = "a" x (512 << 20); sleep 60'
	expect_ended memory
	echo >&9
	finish
	exec 9>&-
	expect_status 0
fi

t_done
