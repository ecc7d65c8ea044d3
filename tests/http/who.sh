# shellcheck shell=bash
#
# Who may call, and whose a session is: mayfly-api(7).

# shellcheck source=tests/http/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

H='Host: localhost\r\n'
J='Content-Type: application/json\r\n'
E='\r\n'

# The tokens of this case's server; those of the units are where they look.
CASE_TOKENS=$T_ROOT/etc/case
! by_units || CASE_TOKENS=/etc/mayfly/tokens

# Adds a token for this case's server; what is shown becomes TOKENS[NAME].
declare -A TOKENS=()
token()
{
	local name=$1

	shift
	MAYFLY_TOKENS=$CASE_TOKENS mayfly token add "$name" "$@" </dev/null \
	    >shown 2>err || fail "no token was made: $(cat err)"
	TOKENS[$name]=$(<shown)
}

tokens_start()
{
	by_units || set -- "MAYFLY_TOKENS=$CASE_TOKENS" "$@"
	server_start "$@"
}

tokens_stop()
{
	server_stop
	TOKENS=()
	rm -f "$CASE_TOKENS"*
}

# The owner of the topic's server, and two who are not, nor root.
OTHER=54001
THIRD=54002

if testcase "once a token exists, TCP needs one"; then
	tokens_start
	http GET /sessions
	expect_code 200
	token one
	http GET /sessions
	expect_error 401 unauthorized
	check "it does not say how" test -n "$(field WWW-Authenticate)"
	TOKEN=${TOKENS[one]} http GET /sessions
	expect_code 200
	http GET /health
	expect_code 200
	good=${TOKENS[one]}
	while read -r value; do
		http GET /sessions '' -H "Authorization: $value"
		expect_error 401 unauthorized
	done <<-END
		Bearer
		Bearer wrong
		Bearer ${good%?}
		Bearer ${good}0
		Bearer ${good^^}x
		Bearer ${good:0:32}
		Basic ${good}
		Basic $(printf 'one:%s' "$good" | base64 -w 0)
		$good
		Bearer $good $good
		Bearer one
		Bearer $(printf '%s' "$good" | sha256sum | cut -d ' ' -f 1)
		Bearer, $good
		Bearer "$good"
	END
	http GET /sessions '' -H "authorization: bearer  $good"
	expect_code 200
	http GET "/sessions?token=$good"
	[[ $code == 401 ]] || fail "a token in the query: status $code"
	http GET /sessions '' -H "Cookie: token=$good"
	expect_error 401 unauthorized
	http GET /sessions '' -H "Authorization: Bearer $good" \
	    -H "Authorization: Bearer $good"
	[[ $code == 400 || $code == 401 ]] || fail "twice: status $code"
	token two
	TOKEN=${TOKENS[two]} http GET /sessions
	expect_code 200
	tokens_stop
fi

if [[ $AS != root ]] && ! by_units &&
    testcase "where it is not known whether there are tokens nobody is let in"
then
	homeless=(-u XDG_CONFIG_HOME -u MAYFLY_TOKENS HOME=)
	server_start "${homeless[@]}"
	http GET /sessions
	expect_error 500 bad_configuration
	server_stop
	t_as env "${homeless[@]}" "$MAYFLY" token add one </dev/null >out 2>err
	status=$?
	expect_status 125
	expect_no_out
	expect_err_has '^mayfly: tokens: HOME is no path .* MAYFLY_TOKENS$'
fi

if [[ $AS != root ]] && ! by_units &&
    testcase "without HOME the tokens are those below the home of /etc/passwd" &&
    require "/etc/passwd cannot be covered" test -n "${T_ENTERED:-}"; then
	mkdir home
	chown "$T_UID" home
	echo "who:x:$T_UID:$T_UID::$PWD/home:/bin/sh" >passwd
	mount --bind passwd /etc/passwd
	homeless=(-u HOME -u XDG_CONFIG_HOME -u MAYFLY_TOKENS -u XDG_STATE_HOME
	    -u MAYFLY_STATE_DIR)
	t_as env "${homeless[@]}" "$MAYFLY" token add one </dev/null >secret
	check "none is there" test -s "home/.config/mayfly/tokens"
	server_start "${homeless[@]}"
	http GET /sessions
	expect_error 401 unauthorized
	TOKEN=$(<secret) http POST /sessions '{}'
	expect_code 201
	check "it is elsewhere" \
	    test -d "home/.local/state/mayfly/sessions/$(jq -r .id out)"
	server_stop
	umount /etc/passwd
