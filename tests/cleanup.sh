#!/bin/bash
# Nothing is left behind, however a run ends. The harness looks for leftovers
# after every case; the cases here make the ends.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

if testcase "a signal to mayfly ends the run with 128+n and reason killed"
then
	for signal in TERM:15 INT:2 HUP:1; do
		mkfifo in
		exec 9<>in
		spawn run --verdict verdict -- sh -c 'echo up; exec sleep 60' \
		    <in
		await "the command runs" grep -q up out
		kill "-${signal%:*}" "$pid"
		finish
		exec 9>&-
		expect_status $((128 + ${signal#*:}))
		expect_json '.reason == "killed" and .exit_code == null' \
		    verdict
		expect_json '.signal == 9' verdict
		rm -f in verdict
	done
fi

if testcase "a signal to mayfly with --json still gives the JSON"; then
	mkfifo in
	exec 9<>in
	spawn run --json --bind "$PWD:/given" --bind-root -- sh -c '
	    echo partial; echo >/given/up; exec sleep 60' <in
	await "the command runs" test -e up
	kill -TERM "$pid"
	finish
	exec 9>&-
	expect_status 143
	expect_json '.reason == "killed" and .stdout == "partial\n"'
fi

if testcase "a command that ignores signals is ended with mayfly"; then
	spawn run -- perl -e '$| = 1; $SIG{$_} = "IGNORE" for keys %SIG;
	    print "up\n"; sleep 60 while 1' </dev/null
	await "the command runs" grep -q up out
	kill -TERM "$pid"
	finish
	expect_status 143
fi

if testcase "many signals at once are one end"; then
	spawn run --verdict verdict -- sh -c 'echo up; exec sleep 60' \
	    </dev/null
	await "the command runs" grep -q up out
	for _ in {1..20}; do
		kill -TERM "$pid" 2>/dev/null
		kill -INT "$pid" 2>/dev/null
	done
	finish
	expect_status 143 130
	expect_json '.reason == "killed"' verdict
fi

if testcase "SIGKILL of mayfly ends everything in the sandbox"; then
	spawn run -- sh -c '(setsid sleep 60 &) ; sleep 60 & echo up
	    exec sleep 60' </dev/null
	await "the command runs" grep -q up out
	kill -KILL "$pid"
	finish
	expect_status 137
fi

if testcase "SIGKILL of mayfly ends a fork bomb"; then
	spawn run --nproc 40 --wall 60000 --time 60000 -- \
	    bash -c 'echo up; :(){ :|:& };:; wait; sleep 60' </dev/null
	await "the command runs" grep -q up out
	sleep 0.2
	kill -KILL "$pid"
	finish
	expect_status 137
fi

if testcase "SIGKILL of mayfly ends stopped processes"; then
	spawn run -- sh -c 'echo up; kill -STOP $$' </dev/null
	await "the command runs" grep -q up out
	kill -KILL "$pid"
	finish
	expect_status 137
fi

if testcase "daemons die with the command"; then
	run -- perl -e '
	    for (1 .. 5) {
		    next if fork; setpgrp; open STDOUT, ">/dev/null";
		    open STDERR, ">/dev/null"; open STDIN, "/dev/null";
		    fork && exit; sleep 60; exit;
	    } exit 3'
	expect_status 3
fi

if testcase "shared memory and semaphores die with the command"; then
	run -- perl -e '
	    shmget(77, 65536, 01600) // die; semget(77, 4, 01600) // die;
	    msgget(77, 01600) // die; open F, ">/dev/shm/trace"; print F 1'
	expect_status 0
fi

if testcase "an orphan is reaped inside"; then
	run --nproc 20 --time 60000 -- perl -e '
	    for (1 .. 200) { fork || (fork || exit, exit); wait }
	    select undef, undef, undef, 0.2;
	    print scalar(grep { m{^/proc/\d+$} } glob "/proc/*"), "\n"'
	expect_status 0
	check "zombies are left" test "$(cat out)" -le 3
fi

if testcase "twenty runs at once all give their result"; then
	for i in {1..20}; do
		"${T_AS[@]}" "$MAYFLY" run -- sh -c "echo $i; exit $i" \
		    </dev/null >"out.$i" 2>"err.$i" &
		pids[i]=$!
	done
	for i in {1..20}; do
		wait "${pids[i]}"
		code=$?
		[[ $code == "$i" && $(cat "out.$i") == "$i" ]] ||
		    fail "run $i gave $code: $(head -c 200 "err.$i")"
	done
fi

if testcase "a run that fails in the middle leaves nothing"; then
	run --cwd /no/such -- true
	run --ro-bind /no/such:/x -- true
	run --ro-bind /usr:/etc/passwd/x -- true
	run -- no-such-command
	run --disk 64 --env "A=$(printf '%0100000d' 1)" -- true
fi

if testcase "nothing is left in the directory mayfly is called from"; then
	mkdir empty
	chmod 777 empty
	cd empty || exit 2
	mayfly run -- true </dev/null >/dev/null 2>&1
	cd ..
	check "something is there" test -z "$(ls -A empty)"
fi

if testcase "reap finds nothing to do and says nothing"; then
	mayfly reap </dev/null >out 2>err
	status=$?
	expect_status 0
	expect_no_err
	# Where there are cgroups, those of the cases above have gone now.
	for words in reap 'reap --dry-run'; do
		# shellcheck disable=SC2086
		mayfly $words </dev/null >out 2>err
		status=$?
		expect_status 0
		expect_no_out
		expect_no_err
	done
fi

if testcase "reap leaves a running sandbox alone"; then
	mkfifo in
	exec 9<>in
	spawn run -- sh -c 'echo up; read x; echo x >/tmp/f && exit 6' <in
	await "the command runs" grep -q up out
	mayfly reap </dev/null >reaped 2>&1
	echo >&9
	finish
	exec 9>&-
	expect_status 6
	check "it says: $(<reaped)" test ! -s reaped
fi

t_done
