# shellcheck shell=bash
#
# How long a session lives, and what happens in it at once.
#
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/http/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if testcase "an expired session is not there, reaped or not"; then
	session '{"ttl": 1}'
	idle=$id
	session "{\"expires\": \"$(date -u -d '+2 seconds' +%FT%TZ)\"}"
	dated=$id
	session '{"ttl": 2}'
	# Idle time counts from the end of a run.
	in_session 'sleep 2.5'
	http GET "/sessions/$id"
	expect_code 200
	await "the idle one" eval 'http GET "/sessions/$idle"; [[ $code == 404 ]]'
	await "the dated one" \
	    eval 'http GET "/sessions/$dated"; [[ $code == 404 ]]'
	await "the third" eval 'http GET "/sessions/$id"; [[ $code == 404 ]]'
	for one in "$idle" "$dated" "$id"; do
		http POST "/sessions/$one/run" '{"command": "true"}'
		expect_error 404 not_found
		http POST "/sessions/$one/ttl" '{"ttl": 100}'
		expect_error 404 not_found
	done
	http GET /sessions
	expect_json '. == []'
fi

if testcase "a session lives for its time at least"; then
	session
	keep=$id
	for _ in 1 2 3; do
		# Where seconds are counted whole, the worst moment.
		perl -MTime::HiRes=time,sleep -e 'sleep(0.93 - (time - int time))
		    if time - int(time) < 0.93'
		began=${EPOCHREALTIME/./}
		session '{"ttl": 1}'
		sleep 0.1
		http GET "/sessions/$id"
		((${EPOCHREALTIME/./} - began > 900000)) || expect_code 200
	done
	forget "$keep"
fi

if testcase "runs in one session take turns"; then
	session
	script 'test ! -e /root/on && touch /root/on && sleep 0.2 &&
	    rm /root/on && echo x >>/root/count' >request
	for i in 1 2 3 4; do
		curl -sS -o "out.$i" -H 'Content-Type: application/json' \
		    --data-binary @request \
		    "http://$HTTP_TCP/sessions/$id/run" 2>>err &
		pids[i]=$!
	done
	wait "${pids[@]:1}"
	cat out.? >out
	check "not all went well" test "$(grep -c '"exit_code": *0' out)" = 4
	in_session 'wc -l </root/count'
	expect_json '.stdout == "4\n"'
	forget
fi

if testcase "who waits too long for a turn gets 409"; then
	server_start MAYFLY_SESSION_WAIT=300
	session
	word=busy-$$
	stream "/sessions/$id/run" "$(script "exec perl -e 'sleep 60' $word")"
	await "the first run" runs_inside "$word"
	in_session true
	expect_error 409 session_busy
	# What does not run in it does not wait.
	http GET "/sessions/$id"
	expect_code 200
	http POST "/sessions/$id/env" '{"env": {"A": "1"}}'
	expect_code 200
	http POST "/sessions/$id/ttl" '{"ttl": 100}'
	expect_code 200
	kill -KILL "$pid"
	await "its end" gone_inside "$word"
	in_session 'echo $A'
	expect_json '.stdout == "1\n"'
	forget
	server_stop
fi

if testcase "removing a session ends what runs in it"; then
	word=killed-$$
	# On a busy machine anything may take a second once.
	for _ in 1 2 3; do
		session
		stream "/sessions/$id/run" "$(script "echo up; exec perl -e '
		    \$SIG{\$_} = q(IGNORE) for keys %SIG; sleep 60 while 1' \
		    $word")"
		await "the run" eval 'grep -q up events && runs_inside $word'
		http DELETE "/sessions/$id" '' \
		    -w '%{stderr}%{time_total}\n%{stdout}%{http_code}'
		expect_code 204
		took=$(cat err)
		stream_end
		awk '{ exit $1 < 1 }' <<<"$took" || break
	done
	check "it took $took s" awk '{ exit $1 >= 1 }' <<<"$took"
	check "the last event is $(tail -n 1 out)" jq -es '.[-1] |
	    .type == "exit" and .reason == "killed" and .exit_code == null and
	    .signal == 9' out
	check "it runs on" gone_inside "$word"
	http GET "/sessions/$id"
	expect_error 404 not_found
	# And one that waits for its turn then finds no session.
	session
	stream "/sessions/$id/run" "$(script "exec perl -e 'sleep 60' $word")"
	await "the run" runs_inside "$word"
	script true >request
	curl -sS -o waited -H 'Content-Type: application/json' \
	    --data-binary @request "http://$HTTP_TCP/sessions/$id/run" &
	waiter=$!
	sleep 0.3
	forget
	wait "$waiter"
	check "it is answered $(cat waited)" \
	    jq -e '.code == "not_found"' waited
	stream_end
fi

if testcase "a session outlives the server, also one that is killed"; then
	server_start
	session '{"env": {"A": "1"}}'
	in_session 'echo kept >/root/f'
	word=outlived-$$
	stream "/sessions/$id/run" "$(script "exec perl -e 'sleep 60' $word")"
	await "the run" runs_inside "$word"
	server_kill
	server_stop
	stream_end
	await "the run's end" gone_inside "$word"
	in_session 'cat /root/f; echo $A'
	expect_json '.stdout == "kept\n1\n"'
	forget
fi

if testcase "whatever many clients do at once, no session is lost or shared"
then
	count=150
	! long || count=1000
	log_mark
	if ! "$PYTHON" "$HTTP_DIR/storm.py" "$HTTP_TCP" "$count" >out 2>&1; then
		fail "this happened:"
		detail "$(log_since | grep -avE 'status=(20|404|409)' |
		    tail -n 5)"
	fi
fi

if testcase "there is an end to the number of sessions"; then
	server_start MAYFLY_MAX_SESSIONS=3
	for i in {1..8}; do
		curl -sS -o "out.$i" -w '%{http_code}\n' -d '{}' \
		    -H 'Content-Type: application/json' \
		    "http://$HTTP_TCP/sessions" >"code.$i" &
		pids[i]=$!
	done
	wait "${pids[@]:1}"
	check "$(cat code.* | grep -c 201) were made" \
	    test "$(cat code.* | grep -c 201)" = 3
	cat out.? | jq -sr '.[] | .code // empty' | sort -u >codes
	check "the codes are $(cat codes)" test "$(cat codes)" = too_many_sessions
	http GET /sessions
	mapfile -t ids < <(jq -r '.[].id' out)
	forget "${ids[@]}"
	session
	forget
	server_stop
fi

if testcase "of removed sessions nothing is left on disk"; then
	http GET /sessions
	for id in $(jq -r '.[].id' out); do
		fail "$id was left by a case"
		http DELETE "/sessions/$id"
	done
	mayfly reap </dev/null >out 2>err
	find "$HTTP_STATE"/{sessions,trash} -mindepth 1 \
	    ! -name '.*' ! -name 'lock*' >left 2>/dev/null
	check "there is $(head -n 3 left | xargs)" test ! -s left
fi
