#!/bin/bash
# D6: more sessions or runs than there may be, by asking for them all at once.
# as: root user

# shellcheck source=tests/attack/http.sh
. "$(dirname "$0")/http.sh"
ROW=D6

for INSIDE in $ATTACK_UIDS; do
	[[ $INSIDE == "${ATTACK_UIDS%% *}" ]] || continue

	if attackcase "of 500 sessions asked for at once exactly ten are made"
	then
		server_start MAYFLY_MAX_SESSIONS=10 MAYFLY_SESSION_WAIT=60000
		jq -nc 'range(500) | {path: "/sessions", body: {}}' |
		    send_all 500
		expect_each '(.code == 201 and (.body.id | length) == 26) or
		    (.code == 503 and .body.code == "too_many_sessions")'
		check "$(grep -c '"code": 201' answers) were made" \
		    test "$(grep -c '"code": 201' answers)" = 10
		http GET /sessions
		expect_json 'length == 10'
		# Refused ones leave nothing.
		[[ -z $(ls -A "$MAYFLY_STATE_DIR/trash") ]] ||
		    fail "there is trash"
		mapfile -t made < <(jq -r '.[].id' out)
		forget "${made[@]}"
		session
		forget
		server_stop
	fi

	if attackcase "of 500 runs asked for at once never more than ten run"
	then
		server_start MAYFLY_MAX_RUNS=10
		# Each says from when to when it ran.
		jq -nc 'range(500) | {body: {wall: 60000,
		    command: "date +%s.%N; sleep 1; date +%s.%N"}}' |
		    send_all 500
		expect_each '(.code == 200 and .body.exit_code == 0) or
		    ((.code == 503 or .code == 429) and
			.body.code == "too_many_runs")'
		most=$(jq -s 'map(select(.code == 200) | .body.stdout |
		    split("\n")[:2] | [[.[0], 1], [.[1], -1]] | .[]) |
		    sort | reduce .[] as $e ({now: 0, most: 0};
			.now += $e[1] | .most = ([.most, .now] | max)) | .most' \
		    answers)
		check "$most ran at once" test "$most" -le 10
		check "only $most ran at once" test "$most" -gt 1
		check "only $(grep -c '"code": 200' answers) ran" test \
		    "$(grep -c '"code": 200' answers)" -ge 10
		jq -nc 'range(10) | {body: {command: "true"}}' | send_all 10
		expect_each '.code == 200'
		server_stop
	fi
done
http_look_back
t_done
