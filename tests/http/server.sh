# shellcheck shell=bash
#
# How many run at once, and what is left between requests.
#
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/http/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if testcase "max_runs is how many run at once, exactly"; then
	server_start MAYFLY_MAX_RUNS=3
	for round in 1 2; do
		word=many$round-$$
		script "exec perl -e 'sleep 600' $word" '{wall: 60000}' >request
		for i in {1..12}; do
			curl -sS -o "out.$i" -w '%{http_code}\n' --data-binary \
			    @request -H 'Content-Type: application/json' \
			    -H 'Accept: application/x-ndjson' \
			    "http://$HTTP_TCP/run" >"code.$i" 2>>err &
			pids[i]=$!
		done
		await "nine refusals" \
		    eval '(($(cat code.* | grep -c 503) >= 9))'
		await "three runs" eval '(($(inside $word | wc -l) == 3))'
		cat out.* | jq -sr '.[] | .code // empty' | sort -u >codes
		check "the codes are $(xargs <codes)" \
		    test "$(cat codes)" = too_many_runs
		# What runs nothing is still answered.
		http GET /sessions
		expect_code 200
		kill "${pids[@]}" 2>/dev/null
		wait "${pids[@]}"
		await "their end" gone_inside "$word"
		rm -f code.* out.*
	done
	await "room for more" eval 'http POST /run "{\"command\": \"true\"}"
	    [[ $code == 200 ]]'
	server_stop
fi

# burst COUNT PATH BODY REFUSED
burst()
{
	"$PYTHON" "$HTTP_DIR/burst.py" "$HTTP_TCP" "$@" >out 2>err ||
	    fail "burst.py ended with $?"
	expect_no_err
}

# From one address systemd lets 64 connect.
MANY=500
[[ $WAY != systemd ]] || MANY=60

if testcase "of hundreds at once exactly max_runs run, the others get 503"
then
	server_start MAYFLY_MAX_RUNS=10
	for _ in 1 2; do
		burst "$MANY" /run '{"wall": 600000,
		    "command": ["perl", "-e", "sleep 600", "many-'$$'"]}' \
		    $((MANY - 10))
		expect_out "10 200 -
$((MANY - 10)) 503 too_many_runs"
		await "their end" gone_inside "many-$$"
	done
	server_stop
fi

if testcase "as many clients as max_runs are never refused"; then
	server_start MAYFLY_MAX_RUNS=6
	burst 6 /run '{"command": ["true"]}' again 60
	expect_out "360 200 -"
	server_stop
fi

if testcase "of hundreds at once exactly max_sessions come to be"; then
	server_start MAYFLY_MAX_SESSIONS=10
	burst "$MANY" /sessions '{}' 0
	expect_out "10 201 -
$((MANY - 10)) 503 too_many_sessions"
	http GET /sessions
	expect_json 'length == 10'
	jq -r '.[].id' out >ids
	# One that goes makes room for one.
	read -r first <ids
	http DELETE "/sessions/$first"
	expect_code 204
	burst 20 /sessions '{}' 0
	expect_out "1 201 -
19 503 too_many_sessions"
	http GET /sessions
	for id in $(jq -r '.[].id' out); do
		http DELETE "/sessions/$id"
	done
	server_stop
fi

if testcase "who cannot wait to hear that there is no room hears that"; then
	server_start MAYFLY_MAX_SESSIONS=1 MAYFLY_SESSION_WAIT=100
	http POST /sessions '{}'
	expect_code 201
	id=$(jq -r .id out)
	# As if hundreds were before it.
	exec 8<"$HTTP_STATE/sessions"
	flock 8
	http POST /sessions '{}'
	expect_error 503 too_many_sessions
	exec 8<&-
	http DELETE "/sessions/$id"
	server_stop
fi

if testcase "between requests nothing runs"; then
	http POST /run '{"command": "(setsid sleep 600 &); echo a"}'
	expect_code 200
	http GET /nothing
	echo | raw
	await "the last one's end" eval '[[ -z $(serving) ]]'
fi

if testcase "a client that says nothing costs nobody else anything"; then
	"$PYTHON" "$HTTP_DIR/client.py" hold "$HTTP_TCP" 100 </dev/null &
	idle=$!
	await "a hundred connections" test -e up
	http POST /run '{"command": "echo a"}'
	expect_json '.stdout == "a\n"'
	kill -KILL "$idle"
	wait "$idle"
	await "their end" eval '[[ -z $(serving) ]]'
fi

if testcase "a thousand connections that come and go leave nothing"; then
	PYTHONPATH=$HTTP_DIR "$PYTHON" - "$HTTP_TCP" <<-'END'
		import sys, client
		for i in range(1000):
		    s = client.connect(sys.argv[1], i)
		    if i % 3:
		        s.sendall(b"GET /hea" if i % 3 == 1 else
		            b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
		    s.close()
	END
	http POST /run '{"command": "echo a"}'
	expect_json '.stdout == "a\n"'
	poll 400 eval '[[ -z $(serving) ]]'
	check "$(serving | wc -l) are left" test -z "$(serving)"
fi

if long && testcase "a client that does not take its answer is left"; then
	script 'head -c 900000 /dev/zero' | post '*/*' >request
	"$PYTHON" "$HTTP_DIR/client.py" hold "$HTTP_TCP" 1 HTTP/1.1 <request &
	idle=$!
	await "a part of the answer" test -e up
	poll 1200 eval '[[ -z $(serving) ]]' || fail "it is waited for"
	check "the client has gone" kill -0 "$idle"
	kill -KILL "$idle"
	wait "$idle"
fi
