#!/bin/bash
# Each limit, the reason it gives and what enforces it: mayfly(1).
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

# A limit ended the run: what the exit code and the JSON must say.
expect_ended()
{
	expect_status 124
	expect_json ".reason == \"$1\""
	expect_json '.exit_code == null and .signal == 9'
}

SPIN='while :; do :; done'

if testcase "every limit says what enforces it, in the words of the API"; then
	run --json -- true
	expect_status 0
	expect_json '.enforced | to_entries | all(.value |
	    IN("cgroup", "rlimit", "timer", "reader", "tmpfs", "quota",
	    "sampled", "none"))'
	expect_json '.enforced.wall == "timer"'
	expect_json '.enforced.fsize == "rlimit"'
	expect_json '.enforced.stack == "rlimit"'
	expect_json '.enforced.nofile == "rlimit"'
	expect_json '.enforced.disk == "tmpfs"'
	expect_json '.enforced.output == "reader"'
	expect_json '.enforced.nproc | IN("cgroup", "rlimit")'
	expect_json '.enforced.time | IN("cgroup", "sampled")'
	expect_json '.enforced.mem | IN("cgroup", "sampled")'
	expect_json '.enforced.cpus == "none"'
	expect_json '.enforced.session_disk == "none"'
	expect_json '.enforced | length == 11'
fi

if testcase "a limit that cannot be held is reported as none"; then
	run --json --cpus 0.5 -- true
	expect_status 0
	expect_json '.enforced.cpus == "none" or
	    (.enforced.cpus == "cgroup" and .enforced.time == "cgroup")'
fi

if testcase "CPU time ends a run with reason time"; then
	run --json --time 200 -- sh -c "$SPIN"
	expect_ended time
	expect_json '.usage.cpu_ms >= 200'
fi

if testcase "CPU time is that of all processes together"; then
	run --json --time 400 --wall 20000 -- sh -c "
	    for i in 1 2 3 4; do ($SPIN) & done; wait"
	expect_ended time
	expect_json '.usage.cpu_ms >= 400'
fi

if testcase "CPU time counts processes that have ended"; then
	# Each lives for a moment only, far below any limit of its own.
	run --json --time 500 --wall 30000 -- sh -c '
	    while :; do (i=0; while [ $i -lt 20000 ]; do
	    i=$((i+1)); done); done'
	expect_ended time
	expect_json '.usage.cpu_ms >= 500'
fi

# The kernel adds their time to nobody's: only a cgroup counts all of it.
if testcase "processes nobody waits for end with time, or else with wall"; then
	run --json --time 300 --wall 1500 -- perl -e '
	    $SIG{CHLD} = "IGNORE";
	    while (1) {
		    if (!fork) { $i++ while $i < 300000; exit }
		    select undef, undef, undef, 0.01;
	    }'
	expect_status 124
	expect_json '.reason == "time" or
	    (.reason == "wall" and .enforced.time != "cgroup")'
fi

if testcase "sleeping costs no CPU time"; then
	run --json --time 200 -- sleep 0.4
	expect_status 0
	expect_json '.reason == "exit" and .usage.cpu_ms < 200'
	expect_json '.usage.wall_ms >= 400'
fi

if testcase "elapsed time ends a run with reason wall"; then
	run --json --wall 300 -- sleep 30
	expect_ended wall
	expect_json '.usage.wall_ms >= 300'
fi

if testcase "what the wall limit ends has used CPU time until then"; then
	run --json --time 600000 --mem 16777216 --wall 2000 -- sh -c "
	    for i in 1 2 3 4; do ($SPIN) & done; sleep 30"
	expect_ended wall
	expect_json '.usage.cpu_ms >= 200'
fi

if testcase "output before the wall limit is kept"; then
	run --json --wall 500 -- sh -c 'echo kept; echo too >&2; sleep 30'
	expect_ended wall
	expect_json '.stdout == "kept\n" and .stderr == "too\n"'
fi

if testcase "the wall limit ends a command that ignores signals"; then
	run --json --wall 300 -- perl -e '
	    $SIG{$_} = "IGNORE" for keys %SIG; sleep 30 while 1'
	expect_ended wall
fi

if testcase "the wall limit ends a command that stops itself"; then
	run --json --wall 300 -- sh -c 'kill -STOP $$'
	expect_ended wall
	run --json --wall 300 -- sh -c 'kill -STOP -1; kill -STOP $$'
	expect_ended wall
fi

if testcase "the wall limit ends a fork bomb"; then
	run --json --wall 700 --nproc 30 -- bash -c ':(){ :|:& };:; wait;
	    while :; do sleep 1; done' 2>/dev/null
	expect_status 124
	expect_json '.reason | IN("wall", "time")'
fi