fi

if testcase "without a credential nobody learns what there is"; then
	tokens_start
	token one
	: >table
	for method in GET HEAD POST PUT PATCH DELETE OPTIONS TRACE BREW; do
		for path in /run /RUN /run/ /run%2f /nothing / /sessions \
		    /sessions/aaaaaaaaaaaaaaaaaaaaaaaaaa /sessions/x/run \
		    '/run?x' /snapshots /images '/%72un'; do
			# Not a path in any reading: no more is said of that.
			[[ $path != /run%2f ]] || continue
			echo "401 unauthorized | $method $path |" \
			    "$method $path HTTP/1.1$E$H$E"
		done
	done >table
	check "the table is short" test "$(wc -l <table)" -gt 100
	expect_table <table
	expect_table <<-END
		401 unauthorized | before its body is looked at | POST /run HTTP/1.1$E$H${J}Content-Length: 2$E$E{]
		401 unauthorized | before its body is sent | POST /run HTTP/1.1$E$H${J}Content-Length: 1000$E$E
		401 unauthorized | before its type is looked at | POST /run HTTP/1.1$E${H}Content-Length: 1000$E$E
		401 unauthorized | before its size is looked at | POST /run HTTP/1.1$E$H${J}Content-Length: 99999999$E$E
		401 unauthorized | before it is told to go on | POST /run HTTP/1.1$E$H${J}Expect: 100-continue${E}Content-Length: 1000$E$E@{100}
		403 forbidden | from elsewhere | GET /sessions HTTP/1.1${E}Host: evil.example$E$E
		401,405 unauthorized,method_not_allowed | what is open, otherwise | POST /health HTTP/1.1$E$H$E
	END
	tokens_stop
fi

if testcase "a token ends when it is removed"; then
	tokens_start
	token one
	token two
	# Another one of that name, which was written there by hand.
	echo "one $(printf another | sha256sum | cut -d ' ' -f 1) admin" \
	    >>"$CASE_TOKENS"
	TOKEN=another http GET /sessions
	expect_code 200
	(
		export MAYFLY_TOKENS=$CASE_TOKENS
		mayfly token remove one </dev/null >shown 2>&1
		mayfly token list </dev/null >list 2>&1
	)
	for secret in "${TOKENS[one]}" another; do
		TOKEN=$secret http GET /sessions
		expect_error 401 unauthorized
	done
	TOKEN=${TOKENS[two]} http GET /sessions
	expect_code 200
	check "the list is $(xargs <list)" test "$(cat list)" = two
	tokens_stop
fi

if testcase "a token that could not be shown is none"; then
	tokens_start
	token one
	MAYFLY_TOKENS=$CASE_TOKENS mayfly token add two </dev/null >/dev/full \
	    2>err
	status=$?
	expect_status 125
	expect_err_has '^mayfly: stdout: No space left on device$'
	check "it is said twice" test "$(wc -l <err)" = 1
	MAYFLY_TOKENS=$CASE_TOKENS mayfly token list </dev/null >out 2>err
	expect_out one
	token two
	TOKEN=${TOKENS[two]} http GET /sessions
	expect_code 200
	tokens_stop
fi

if testcase "a token is shown once, and kept as its hash for the owner alone"
then
	file=$CASE_TOKENS
	tokens_start
	token one --admin
	token two
	check "it is no 256 bits" grep -qxE '[0-9a-f]{64}' shown
	check "two are the same" \
	    test "${TOKENS[one]}" != "${TOKENS[two]}"
	check_not "it is in the file" grep -q "${TOKENS[two]}" "$file"
	check "its SHA-256 is not" grep -q "$(printf %s "${TOKENS[two]}" |
	    sha256sum | cut -d ' ' -f 1)" "$file"
	check "the mode is $(stat -c %a "$file")" \
	    test "$(stat -c %a "$file")" = 600
	check_not "it is in the log" grep -q "${TOKENS[two]}" <<<"$(log_text)"
	# A file that others can read, or that is broken, is trusted no more.
	chmod 0644 "$file"
	TOKEN=${TOKENS[one]} http GET /sessions
	expect_error 500 bad_configuration
	chmod 0600 "$file"
	echo 'three words too many' >>"$file"
	TOKEN=${TOKENS[one]} http GET /sessions
	expect_error 500 bad_configuration
	tokens_stop
