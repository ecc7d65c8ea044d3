#!/bin/bash
# The three streams: mayfly(1).
# as: root user
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

ends_by_itself()
{
	if ! poll 400 ended; then
		fail "$1"
		kill -KILL "$pid" 2>/dev/null
	fi
	wait "$pid"
	status=$?
}

if testcase "stdout and stderr stay separate"; then
	run -- sh -c 'echo one; echo two >&2; echo three; echo four >&2'
	expect_status 0
	expect_out $'one\nthree'
	check "err is not two, four" cmp err <(printf 'two\nfour\n')
fi

if testcase "a line is seen before the command ends"; then
	mkfifo in
	exec 9<>in
	spawn run -- sh -c 'echo first; echo err >&2; read x; echo "$x"' <in
	await "the first line" grep -qx first out
	await "the line on stderr" grep -qx err err
	check_not "the command has ended" ended
	echo second >&9
	finish
	exec 9>&-
	expect_status 0
	expect_out $'first\nsecond'
fi

if testcase "a part of a line is seen as well"; then
	mkfifo in
	exec 9<>in
	spawn run -- sh -c 'printf prompt; read x' <in
	await "the prompt" grep -qx prompt out
	echo >&9
	finish
	exec 9>&-
	expect_status 0
fi

if testcase "the command sees input as it comes"; then
	mkfifo in
	exec 9<>in
	spawn run -- sh -c 'while read x; do echo "<$x>"; done' <in
	echo a >&9
	await "the first answer" grep -qx '<a>' out
	echo b >&9
	await "the second answer" grep -qx '<b>' out
	exec 9>&-
	finish
	expect_status 0
fi

if testcase "every byte passes in and out unchanged"; then
	perl -e 'for $i (0 .. 255) { print map chr($_ ^ $i), 0 .. 255 }' >all
	mayfly run -- cat <all >out 2>err
	status=$?
	expect_status 0
	check "stdout differs" cmp all out
	mayfly run -- sh -c 'cat >&2' <all >out 2>err
	check "stderr differs" cmp all err
	expect_no_out
fi

if testcase "the end of input is seen"; then
	mayfly run -- cat < <(printf abc) >out 2>err
	status=$?
	expect_status 0
	check "out is not abc" cmp out <(printf abc)
	run -- wc -c
	expect_out 0
fi

if testcase "a closed stdin is an empty one"; then
	mayfly run -- cat <&- >out 2>err
	status=$?
	expect_status 0
	expect_no_out
	expect_no_err
fi

if testcase "a closed stdout ends nothing and mixes nothing up"; then
	mayfly run -- sh -c 'echo lost; echo err >&2' </dev/null >&- 2>err
	status=$?
	check_not "stdout went elsewhere" grep -q lost err
	check_not "mayfly died of a signal" test "$status" -gt 128
	mayfly run --verdict verdict -- sh -c 'echo lost' </dev/null >&- 2>err
	check_not "stdout went into the verdict" grep -q lost verdict
fi

if testcase "mayfly runs with all its descriptors closed"; then
	mayfly run -- sh -c 'exit 3' <&- >&- 2>&-
	status=$?
	# Its own messages have nowhere to go, but its exit code has.
	expect_status 3
fi

if testcase "a command that never reads its input ends all the same"; then
	mayfly run -- true < <(head -c 10000000 /dev/zero) >out 2>err
	status=$?
	expect_status 0
	mayfly run -- true < <(exec yes) >out 2>err
	status=$?
	expect_status 0
	mkfifo in
	exec 9<>in
	spawn run -- sh -c 'exit 5' <in
	ends_by_itself "an open and silent stdin holds the run"
	exec 9>&-
	expect_status 5
fi

if testcase "a command that closes its input is not waited for"; then
	mayfly run -- sh -c 'exec <&-; echo on' < <(exec yes) >out 2>err
	status=$?
	expect_status 0
	expect_out on
fi

if testcase "a reader that goes away ends the flood"; then
	mayfly run --time 600000 --wall 600000 -- yes </dev/null 2>err |
	    head -n 1 >out
	expect_out y
fi

if testcase "a reader that goes away does not stop the other stream"; then
	mayfly run -- sh -c 'trap "" PIPE
	    echo 1; echo 2 >&2; i=0; while [ $i -lt 2000 ]; do
	    echo more; i=$((i+1)); done 2>/dev/null; echo last >&2' \
	    </dev/null 2>err | head -n 1 >out
	expect_out 1
	expect_err_has 2
fi

if testcase "a slow reader loses nothing"; then
	mayfly run -- seq 300000 </dev/null 2>err | (sleep 0.5; cat) >out
	check "out differs" cmp out <(seq 300000)
fi

