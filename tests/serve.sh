#!/bin/bash
# What only `mayfly serve` does: mayfly-activator(8).
# as: root user
# shellcheck disable=SC2016 # programs in single quotes are for inside

WAY=serve
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/http/lib.sh"

if testcase "serve ends with its signals, and what runs ends too"; then
	for signal in TERM INT KILL; do
		server_start
		word=$signal-$$
		waiting "$word"
		kill "-$signal" "${SERVERS[-1]}"
		if [[ $signal != KILL ]]; then
			poll 200 eval '! kill -0 ${SERVERS[-1]}' ||
			    fail "SIG$signal: it goes on"
			stream_end
			check "SIG$signal: the end is $(tail -n 1 out)" \
			    jq -es '.[-1].reason == "killed"' out
		fi
		await "the run's end" gone_inside "$word"
		kill "$pid" 2>/dev/null
		server_stop
		check "the socket's path is in the way" server_start
		server_stop
	done
fi

if testcase "a signal that all of its processes hear is told to the client"; then
	# As Ctrl-C on a terminal and timeout(1) do.
	for signal in TERM INT; do
		server_start --default-signal=INT setsid
		word=all-$signal-$$
		waiting "$word"
		kill "-$signal" -- "-${SERVERS[-1]}"
		stream_end
		check "SIG$signal: the end is $(tail -n 1 out)" \
		    jq -es '.[-1].reason == "killed"' out
		await "the run's end" gone_inside "$word"
		server_stop
	done
fi

if testcase "serve says what is wrong with its options"; then
	while read -r options; do
		# shellcheck disable=SC2086
		mayfly serve $options </dev/null >out 2>err
		status=$?
		expect_status 64
		expect_err_has "^mayfly: serve: .*${options##* }"
	done <<-'END'
		--listen
		--listen nowhere
		--listen 127.0.0.1:x
		--listen 127.0.0.1:65536
		--listen 300.0.0.1:80
		--idle-exit
		--idle-exit -1
		--idle-exit x
		--none
		extra
	END
	mayfly serve --listen "$HTTP_TCP" </dev/null >out 2>err
	status=$?
	expect_status 125
	expect_err_has 'in use'
fi

if testcase "a server that stops leaves the socket of its successor"; then
	server_start
	old=${SERVERS[-1]}
	path=$HTTP_SOCKET
	rm "$path"
	"${T_AS[@]}" "$MAYFLY" serve --listen "$path" </dev/null 2>err &
	pid=$!
	await "the socket" test -S "$path"
	kill "$old"
	wait "$old"
	check "it has gone" test -S "$path"
	kill "$pid"
	wait "$pid"
	check_not "it has been left" test -S "$path"
	server_stop
fi

if testcase "serve goes on when nobody reads its log any more"; then
	mkfifo log.fifo
	exec 8<>log.fifo
	"${T_AS[@]}" env --default-signal=PIPE "$MAYFLY" serve \
	    --listen "$T_ROOT/sock/unread.sock" </dev/null 2>log.fifo 8<&- &
	pid=$!
	await "the socket" test -S "$T_ROOT/sock/unread.sock"
	exec 8<&-
	chmod 0666 "$T_ROOT/sock/unread.sock"
	for n in 1 2; do
		curl -sS --unix-socket "$T_ROOT/sock/unread.sock" -o answer \
		    http://localhost/health
		check "request $n: $(cat answer)" grep -q OK answer
	done
	check "it has ended" kill -0 "$pid"
	kill "$pid"
	wait "$pid"
fi

if testcase "serve ends when nothing was to do for so long"; then
	# Also where its caller's children end unseen.
	"${T_AS[@]}" env --ignore-signal=CHLD "$MAYFLY" serve --idle-exit 3 \
	    --listen "$T_ROOT/sock/idle.sock" </dev/null >out 2>err &
	pid=$!
	await "the socket" test -S "$T_ROOT/sock/idle.sock"
	chmod 0666 "$T_ROOT/sock/idle.sock"
	# A run longer than that is work.
	curl -sS --unix-socket "$T_ROOT/sock/idle.sock" -o answer -d \
	    '{"command": "sleep 3.5; echo a"}' -H \
	    'Content-Type: application/json' http://localhost/run
	check "the run was cut: $(cat answer)" grep -q '"a\\n"' answer
	check "it has ended too soon" kill -0 "$pid"
	finish
	expect_status 0
fi

if testcase "serve does not end while somebody is about to ask"; then
	"${T_AS[@]}" "$MAYFLY" serve --idle-exit 1 \
	    --listen "$T_ROOT/sock/about.sock" </dev/null >out 2>err &
	pid=$!
	await "the socket" test -S "$T_ROOT/sock/about.sock"
	chmod 0666 "$T_ROOT/sock/about.sock"
	"$PYTHON" - "$T_ROOT/sock/about.sock" >answer <<-'END'
		import socket, sys, time
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		time.sleep(2)
		s.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
		print(s.recv(4096).decode())
	END
	check "no answer: $(cat answer)" grep -q '200 OK' answer
	finish
	expect_status 0
fi

if testcase "serve takes sockets that systemd passes" &&
    require "there is no systemd-socket-activate" \
    have systemd-socket-activate; then
	port=$((HTTP_PORT + 90))
	"${T_AS[@]}" systemd-socket-activate -l "127.0.0.1:$port" \
	    -l "$T_ROOT/sock/passed.sock" \
	    -E MAYFLY_STATE_DIR -E MAYFLY_RUN_DIR -E MAYFLY_TOKENS \
	    -E MAYFLY_UID_BASE -E MAYFLY_UID_COUNT -E XDG_STATE_HOME \
	    "$MAYFLY" serve --idle-exit 3 </dev/null >out 2>err &
	pid=$!
	await "the socket" test -S "$T_ROOT/sock/passed.sock"
	for to in "" "--unix-socket $T_ROOT/sock/passed.sock"; do
		# shellcheck disable=SC2086
		curl -sS -o answer -d '{"command": "echo a"}' -H \
		    'Content-Type: application/json' $to \
		    "http://127.0.0.1:$port/run" 2>>curl
		check "not served: $to $(cat curl)" grep -q '"a\\n"' answer
	done
	finish
	expect_status 0
fi

http_look_back
t_done