fi

if testcase "a session is its token's, and not there for others"; then
	tokens_start
	token one
	token two
	token chief --admin
	TOKEN=${TOKENS[one]} session '{"env": {"A": "secret"}}'
	TOKEN=${TOKENS[two]} http GET "/sessions/$id"
	expect_error 404 not_found
	for verb in run env cwd ttl; do
		case $verb in
		run) body='{"command": "true"}' ;;
		env) body='{"env": {"A": "stolen"}}' ;;
		cwd) body='{"cwd": "/usr"}' ;;
		ttl) body='{"ttl": 1}' ;;
		esac
		TOKEN=${TOKENS[two]} http POST "/sessions/$id/$verb" "$body"
		expect_error 404 not_found
	done
	TOKEN=${TOKENS[two]} http DELETE "/sessions/$id"
	expect_error 404 not_found
	# Word for word what is said of one that never was.
	sed 's/"request_id":.*//' out >other
	TOKEN=${TOKENS[two]} http DELETE /sessions/aaaaaaaaaaaaaaaaaaaaaaaaaa
	check "it differs" cmp -s other <(sed 's/"request_id":.*//' out)
	TOKEN=${TOKENS[two]} http GET /sessions
	expect_json '. == []'
	TOKEN=${TOKENS[two]} http GET "/sessions?after=$id"
	expect_json '. == []'
	TOKEN=${TOKENS[one]} http GET /sessions
	expect_json "map(.id) == [\"$id\"]"
	TOKEN=${TOKENS[chief]} http GET /sessions
	expect_json "map(.id) == [\"$id\"]"
	TOKEN=${TOKENS[chief]} http POST "/sessions/$id/run" \
	    '{"command": "echo $A"}'
	expect_json '.stdout == "secret\n"'
	TOKEN=${TOKENS[one]} http DELETE "/sessions/$id"
	expect_code 204
	TOKEN=${TOKENS[two]} session
	TOKEN=${TOKENS[chief]} http DELETE "/sessions/$id"
	expect_code 204
	tokens_stop
fi

if testcase "a snapshot is its token's, and so are forks and trees"; then
	tokens_start
	token one
	token two
	token chief --admin
	TOKEN=${TOKENS[one]} session '{"env": {"A": "secret"}}'
	TOKEN=${TOKENS[one]} http POST "/sessions/$id/run" \
	    '{"command": "echo secret >/root/f"}'
	TOKEN=${TOKENS[one]} http POST "/sessions/$id/snapshots" '{}'
	taken=$(jq -r .snapshot_id out)
	for path in "/snapshots/$taken" "/sessions/$id/tree"; do
		TOKEN=${TOKENS[two]} http GET "$path"
		expect_error 404 not_found
	done
	for path in snapshots fork; do
		TOKEN=${TOKENS[two]} http POST "/sessions/$id/$path" '{}'
		expect_error 404 not_found
	done
	TOKEN=${TOKENS[two]} http GET /snapshots
	expect_json '. == []'
	TOKEN=${TOKENS[two]} http GET "/snapshots?session=$id"
	expect_json '. == []'
	TOKEN=${TOKENS[two]} http POST /sessions "{\"snapshot\": \"$taken\"}"
	expect_error 422 invalid_field snapshot
	sed 's/"request_id":.*//' out >other
	TOKEN=${TOKENS[two]} http POST /sessions \
	    '{"snapshot": "aaaaaaaaaaaaaaaaaaaaaaaaaa"}'
	check "it differs" cmp -s other <(sed 's/"request_id":.*//' out)
	TOKEN=${TOKENS[two]} http DELETE "/snapshots/$taken"
	expect_error 404 not_found
	TOKEN=${TOKENS[chief]} http GET "/snapshots/$taken"
	expect_code 200
	# What the chief makes of it is the chief's, and for one not there.
	TOKEN=${TOKENS[chief]} http POST "/sessions/$id/fork" '{}'
	expect_code 201
	theirs=$(jq -r '.sessions[0].id' out)
	TOKEN=${TOKENS[one]} http GET "/sessions/$theirs"
	expect_error 404 not_found
	TOKEN=${TOKENS[one]} http GET "/sessions/$id/tree"
	expect_json "[.. | .id? // empty] == [\"$id\"]"
	TOKEN=${TOKENS[chief]} http GET "/sessions/$theirs/tree"
	expect_json "[.. | .id? // empty] == [\"$id\", \"$theirs\"]"
	TOKEN=${TOKENS[chief]} http DELETE "/sessions/$theirs"
	TOKEN=${TOKENS[one]} http DELETE "/snapshots/$taken"
	expect_code 204
	TOKEN=${TOKENS[one]} http DELETE "/sessions/$id"
	expect_code 204
	tokens_stop
