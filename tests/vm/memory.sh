#!/bin/bash
# What counts against mem, nproc and time in a delegated cgroup, and that the
# verdict names the limit that was reached.
# in: root user
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"

OWN=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
OWN=${OWN%/mayfly-self}
if [[ ! -w $OWN ]] || ! grep -qw memory "$OWN/cgroup.controllers"; then
	t_give_up "no cgroup v2 is delegated: use guest.sh"
fi

expect_ended()
{
	expect_status 124
	expect_json ".reason == \"$1\""
	expect_json '.exit_code == null and .signal == 9'
	expect_json '.enforced.mem == "cgroup"'
}

if testcase "a file in memory without a name counts"; then
	# memfd_create
	run --json --mem 32768 --fsize 1048576 -- perl -e '
	    $name = "x"; $fd = syscall(319, $name, 0); open F, ">&=", $fd or die;
	    1 while syswrite F, "x" x 65536; sleep 60'
	expect_ended memory
fi

if testcase "what is in pipes counts"; then
	run --json --mem 16384 --nofile 1024 -- perl -e '
	    while (1) {
		    pipe my $r, my $w or last;
		    # F_SETPIPE_SZ, F_SETFL O_NONBLOCK
		    fcntl $w, 1031, 1 << 20; fcntl $w, 4, 2048;
		    1 while syswrite $w, "x" x 65536;
		    push @all, $r, $w;
	    }
	    print scalar @all; sleep 2'
	expect_json '.reason == "memory" or
	    (.reason == "exit" and .usage.memory_kb <= 16384)'
fi

if testcase "files of the host that are read do not end a run"; then
	run --json --mem 32768 --time 60000 --nofile 64 -- sh -c '
	    find /usr/lib /usr/bin -type f -size +200k | head -n 200 |
		xargs cat | wc -c'
	expect_status 0
	expect_json '.reason == "exit" and
	    (.stdout | tonumber) > 64 * 1024 * 1024'
	expect_json '.usage.memory_kb <= 32768'
fi

if testcase "a child out of memory ends its parent as well"; then
	run --json --mem 65536 -- perl -e '
	    if (!fork) { $x = "a" x (512 << 20); exit }
	    wait; print "survived $?"; sleep 60'
	expect_ended memory
	expect_json '.stdout == ""'
fi

if testcase "python out of memory is reason memory, and so is its input"; then
	run --json --mem 65536 --time 60000 -- python3 -c '
x = []
while True:
    x.append(bytearray(1 << 20))'
	expect_ended memory
	mayfly run --json --mem 65536 --time 60000 -- python3 -c '
import sys
sys.stdin.buffer.read()' < <(head -c 300000000 /dev/zero 2>/dev/null) \
	    >out 2>err
	status=$?
	expect_ended memory
fi

if testcase "a run that ends by itself below mem is no victim"; then
	run --json --mem 131072 -- perl -e '$x = "a" x (40 << 20); exit 3'
	expect_status 3
	expect_json '.reason == "exit" and .usage.memory_kb > 40000'
fi

if testcase "a command that is killed by itself is no case of memory"; then
	run --json -- sh -c 'kill -KILL $$'
	expect_json '.reason == "signal" and .signal == 9'
fi

if testcase "memory and time run out together: it is one of the two"; then
	run --json --mem 65536 --time 150 -- perl -e '
	    while (1) { push @x, "a" x 65536 }'
	expect_status 124
	expect_json '.reason | IN("memory", "time")'
fi

# Only root lowers it.
if ((EUID == 0)) &&
    testcase "a parent's protection from the OOM killer is not inherited"
then
	(
		echo -1000 >/proc/self/oom_score_adj
		run --json --mem 65536 -- perl -e '
		    $x = "a" x (512 << 20); sleep 60'
		echo "$status" >said
	)
	status=$(<said)
	expect_ended memory
fi

if testcase "a fork bomb has nproc processes exactly"; then
	for n in 1 2 12 64; do
		run --nproc $n -- perl -e '
		    for ($n = 1; $n < 100; $n++) {
			    defined($p = fork) or last;
			    $p or (sleep(60), exit);
		    } print "$n\n"'
		expect_status 0
		expect_out "$n"
	done
fi

if testcase "threads count as processes do" &&
    require "there is no python3" have python3; then
	run --nproc 12 --time 60000 -- python3 -c '
import threading, time
n = 1
try:
    while n < 100:
        threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
        n += 1
except RuntimeError:
    pass
print(n)'
	expect_out 12
fi

if testcase "CPU time of processes that nobody waits for counts"; then
	run --json --time 500 --wall 20000 -- perl -e '
	    $SIG{CHLD} = "IGNORE";
	    while (1) {
		    if (!fork) { $i++ while $i < 100000; exit }
		    select undef, undef, undef, 0.02;
	    }'
	expect_status 124
	expect_json '.reason == "time" and .usage.cpu_ms >= 500'
	expect_json '.usage.cpu_ms < 1500'
fi

if testcase "building the sandbox is not charged to its time"; then
	# In emulation it takes 60 ms and more, and the command 20 to 60.
	good=0
	for _ in 1 2 3 4 5; do
		run --json --time 60 -- true
		((good += status == 0))
	done
	((good >= 3)) || fail "only $good of 5 runs ended by themselves"
fi

if testcase "half a CPU is about half a CPU" &&
    require "cpu is not delegated here" grep -qw cpu \
    "$OWN/cgroup.controllers"; then
	run --json --time 600000 --wall 3000 --cpus 0.5 -- sh -c '
	    (while :; do :; done) & while :; do :; done'
	expect_status 124
	expect_json '.reason == "wall" and .enforced.cpus == "cgroup"'
	expect_json '(.usage.cpu_ms / .usage.wall_ms) as $r |
	    $r > 0.25 and $r < 0.75'
fi

t_done