if testcase "the wall limit ends daemons that hold the pipes"; then
	run --json --wall 300 -- perl -e '
	    for (1..5) { if (!fork) { setpgrp; sleep 30; exit } }
	    sleep 30'
	expect_ended wall
fi

if testcase "the wall limit ends a flood of output that nobody reads"; then
	mkfifo slow
	exec 9<>slow
	"${T_AS[@]}" "$MAYFLY" run --wall 500 --verdict verdict -- yes \
	    </dev/null >slow 2>err &
	pid=$!
	finish
	exec 9>&-
	expect_status 124
	expect_json '.reason == "wall"' verdict
fi

if testcase "the wall limit ends a flood of output that is read"; then
	mayfly run --wall 500 --time 60000 --verdict verdict -- yes \
	    </dev/null 2>err | cat >/dev/null
	status=${PIPESTATUS[0]}
	expect_status 124
	expect_json '.reason == "wall"' verdict
fi

if testcase "a process cannot have more memory than was asked for"; then
	run --json --mem 65536 -- perl -e '
	    $| = 1; print "started\n"; $n = shift; $x = "a" x $n;
	    sleep 60' 536870912
	expect_json '.stdout == "started\n"'
	expect_json '.reason == "memory" or .exit_code != 0'
	if jq -e '.enforced.mem == "cgroup"' out >/dev/null; then
		expect_ended memory
	fi
fi

if testcase "many processes cannot have more memory together"; then
	# Each stays below the limit, and none of them ends by itself.
	run --json --mem 131072 --wall 20000 -- perl -e '
	    for (1..8) {
		    if (!fork) { $x = "a" x (40 << 20); sleep 60; exit }
	    }
	    sleep 60'
	expect_ended memory
fi

if testcase "a big reservation is no use of memory" &&
    require "the number of mmap is x86-64's" [ "$(uname -m)" = x86_64 ]; then
	run --json -- perl -e '
	    # mmap of 64 GB without access and without reserve
	    $r = syscall(9, 0, 64 << 30, 0, 0x4022, -1, 0);
	    print $r == -1 ? "refused" : "reserved"'
	expect_json '.stdout == "reserved" and .reason == "exit"'
fi

if testcase "memory_kb is the peak of what was used"; then
	run --json -- perl -e '$x = "a" x (100 << 20); select undef, undef,
	    undef, 0.5'
	expect_status 0
	expect_json '.usage.memory_kb >= 90000'
	expect_json '.usage.memory_kb < 600000'
fi

if testcase "no file grows past fsize"; then
	run --fsize 100 -- perl -e '
	    $SIG{XFSZ} = "IGNORE"; open F, ">/tmp/f";
	    1 while syswrite F, "x" x 1000; print -s "/tmp/f"'
	expect_status 0
	check "out is not 102400" test "$(cat out)" = 102400
	run --fsize 100 -- perl -e 'open F, ">/tmp/f"; $n = 0;
	    1 while syswrite F, "x" x 1000'
	expect_status $((128 + 25))
fi

if testcase "a quarter of the stack bounds the arguments, and 6 MB do"; then
	# Does a program start with so many KB of them?
	ARGUMENTS='
	    @some = ("x" x 1019) x (shift);
	    exit 3 if !exec { "/bin/true" } "true", @some'
	while read -r stack kb want; do
		run --stack "$stack" -- perl -e "$ARGUMENTS" "$kb"
		[[ $status == "$want" ]] ||
		    fail "$kb KB with --stack $stack: $status, not $want"
	done <<-'END'
		2048 480 0
		2048 520 3
		65536 6000 0
		65536 6200 3
	END
fi

if testcase "the stack has the size asked for and cannot be raised"; then
	run --stack 512 -- bash -c 'ulimit -s; ulimit -Hs; ulimit -s 8192'
	check_not "it was raised" test "$status" -eq 0
	expect_out $'512\n512'
	run --stack 512 -- bash -c 'f() { f; }; f'
	expect_status 139
fi

if testcase "a process can open as many files as nofile says"; then
	run --nofile 20 -- perl -e '
	    while (open my $f, "<", "/dev/null") { push @f, $f }
	    print fileno($f[-1]), " $!\n"'
	expect_status 0
	expect_out "19 Too many open files"
	run --nofile 20 -- bash -c 'ulimit -n 21'
	check_not "it was raised" test "$status" -eq 0
fi

if testcase "the defaults of the table are in force"; then
	run -- bash -c 'ulimit -n; ulimit -s; ulimit -f'
	expect_out $'64\n8192\n10240'
fi

