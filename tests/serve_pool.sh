#!/bin/bash
# Sandboxes that `mayfly serve` has ready before anybody asks for one.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside
# shellcheck disable=SC2119,SC2120,SC2317 # what is left out is the usual

WAY=serve
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/http/lib.sh"

# The brokers of the pool. Each has a front and a sandbox's PID 1, and that one
# the command's process.
members()
{
	local pid

	for pid in $(pgrep -P "${SERVERS[-1]}"); do
		(($(pgrep -cP "$pid") < 2)) || echo "$pid"
	done
}

# Nothing is served, and all are there.
is_filled()
{
	[[ $(members | wc -l) == "${1:-3}" &&
	$(pgrep -cP "${SERVERS[-1]}") == "${1:-3}" ]]
}

filled()
{
	await "all are ready" is_filled "$@"
}

# Each case has a server of its own, whose pool goes with it.
pool_start()
{
	server_start MAYFLY_POOL="${1:-3}"
}

# How old the command's process is, in hundredths of a second.
AGE='read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ born _ </proc/self/stat
    read -r up _ </proc/uptime; echo $((${up%.*}${up#*.} - born))'

age()
{
	filled
	sleep 0.5
	http_run "$AGE" "${1:-{\}}"
	expect_code 200
	age=$(jq -r .stdout out)
}

# The request was answered from the pool, or not.
expect_ready()
{
	age "$1"
	((age >= 40)) || fail "it was not ready: $1: $(head -c 200 out)"
}

expect_cold()
{
	age "$1"
	((age < 40)) || fail "it was the pool's: $1: $age"
}

if testcase "a run finds its sandbox ready"; then
	pool_start
	expect_ready '{}'
	expect_ready '{"network": "off"}'
	expect_ready '{"cwd": "/tmp", "env": {"A": "b"}, "stdin": "x"}'
	expect_ready '{"wall": 3000, "time": 2000, "mem": 1000000}'
	expect_ready '{"fsize": 1, "stack": 1000, "nofile": 20}'
	expect_ready '{"files": [{"path": "f", "content": "x"}],
	    "collect": ["f"]}'
	expect_ready "$(jq -cn '{env: {LONG: ("x" * 50000)}}')"
	server_stop
fi

if testcase "what does not fit is built as always"; then
	pool_start
	expect_cold '{"user": "1000:1000"}'
	expect_cold '{"disk": 1000}'
	expect_cold '{"nproc": 20}'
	expect_cold "$(jq -cn '{env: {LONG: ("x" * 70000)}}')"
	session
	filled
	in_session 'echo a >/root/f; cat /root/f'
	expect_json '.stdout == "a\n"'
	filled
	in_session 'cat /root/f'
	expect_json '.stdout == "a\n"'
	forget
	server_stop
fi

# Everything of a sandbox that its command can see, but for what is chance.
SEEN='id; pwd; env | sort; cat; stat -c "%n %A %u %g" / /* /dev/* /root
    ls -A /tmp /root; cat /etc/passwd /etc/hosts; hostname
    grep -E "Cap|NoNew|Seccomp|Sig" /proc/self/status; ulimit -a
    cut -d " " -f 5-6 /proc/self/mountinfo; ls -l /proc/self/fd | wc -l
    cat /proc/self/limits /proc/net/dev; ps -e 2>/dev/null
    readlink /proc/1/cwd /proc/1/root /proc/1/exe; nproc; umask
    ls /proc/sys/net/ipv4 | wc -l; cat /proc/sys/net/ipv4/ip_unprivileged*'

if testcase "a run that was waited for is like any other"; then
	pool_start
	for fields in '{}' '{"network": "off"}' '{"cwd": "/tmp"}' \
	    '{"env": {"A": "b", "HOME": "/x"}, "stdin": "in"}' \
	    '{"nofile": 30, "fsize": 100, "stack": 1024, "time": 3000}'; do
		filled
		http_run "$SEEN" "$fields"
		expect_code 200
		jq -r '.stdout, .stderr, .enforced' out >ready
		server_start MAYFLY_POOL=0
		http_run "$SEEN" "$fields"
		expect_code 200
		jq -r '.stdout, .stderr, .enforced' out >cold
		server_stop
		cmp -s ready cold ||
		    fail "$fields: $(diff ready cold | head -n 20)"
		[[ $(wc -l <ready) -gt 60 ]] || fail "nothing was seen"
	done
	server_stop
fi

if testcase "files, input and output of a run that was waited for"; then
	pool_start
	filled
	script 'cat f g/h; cat; echo x >made; echo e >&2; exit 7' '{
	    "cwd": "/tmp", "stdin": "in\n", "files": [
	    {"path": "f", "content": "one\n"},
	    {"path": "g/h", "base64": "dHdvCg==", "mode": "0600"}],
	    "collect": ["made", "none", "f"]}' >request
	http POST /run @request
	expect_json '.stdout == "one\ntwo\nin\n" and .stderr == "e\n" and
	    .exit_code == 7 and ([.files[].path] == ["made", "f"]) and
	    .files[0].content == "x\n"'
	filled
	http POST /run '{"command": ["/no/such"]}'
	expect_json '.exit_code == 127'
	filled
	http POST /run '{"command": ["true"], "cwd": "/no"}'
	expect_code 422
	filled
	http POST /run '{"command": ["true"], "cwd": "/proc/self/fd/5"}'
	expect_code 422
	filled
	http POST /run '{"command": ["true"],
	    "files": [{"path": "/proc/x", "content": ""}]}'
	expect_code 422
	server_stop
