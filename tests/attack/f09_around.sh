#!/bin/bash
# F9: ways around authorization: other spellings of a path that needs no
# credential, methods, fields by which proxies speak for others, credentials
# that are none.
# as: root user

# shellcheck source=tests/attack/http.sh
. "$(dirname "$0")/http.sh"
ROW=F9
SECRET=of-somebody-$RANDOM

# Requests without a good credential, as "status[,status] | name | bytes": all
# of them ask for what there is behind one.
requests()
{
	local line

	# Spellings of targets, by way of the one that is open to all.
	while IFS= read -r line; do
		printf '%s | target %s | GET %s HTTP/1.1\\r\\nHost: localhost%s\n' \
		    400,401,404,405,422 "$line" "$line" '\r\n\r\n'
	done <<-END
		/sessions
		/sessions/
		//sessions
		/./sessions
		/health/../sessions
		/health/..%2fsessions
		/health%2f..%2fsessions
		/health%2e%2e/sessions
		/health;/../sessions
		/health/sessions
		/health/%2e%2e/sessions
		/health//sessions/
		/%2fhealth/../sessions
		/sessions%00/health
		/health%00/../sessions
		/sessions%20
		/sessions%3flimit=1
		/SESSIONS
		/Sessions
		/%73essions
		/sessions%2f$id
		/sessions/$id
		/sessions/$id/../../health
		/sessions/$id%3f/health
		/sessions?/health
		/sessions#/health
		/sessions;health
		/sessions.
		/sessions.json
		/sessions/.
		/sessions/$id.
		/sessions\\\\health
		/\\\\sessions
		/health?/../sessions
		/health?path=/sessions&x=/sessions
		http://localhost/sessions
		http://localhost/health/../sessions
		/..%c0%af/sessions
		/%ef%bc%8fsessions
		*
		sessions
	END
	# Fields of proxies, and of frameworks.
	while IFS= read -r line; do
		printf '%s | %s | GET /sessions HTTP/1.1\\r\\nHost: localhost\\r\\n%s%s\n' \
		    400,401 "$line" "$line" '\r\n\r\n'
	done <<-END
		X-Forwarded-For: 127.0.0.1
		X-Real-IP: 127.0.0.1
		Forwarded: for=127.0.0.1;host=localhost
		X-Forwarded-Host: localhost
		X-Original-URL: /health
		X-Rewrite-URL: /health
		X-HTTP-Method-Override: GET
		X-Client-IP: ::1
		Remote-User: root
		X-Remote-User: root
		Cookie: token=$good
		X-API-Key: $good
		Token: $good
		Proxy-Authorization: Bearer $good
		Authorization: $good
		Authorization: Bearer
		Authorization: Bearer ${good%?}
		Authorization: Bearer ${good}x
		Authorization: Bearer ${good^^}
		Authorization: Bearer "$good"
		Authorization: Bearer $good, Bearer x
		Authorization: Bearer $good x
		Authorization: Basic $(printf 'one:%s' "$good" | base64 -w 0)
		Authorization: Digest $good
		Authorization: Bearer one
		Authorization: Bearer $hash
		Authorization: Bearer x\\r\\nAuthorization: Bearer $good
		Authorization : Bearer $good
		authorization: bearer $hash
	END
	# Methods, and the credential where it is none.
	for line in HEAD POST PUT PATCH DELETE TRACE get GETX OPTIONS\ /x; do
		printf '%s | method %s | %s /sessions/%s HTTP/1.1\\r\\nHost: localhost%s\n' \
		    400,401,404,405,415 "$line" "$line" "$id" '\r\n\r\n'
	done
	printf '%s | %s | GET /sessions?%s HTTP/1.1\\r\\nHost: localhost%s\n' \
	    400,401 "a token in the query" "token=$good" '\r\n\r\n' \
	    400,401 "an access token" "access_token=$good" '\r\n\r\n'
	printf '400,401,403 | HTTP/1.0 | GET /sessions HTTP/1.0\\r\\n\\r\\n\n'
	printf '400,401,403 | one Host more | GET /sessions HTTP/1.1\\r\\n%s\n' \
	    'Host: localhost\r\nHost: localhost\r\n\r\n'
	printf '400,401 | a body that is another request | %s%s%s\n' \
	    'POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 45' \
	    '\r\n\r\nGET /sessions HTTP/1.1\r\nHost: localhost' '\r\n\r\n'
}

for INSIDE in $ATTACK_UIDS; do
	# Nothing runs inside.
	[[ $INSIDE == "${ATTACK_UIDS%% *}" ]] || continue

	if attackcase "nothing but its token opens what is a token's"; then
		server_start "MAYFLY_TOKENS=$T_ROOT/etc/around"
		MAYFLY_TOKENS=$T_ROOT/etc/around mayfly token add one \
		    </dev/null >shown 2>err
		good=$(<shown)
		hash=$(sed -n 's/^one \([0-9a-f]*\).*/\1/p' \
		    "$T_ROOT/etc/around")
		TOKEN=$good http POST /sessions "{\"env\": {\"$SECRET\": \"x\"}}"
		expect_code 201
		id=$(jq -r .id out)
		requests >lines
		check "there are only $(wc -l <lines) requests" \
		    test "$(wc -l <lines)" -ge 60
		sed 's/^\([^|]*\) |/\1 - |/' lines >table
		expect_table -d answers <table
		# Whatever the status: not a word of what there is.
		check "not all were answered" test \
		    "$(grep -ac '^HTTP/1.1 ' answers)" = "$(wc -l <lines)"
		check_not "what there is was told" \
		    grep -qa -e "$SECRET" -e session_id -e "$id" answers
		TOKEN=$good http GET "/sessions/$id"
		expect_code 200
		expect_json ".env_names == [\"$SECRET\"]"
		TOKEN=$good http DELETE "/sessions/$id"
		expect_code 204
		server_stop
		rm -f "$T_ROOT"/etc/around*
	fi
done
http_look_back
t_done