if testcase "much on both streams at once does not deadlock"; then
	mayfly run -- perl -e '
	    for (1 .. 500) { syswrite STDOUT, "o" x 20000;
	    syswrite STDERR, "e" x 20000 }' </dev/null >out 2>err
	status=$?
	expect_status 0
	check "out is short" test "$(stat -c %s out)" = 10000000
	check "err is short" test "$(stat -c %s err)" = 10000000
fi

if testcase "much in and out at once does not deadlock"; then
	head -c 30000000 /dev/urandom >data
	mayfly run -- cat <data 2>err | cat >out
	check "out differs" cmp data out
fi

if [[ $AS == root || $EUID != 0 ]] &&
    testcase "1 GiB passes and mayfly's memory does not grow"; then
	mkfifo in
	exec 9<>in
	"${T_AS[@]}" "$MAYFLY" run --time 600000 --wall 600000 -- sh -c '
	    head -c 1073741824 /dev/zero; read x' <in 2>err |
	    head -c 1073741824 | wc -c >count &
	poll 1200 test -s count || fail "1 GiB did not arrive in a minute"
	# All that mayfly is outside, and the first process inside.
	seen=0
	for one in $(leaks_mayflies); do
		high=$(awk '/^VmHWM:/ { print $2 }' "/proc/$one/status")
		((${high:-0} < 16384)) || fail "process $one took $high KB"
		seen=$((seen + 1))
	done
	((seen > 0)) || fail "there was no mayfly to look at"
	echo >&9
	wait
	exec 9>&-
	check "not 1 GiB came out" test "$(cat count)" = 1073741824
fi

if testcase "a daemon that holds the pipes does not hold the run"; then
	"${T_AS[@]}" "$MAYFLY" run -- perl -e '
	    if (!fork) { setpgrp; sleep 600; exit } print "hi\n"; exit 4' \
	    </dev/null >out 2>err &
	pid=$!
	ends_by_itself "the daemon holds the run"
	expect_status 4
	expect_out hi
fi

if testcase "what the command wrote before its end is never lost"; then
	wrong=0
	for _ in {1..40}; do
		run -- sh -c 'head -c 60000 /dev/zero; echo end >&2'
		[[ $(stat -c %s out) == 60000 && -s err ]] ||
		    wrong=$((wrong + 1))
	done
	((wrong == 0)) || fail "lost in $wrong of 40 runs"
fi

if testcase "the command has descriptors 0, 1 and 2 and no other"; then
	mayfly run -- perl -e '
	    for (0 .. 200) { print " $_" if -e "/proc/self/fd/$_" }' \
	    </dev/null >out 2>err 3</etc/passwd 8>extra 77</ 150<&0
	check "out is not 0 1 2" test "$(cat out)" = " 0 1 2"
fi

if testcase "the caller's descriptors do not enter the sandbox"; then
	echo secret >input
	chmod 644 input
	mayfly run -- perl -e '
	    print readlink("/proc/self/fd/$_"), "\n" for 0 .. 2' \
	    <input >out 2>err
	check "a stream is not a pipe" \
	    test "$(grep -c '^pipe:' out)" = 3
fi

if testcase "the caller's streams keep their modes"; then
	mkfifo through
	exec 9<>through
	mayfly run -- true <&9 >&9 2>err
	flags=$(sed -n 's/^flags:[[:space:]]*//p' "/proc/$$/fdinfo/9")
	(((8#$flags & 8#4000) == 0)) || fail "O_NONBLOCK was left set"
	exec 9>&-
fi

if testcase "a caller's stream in non-blocking mode loses nothing"; then
	mkfifo through
	exec 9<>through
	perl -MFcntl -e '
	    fcntl STDIN, F_SETFL, O_NONBLOCK | fcntl STDIN, F_GETFL, 0' <&9
	(sleep 0.3; exec head -c 500000 <through >out) &
	reader=$!
	mayfly run -- head -c 500000 /dev/zero </dev/null >&9 2>err
	status=$?
	expect_status 0
	wait "$reader"
	exec 9>&-
	check "out is short" test "$(stat -c %s out)" = 500000
fi

if testcase "the command starts with no signal ignored or blocked"; then
	perl -MPOSIX -e '
	    $SIG{$_} = "IGNORE" for qw(PIPE INT HUP CHLD USR1);
	    sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGTERM, SIGUSR2));
	    exec @ARGV' "${T_AS[@]}" "$MAYFLY" run -- \
	    grep -E '^Sig(Ign|Blk):' /proc/self/status </dev/null >out 2>err
	status=$?
	expect_status 0
	check "out is not 0, 0" test "$(grep -cE '\s0{16}$' out)" = 2
	check "stderr is not empty" test ! -s err
fi

if testcase "output to a file that is appended to is appended"; then
	echo before >log
	chmod 666 log
	mayfly run -- echo after </dev/null >>log 2>err
	check "log is not before, after" cmp log <(printf 'before\nafter\n')
fi

t_done