fi

if testcase "limits of a run that was waited for hold"; then
	pool_start
	filled
	http_run 'sleep 100' '{"wall": 300}'
	expect_json '.reason == "wall" and .usage.wall_ms < 5000'
	filled
	http_run 'while :; do :; done' '{"time": 200}'
	expect_json '.reason == "time"'
	filled
	http_run 'head -c 3000000 /dev/zero' '{"output": 1000}'
	expect_json '.reason == "output" and (.stdout | length) <= 1000'
	filled
	http_run 'ulimit -n; head -c 3000 /dev/zero >/tmp/f; ls -s /tmp/f' \
	    '{"nofile": 17, "fsize": 2}'
	expect_json '.stdout | startswith("17\n")'
	filled
	http_run 'x=; while :; do x=$x$(head -c 1000000 /dev/zero | tr "\0" x)
	    done' '{"mem": 100000, "time": 20000}'
	expect_json '.reason == "memory" or (.exit_code == 2)'
	server_stop
fi

if testcase "network off: no socket, in a sandbox that was waited for as well"; then
	pool_start
	filled
	http POST /run "$(jq -cn --arg p 'import socket
for f, t in ((2, 1), (2, 2), (10, 1), (1, 1), (1, 2), (16, 3), (17, 3)):
    try: socket.socket(f, t); print("made", f, t)
    except OSError as e: pass
try: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); print("datagrams")
except OSError: pass
a, b = socket.socketpair(); a.send(b"x"); print(b.recv(1))
' '{command: ["python3", "-c", $p], network: "off", nofile: 100}')"
	expect_json '.stdout == "b'"'x'"'\n"'
	server_stop
fi

if [[ $AS == root ]] &&
    testcase "what does not fit has a place of its own and no second one"; then
	server_start MAYFLY_POOL=2 MAYFLY_UID_COUNT=$((8 * 65536))
	filled 2
	http_run 'sleep 4; echo a' '{"disk": 2000}'
	pids=()
	for n in 1 2 3 4 5 6; do
		curl -sS "http://$HTTP_TCP/run" -H \
		    'Content-Type: application/json' -d @request -o "out.$n" &
		pids+=($!)
		sleep 0.3
	done
	check "the dead stay" eval '! ps -eo stat,args | grep "^Z.*mayfl[y]"'
	wait "${pids[@]}"
	for n in 1 2 3 4 5 6; do
		check "run $n: $(<"out.$n")" grep -q '"stdout":"a' "out.$n"
	done
	server_stop
fi

if [[ $AS == root ]] &&
    testcase "who has an answer can ask again, where there is place for one"; then
	server_start MAYFLY_POOL=0 MAYFLY_UID_COUNT=65536 MAYFLY_MAX_RUNS=1
	"$PYTHON" - "$HTTP_TCP" >out 2>&1 <<-'END'
		import socket, sys
		host, port = sys.argv[1].rsplit(":", 1)
		body = b'{"command": ["true"]}'
		request = (b"POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type:"
		    b" application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
		    + body)
		def connect():
		    s = socket.create_connection((host, int(port)))
		    s.sendall(request[:20])
		    return s
		following = connect()
		for n in range(100):
		    s, following = following, connect()
		    s.sendall(request[20:])
		    got = s.recv(65536)
		    if not got.startswith(b"HTTP/1.1 200"):
		        print(n, got)
	END
	expect_no_out
	server_stop
fi

# The networks that the server has for runs without sockets.
spares()
{
	find "/proc/${SERVERS[-1]}/fd" -lname 'net:*' -printf '%l\n'
}