# CAP_SYS_RESOURCE, without which nobody raises a limit.
if [[ $AS == root ]] && (($(awk '/^CapEff/ { print "0x" $2 }' \
    /proc/self/status) >> 24 & 1)) &&
    testcase "root's own limits do not bound what it asks for"; then
	bash -c 'ulimit -n 40 -f 10 -s 1024; exec "$@"' bash \
	    "$MAYFLY" run --json --nofile 100 -- \
	    bash -c 'ulimit -n; ulimit -f; ulimit -s' </dev/null 2>err |
	    cat >out
	expect_json '.stdout == "100\n10240\n8192\n"'
fi

# Counts the children it can have at once, sleeping; $! tells why it stopped.
FORKS='for ($n = 0; $n < 300; $n++) {
	    defined($p = fork) or last; $p or (sleep(60), exit) }
    print "$n $!{EAGAIN}\n"'

# out holds "COUNT EAGAIN": COUNT more than LOW and at most HIGH.
expect_forks()
{
	local count why

	read -r count why <out
	((${count:-0} >= $1 && count <= $2)) ||
	    fail "${count:-no} children, not $1 to $2"
	[[ ${why:-} -gt 0 ]] || fail "fork did not fail with EAGAIN"
}

if testcase "a process over nproc sees fork fail, and that ends nothing"; then
	run -- true
	run --nproc 12 --verdict verdict -- perl -e "$FORKS"
	expect_status 0
	expect_json '.reason == "exit"' verdict
	expect_forks 9 11
fi

if testcase "64 processes is the default"; then
	run -- perl -e "$FORKS"
	expect_status 0
	expect_forks 60 63
fi

if testcase "nproc bounds a program that changes its user"; then
	run --nproc 12 -- perl -MPOSIX -e '
	    for ($n = 0; $n < 100; $n++) {
		    defined($p = fork) or last;
		    $p or (POSIX::setuid(1000 + $n), sleep(60), exit);
		    select undef, undef, undef, 0.01;
	    }
	    print "$n $!{EAGAIN}\n"'
	expect_status 0
	expect_forks 9 11
fi

if testcase "nproc counts threads" &&
    require "there is no python3" have python3; then
	run --nproc 12 -- "$PYTHON" -c '
import threading, time
n = 0
try:
    while n < 200:
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
        n += 1
except RuntimeError:
    pass
print(n, 1)'
	expect_forks 9 11
fi

if testcase "two sandboxes at once have nproc each"; then
	mkfifo hold
	exec 9<>hold
	"${T_AS[@]}" "$MAYFLY" run --nproc 12 -- sh -c '
	    for i in 1 2 3 4 5 6 7 8; do sleep 60 & done; echo; read x' \
	    <hold >first 2>&1 &
	pid=$!
	await "the first sandbox is full" test -s first
	run --nproc 12 -- perl -e "$FORKS"
	expect_forks 9 11
	echo >&9
	finish
	exec 9>&-
fi

# Writes to one directory after the other until each is full.
FILL='$| = 1; for $d (@ARGV) {
	    open F, ">$d/fill" or next;
	    while (1) {
		    $n = syswrite F, "x" x 4096 or last;
		    $sum += $n;
	    }
	    $why .= " " . ($!{ENOSPC} + 0 ? "full" : $!);
    } print int($sum / 1024), $why, "\n"'

if testcase "a run cannot write more than disk, wherever it writes"; then
	run --disk 4096 --fsize 100000 -- perl -e "$FILL" / /tmp /home \
	    /root /var/tmp /run /dev/shm /dev /etc
	expect_status 0
	read -r kb why <out
	((${kb:-0} >= 2048)) || fail "only ${kb:-nothing} KB, not 4096"
	((${kb:-0} <= 4608)) || fail "$kb KB, not 4096"
	[[ $why == full* ]] || fail "the file system is not full: $why"
fi

if testcase "a run cannot make files without end"; then
	run --disk 1024 -- perl -e '
	    $n = 0;
	    for $d (qw(/tmp /home /var/tmp /dev/shm)) {
		    mkdir "$d/many" or next;
		    while ($n < 300000) {
			    open F, ">$d/many/$n" or last; $n++;
		    }
		    $full += $!{ENOSPC};
	    }
	    print "$n\n"; exit !$full'
	expect_status 0
	read -r count <out
	((${count:-0} > 0 && count <= 16384)) || fail "${count:-no} files"
fi

if testcase "what a run has written is gone in the next"; then
	run -- sh -c 'echo x >/tmp/trace; echo x >/home/trace'
	run -- sh -c 'ls -A /tmp /home'
	expect_out_lacks trace
fi

if testcase "a program dies of a limit of its own and the run goes on"; then
	run -- bash -c 'ulimit -t 1; (while :; do :; done); echo $?'
	expect_status 0
	check "out is neither 137 nor 152" grep -qxE '137|152' out
fi

t_done
