#!/bin/bash
# How `mayfly serve` takes connections, also those that ask for nothing.
# as: root user subuid

WAY=serve
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/http/lib.sh"

# What the server itself has used of the CPU.
ticks()
{
	awk '{ print $14 + $15 }' "/proc/${SERVERS[-1]}/stat"
}

# Root is not bound by that limit.
if ((T_UID != 0)) &&
    testcase "where no process can be made that is answered, and not tried for ever"
then
	server_start MAYFLY_POOL=3 prlimit --nproc=1:1
	log_mark
	http GET /health
	expect_code 500
	expect_json '.code == "sandbox_failed"'
	check "the log does not say why" \
	    eval 'log_since | grep -q "serve: fork: "'
	before=$(ticks)
	sleep 2
	used=$(($(ticks) - before))
	check "it used $used ticks of 200" test "$used" -lt 20
	server_stop
fi

if testcase "who only connects keeps nobody waiting, and has no process"; then
	server_start MAYFLY_POOL=0
	(
		ulimit -n 1200
		exec "$PYTHON" "$HTTP_DIR/client.py" hold "$HTTP_TCP" 1000
	) >said 2>&1 &
	pid=$!
	await "all have connected" test -e up
	check "they have processes: $(pgrep -cP "${SERVERS[-1]}")" \
	    test "$(pgrep -cP "${SERVERS[-1]}")" -le 1
	http GET /health
	expect_code 200
	http_run 'echo a'
	expect_json '.stdout == "a\n"'
	: >reset
	finish
	server_stop
fi

if testcase "who comes where no descriptor is left is served later, at no cost"; then
	server_start MAYFLY_POOL=0
	log_mark
	"${T_AS[@]}" prlimit --nofile=6: --pid "${SERVERS[-1]}"
	curl -sS --max-time "$T_PATIENCE" -o out "http://$HTTP_TCP/health" &
	pid=$!
	await "a word of it in the log" log_has 'serve: accept: .* file'
	before=$(ticks)
	sleep 2
	used=$(($(ticks) - before))
	check "it used $used ticks of 200" test "$used" -lt 20
	"${T_AS[@]}" prlimit --nofile=512: --pid "${SERVERS[-1]}"
	finish
	expect_status 0
	check "it is $(<out)" test "$(<out)" = OK
	server_stop
fi

if testcase "a connection is served whatever the number of its descriptor"; then
	"$PYTHON" - "$HTTP_TCP" >out 2>&1 <<-'END'
		import socket, sys
		host, port = sys.argv[1].rsplit(":", 1)
		held = []
		for n in range(40):
		    held.append(socket.create_connection((host, int(port))))
		    with socket.create_connection((host, int(port))) as s:
		        s.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
		        got = s.recv(100)
		    if not got.startswith(b"HTTP/1.1 200"):
		        print(n, got)
	END
	expect_no_out
fi

if testcase "a word that comes late is answered"; then
	{
		sleep 0.4
		printf 'GET /health HTTP/1.1\r\n'
		sleep 0.4
		printf 'Host: localhost\r\n\r\n'
		sleep 0.4
	} | "$PYTHON" "$HTTP_DIR/client.py" send "$HTTP_TCP" 5 >out 2>err
	check "the answer is $(head -n 1 out)" grep -q '^HTTP/1.1 200' out
fi

http_look_back
t_done