if [[ $AS == root ]] &&
    testcase "runs without sockets have a network each, of those there are"; then
	pool_start 1
	filled 1
	await "the networks" eval '(($(spares | wc -l) == 16))'
	spares >all
	for _ in 1 2 3; do
		http_run "readlink /proc/self/ns/net" \
		    '{"network": "off", "disk": 1000}'
		jq -r .stdout out | grep -Fxf - all >/dev/null ||
		    fail "it is none of them: $(<out)"
	done
	# One has sockets that the other would see.
	jq -cn --arg p 'import os, socket, time
pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM) for n in range(30)]
print(os.readlink("/proc/self/ns/net"), len(open("/proc/net/unix").readlines()),
    flush=True); time.sleep(100)' \
	    '{command: ["python3", "-c", $p], network: "off", disk: 1000,
	    nofile: 100}' >request
	curl -sN "http://$HTTP_TCP/run" -H 'Accept: application/x-ndjson' \
	    -H 'Content-Type: application/json' -d @request >events &
	pid=$!
	await "its sockets" grep -q 'net:.* 61' events
	http_run 'readlink /proc/self/ns/net; wc -l </proc/net/unix' \
	    '{"network": "off", "disk": 1000}'
	jq -r .stdout out >seen
	check "it sees them: $(<seen)" test "$(sed -n 2p seen)" = 1
	check "it is the same" eval '! grep -qF "$(head -n 1 seen)" events'
	check "it is none of them" grep -Fxq "$(head -n 1 seen)" all
	kill "$pid"
	finish
	server_stop
fi

if testcase "each is for one run, and nothing of that is seen by the next"; then
	pool_start
	for n in 1 2 3 4 5 6 7; do
		http_run 'ls /tmp /root; cat /dev/shm/s 2>&1 | wc -l
		    echo '$n' >/tmp/f; echo x >/root/g; echo s >/dev/shm/s
		    sleep 1000 & echo $$'
		expect_json '.stdout | startswith("/root:\n\n/tmp:\n1\n")'
	done
	filled
	check "something still runs" gone_inside 'sleep 1000'
	server_stop
fi

# The last of each is what the others lead to.
victim()
{
	local broker

	broker=$(members | shuf -n 1)
	case $1 in
	broker) echo "$broker" ;;
	front) pgrep -P "$broker" | head -n 1 ;;
	init) pgrep -P "$broker" | tail -n 1 ;;
	command) pgrep -P "$(pgrep -P "$broker" | tail -n 1)" ;;
	esac
}

if testcase "whichever of its processes is killed, requests are answered"; then
	pool_start
	for which in broker front init command; do
		for _ in 1 2 3; do
			filled
			kill -KILL "$(victim "$which")" 2>/dev/null
			http_run 'echo a'
			# Its own may have been the one, if it was that quick.
			[[ $code == 200 ]] || http_run 'echo a'
			expect_json '.stdout == "a\n"'
		done
	done
	log_mark
	for which in front init; do
		filled
		kill -KILL "$(victim "$which")"
		[[ $which == front ]] || which="sandbox's first process"
		await "the word about the $which" \
		    log_has "ready: the $which ended before a connection came"
	done
	filled
	server_stop
fi

if testcase "nothing is left of the pool when the server is killed"; then
	pool_start
	filled
	members >before
	check "there is none" test -s before
	server_kill
	for pid in $(<before); do
		await "process $pid has ended" eval "! kill -0 $pid 2>/dev/null"
	done
	server_stop
	mayfly reap </dev/null >out 2>err
fi

# The server has a /proc/meminfo of its own, which says that so many KB are left.
meminfo()
{
	sed "s/^MemAvailable:.*/MemAvailable: $1 kB/" /proc/meminfo >meminfo
}

if [[ $AS == root ]] &&
    testcase "there is no pool where memory is short, and one again after that"; then
	meminfo 4000000
	# shellcheck disable=SC2034 # server_start's
	T_AS=(unshare --mount sh -c
	    'mount --bind meminfo /proc/meminfo && exec "$@"' sh)
	pool_start
	# shellcheck disable=SC2034
	T_AS=()
	filled
	meminfo 1000
	await "it is dropped" is_filled 0
	http_run 'echo a'
	expect_json '.stdout == "a\n"'
	meminfo 4000000
	filled
	server_stop
fi

if testcase "a command that is killed while it waits is no run's"; then
	pool_start 1
	filled 1
	members >before
	kill -KILL "$(pgrep -P "$(pgrep -P "$(<before)" | tail -n 1)")"
	http_run 'echo a'
	[[ $code == 200 ]] || http_run 'echo a'
	expect_json '.stdout == "a\n"'
	server_stop
fi

http_look_back
t_done
