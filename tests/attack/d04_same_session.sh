#!/bin/bash
# D4: a hundred requests for the same session at once: each has its turn, or
# is told that it had none, and nothing happens half or twice.
# as: root user
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/attack/http.sh
. "$(dirname "$0")/http.sh"
ROW=D4

for INSIDE in $ATTACK_UIDS; do
	if attackcase "a hundred runs at once in one session are one by one"
	then
		server_start MAYFLY_SESSION_WAIT=4000
		session
		in_session 'echo 0 >/tmp/n; chmod 0777 /tmp /tmp/n'
		jq -nc --arg path "/sessions/$id/run" --arg user "$INSIDE" '
		    range(100) | {path: $path, body: {user: $user, cwd: "/tmp",
		    command: "mkdir lock || exit 3; read n <n
			echo $((n + 1)) >n; rmdir lock"}}' | send_all 100
		expect_each '(.code == 200 and .body.exit_code == 0) or
		    (.code == 409 and .body.code == "session_busy")'
		ran=$(grep -c '"code": 200' answers)
		in_session 'cat /tmp/n'
		expect_json ".stdout == \"$ran\\n\""
		check "none had its turn" test "$ran" -gt 0
		forget
		server_stop
	fi

	[[ $INSIDE == "${ATTACK_UIDS%% *}" ]] || continue

	if attackcase "a hundred changes at once of one session are all made"
	then
		session
		jq -nc --arg path "/sessions/$id/env" 'range(100) |
		    {path: $path, body: {env: {("V\(.)"): "x"}}}' | send_all 100
		# Where the disk is slow not all have their turn in time.
		expect_each '.code == 200 or
		    (.code == 409 and .body.code == "session_busy")'
		made=$(grep -c '"code": 200' answers)
		http GET "/sessions/$id"
		expect_json ".env_names | length == $made"
		check "only $made were made" test "$made" -gt 1
		forget
	fi

	if attackcase "of a hundred deletions at once one is the one"; then
		session
		in_session 'echo x >/root/f'
		jq -nc --arg path "/sessions/$id" 'range(100) |
		    {method: "DELETE", path: $path}' | send_all 100
		expect_each '.code == 204 or .code == 404'
		check "not one was told so" \
		    test "$(grep -c '"code": 204' answers)" = 1
		http GET "/sessions/$id"
		expect_code 404
	fi

	if attackcase "runs, changes and deletions at once leave no half"; then
		session
		jq -nc --arg path "/sessions/$id" 'range(30) |
		    {path: ($path + "/run"), body: {command: "echo x >/root/f"}},
		    {path: ($path + "/env"), body: {env: {A: "\(.)"}}},
		    {path: ($path + "/cwd"), body: {cwd: "/tmp"}},
		    {method: "GET", path: $path},
		    (select(. == 20) | {method: "DELETE", path: $path})' |
		    send_all 100
		expect_each '.code == 404 or .code == 204 or (.code == 200 and
		    ((.body | type) != "object" or
			.body.reason == null or .body.reason == "exit" or
			.body.reason == "killed")) or .code == 409'
		check "it was not deleted" grep -q '"code": 204' answers
		mayfly reap </dev/null >out 2>err
		check "something is left" test -z "$(find \
		    "$MAYFLY_STATE_DIR"/{sessions,trash} -mindepth 1)"
	fi
done
http_look_back
t_done
