#!/bin/bash
# What counts against mem, nproc and time in a delegated cgroup, and that the
# verdict names the limit that was reached.
# in: root
# long: user
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
	expect_ended memory
fi

if testcase "what is in local sockets counts"; then
	run --json --mem 16384 --nofile 1024 -- perl -e '
	    use Socket;
	    while (socketpair my $r, my $w, AF_UNIX, SOCK_STREAM, 0) {
		    fcntl $w, 4, 2048;
		    1 while syswrite $w, "x" x 4096;
		    push @all, $r, $w;
	    } print scalar @all; sleep 60'
	expect_ended memory
fi

if testcase "what is in sockets of TCP counts"; then
	run --json --mem 32768 --nofile 1024 --wall 20000 -- perl -e '
	    use IO::Socket::INET;
	    $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 5);
	    $to = "127.0.0.1:" . $l->sockport;
	    for (1 .. 250) {
		    $w = IO::Socket::INET->new($to) or last;
		    $r = $l->accept; push @all, $r, $w;
		    $w->blocking(0); 1 while syswrite $w, "x" x 65536;
	    } print scalar @all'
	expect_ended memory
	# Packets under way are let through, and charged all the same.
	expect_json '.usage.memory_kb <= 33000'
fi

if testcase "what the kernel keeps for it counts: page tables"; then
	run --json --mem 16384 --time 60000 -- perl -e '
	    # One page of zeros for all, which nobody is charged for.
	    $at = syscall 9, 0, 64 << 30, 1, 0x4022, -1, 0;
	    for ($n = 0; $n < 32768; $n++) {
		    unpack "p", pack "J", $at + ($n << 21);
	    } print "not ended"; sleep 60'
	expect_ended memory
fi

if testcase "what the kernel keeps for it counts: directories"; then
	run --json --mem 12288 --disk 1048576 -- perl -e '
	    mkdir "/tmp/$_" or last for 1 .. 60000; sleep 60'
	expect_ended memory
fi

if ((EUID == 0)) &&
    testcase "what is written to a disk counts, but does not end the run"
then
	install -d -o 61234 -g 61234 bound
	run --json --mem 16384 --fsize 1048576 --time 60000 \
	    --bind "$PWD/bound:/b" -- sh -c '
	    head -c 80000000 /dev/zero >/b/f; stat -c %s /b/f'
	expect_status 0
	expect_json '.stdout == "80000000\n" and .usage.memory_kb > 12000 and
	    .usage.memory_kb <= 16384'
fi

if testcase "memory_kb is the highest there was, not what was left"; then
	run --json --mem 262144 -- perl -e '
	    $size = 60 << 20; $x = "a" x $size; undef $x;
	    open F, ">", "/tmp/f"; print F "x" x 9000000; close F;
	    unlink "/tmp/f"; sleep 1'
	expect_status 0
	expect_json '.usage.memory_kb > 61440 and .usage.memory_kb < 200000'
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
	    # A constant would be made before the program begins.
	    $size = 512 << 20; if (!fork) { $x = "a" x $size; exit }
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

# The kernel ends the sandbox for its memory, which takes until what is stuck
# in it can end; meanwhile the time that it had is over.
if ((EUID == 0)) &&
    testcase "a kill for memory that lasts is not laid to another limit"; then
	truncate -s 16M disk
	mkfs.ext4 -q disk 2>&1
	install -d -o 61234 -g 61234 bound
	mount -o loop disk bound
	chown 61234:61234 bound
	fsfreeze -f bound
	spawn run --json --mem 65536 --wall 6000 --bind "$PWD/bound:/b" -- \
	    perl -e 'if (!fork) { open F, ">", "/b/f"; exit }
	    sleep 1; $size = 512 << 20; $x = "a" x $size; sleep 60' \
	    </dev/null
	poll 200 eval 'grep -qs "^oom_kill [1-9]" \
	    "$OWN"/mayfly-run-*/memory.events' ||
	    fail "it was not ended for its memory"
	sleep 6
	check "it was not stuck" kill -0 "$pid"
	fsfreeze -u bound
	finish
	expect_status 124
	expect_json '.reason == "memory" and .usage.wall_ms > 6000'
	umount bound
fi

# As that of mayfly.slice may: the limit of the run is not what was reached.
if ((EUID == 0)) &&
    testcase "who is ended for the memory of all has not reached mem"; then
	echo 150M >"$OWN/memory.max"
	run --json --mem 1048576 --time 60000 -- perl -e '
	    $x = "a" x (512 << 20); sleep 60'
	echo max >"$OWN/memory.max"
	expect_status 137
	expect_json '.reason | IN("killed", "signal")'
	expect_json '.enforced.mem == "cgroup" and .usage.memory_kb < 200000'
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
	# In emulation it takes 60 ms and more, and the command 20 to 60: with
	# both on one account none would end by itself.
	for _ in {1..20}; do
		run --json --time 60 -- true
		((status != 0)) || break
	done
	expect_status 0
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