fi

if testcase "on the UNIX socket a session is its user's; root sees all" &&
    require "only root can be others" test "$EUID" = 0; then
	CALLER=$OTHER session
	CALLER=$THIRD http GET "/sessions/$id"
	expect_error 404 not_found
	CALLER=$THIRD http DELETE "/sessions/$id"
	expect_error 404 not_found
	CALLER=$THIRD http POST "/sessions/$id/run" '{"command": "true"}'
	expect_error 404 not_found
	CALLER=$THIRD http GET /sessions
	expect_json '. == []'
	# Over TCP nobody knows who it is.
	http GET "/sessions/$id"
	expect_error 404 not_found
	CALLER=$OTHER http GET /sessions
	expect_json "map(.id) == [\"$id\"]"
	CALLER=$OTHER http POST "/sessions/$id/run" '{"command": "echo a"}'
	expect_json '.stdout == "a\n"'
	CALLER=0 http GET /sessions
	expect_json "map(.id) == [\"$id\"]"
	local_one=$id
	session
	CALLER=$OTHER http GET "/sessions/$id"
	expect_error 404 not_found
	CALLER=0 http DELETE "/sessions/$id"
	expect_code 204
	CALLER=$OTHER http DELETE "/sessions/$local_one"
	expect_code 204
fi

if testcase "the UNIX socket needs no token, and takes one" &&
    require "only root can be others" test "$EUID" = 0; then
	tokens_start
	token one
	CALLER=$OTHER http GET /sessions
	expect_code 200
	CALLER=$OTHER TOKEN=wrong http GET /sessions
	expect_error 401 unauthorized
	TOKEN=${TOKENS[one]} session
	CALLER=$OTHER http GET "/sessions/$id"
	expect_error 404 not_found
	CALLER=$OTHER TOKEN=${TOKENS[one]} http DELETE "/sessions/$id"
	expect_code 204
	tokens_stop
fi

if [[ -n ${HTTP_NET:-} ]] &&
    testcase "an address that is not local is refused without a token"; then
	for HTTP_ADDRESS in 10.77.0.1 0.0.0.0; do
		tokens_start "MAYFLY_ALLOWED_HOSTS=10.77.0.1"
		HTTP_HOST=10.77.0.1:${HTTP_TCP##*:}
		log_mark
		for path in /health /sessions /nothing; do
			http GET "$path"
			expect_error 403 forbidden
		done
		http POST /run '{"command": "true"}'
		expect_error 403 forbidden
		await "the log says why" log_has 'token'
		token one
		http GET /sessions
		expect_error 401 unauthorized
		http GET /health
		expect_code 200
		TOKEN=${TOKENS[one]} http POST /run '{"command": "echo a"}'
		expect_json '.stdout == "a\n"'
		unset HTTP_HOST
		tokens_stop
	done
	unset HTTP_ADDRESS
fi

if [[ -n ${HTTP_NET:-} ]] && testcase "IPv6 is as good"; then
	HTTP_ADDRESS='[::1]' server_start
	http POST /run '{"command": "echo a"}'
	expect_json '.stdout == "a\n"'
	server_stop
fi
