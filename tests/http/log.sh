# shellcheck shell=bash
#
# What the log says of each request, and of refusals: mayfly-activator(8).
#
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/http/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if testcase "each request is one line of the log"; then
	log_mark
	http POST /run '{"command": "echo a; exit 3"}' -H 'X-Request-ID: one-1'
	await "the line" log_has one-1
	line=$(log_since | grep -a one-1)
	check "more than one" test "$(wc -l <<<"$line")" = 1
	for word in '127\.0\.0\.1' POST /run 200 exit 'exit(_code)?=3' cpu wall \
	    memory; do
		check "no $word in: $line" grep -qE "$word" <<<"$line"
	done
	session
	log_mark
	http POST "/sessions/$id/run" '{"command": "sleep 60", "wall": 200}' \
	    -H 'X-Request-ID: two-2'
	await "the line" log_has two-2
	line=$(log_since | grep -a two-2)
	for word in "$id" reason=.?wall; do
		check "no $word in: $line" grep -qE "$word" <<<"$line"
	done
	http DELETE "/sessions/$id"
fi

if testcase "a refusal is logged with its reason"; then
	while IFS='|' read -r want option value; do
		log_mark
		http GET "/nothing" '' "$option" "$value" \
		    -H 'X-Request-ID: refused-1'
		await "'$want' in the log" log_has "refused-1.*$want|$want.*refused-1"
	done <<-'END'
		404|-H|A: b
		403.*Host|-H|Host: evil.example
		403.*Origin|-H|Origin: http://evil.example
		401.*Authorization|-H|Authorization: Bearer none
	END
	log_mark
	http POST /run '{"command": 1}' -H 'X-Request-ID: refused-2'
	await "the field" log_has 'refused-2.*422.*command'
	log_mark
	printf 'EHLO there\r\n\r\n' | raw
	await "what is not HTTP" log_has 400
	log_mark
	script "echo up; sleep 60" >request
	curl -sS -m 1 -H 'X-Request-ID: refused-3' -H \
	    'Content-Type: application/json' --data-binary @request \
	    "http://$HTTP_TCP/run" >out 2>err
	await "a client that went away" log_has 'refused-3.*killed'
fi

if testcase "what is asked for may be long, and the rest of the line is there"; then
	log_mark
	for byte in a %%22; do
		# shellcheck disable=SC2059
		http GET "/$(printf "$byte%.0s" {1..2500})" '' \
		    -H 'X-Request-ID: long-1'
		expect_code 404
	done
	await "both lines" eval '(($(log_since | grep -ac long-1) == 2))'
	whole=$(log_since |
	    grep -acE 'long-1.* path=".*"\.\.\. status=404 why=".*"$')
	check "$whole of two are whole" test "$whole" = 2
fi

if testcase "nobody writes lines of his own into the log, or moves a cursor"
then
	log_mark
	printf 'GET /a%%0a%%1b[2Jb\\xc3\\xa9 HTTP/1.1\r\nHost: localhost\r\n\r\n' |
	    raw
	printf 'GET /x"y HTTP/1.1\r\nHost: localhost\r\n\r\n' | raw
	printf 'GET /"%%22\\e status=200 HTTP/1.1\r\nHost: a\r\n\r\n' | raw
	http POST /nothing '' -H $'X-Request-ID: a" status=200 b="' \
	    -H $'User-Agent: \u009b2J'
	http GET '/nothing%20status=200%22'
	http POST /run '{"command": "true", "a\n<0>b\u001b[2J": 1}'
	http POST /run '{"\n\u001b[2J\u009b": 1, "\n\u001b[2J\u009b": 2}'
	http POST /run '{"command": "true", "env": {"SECRET": "hidden-1"},
	    "stdin": "hidden-2", "files": [{"path": "hidden-3", "content":
	    "hidden-4"}]}'
	await "all lines" eval '(($(log_since | wc -l) >= 8))'
	check "there are $(log_since | wc -l) lines" \
	    test "$(log_since | wc -l)" = 8
	check_not "there is a control character" \
	    eval "log_since | grep -qaP '[\\x00-\\x08\\x0b-\\x1f\\x7f-\\xff]'"
	check_not "a secret is in the log" eval 'log_since | grep -q hidden'
	check_not "somebody chose a status" eval \
	    'log_since | grep -aE "(^| )status=200( |$)" | grep -qv "path=./run"'
fi

if testcase "what fails is 500 with the step, and no path of the host"; then
	server_start MAYFLY_RUN_DIR=/proc/none
	http POST /run '{"command": "true"}'
	expect_error 500 sandbox_failed
	check_not "the host's path is told" grep -q /proc/none out
	HTTP_MARK=0
	await "the log has all of it" log_has /proc/none
	server_stop
fi

if testcase "where no ids are left the step is named"; then
	server_start MAYFLY_UID_COUNT=65536
	word=ids-$$
	waiting "$word"
	log_mark
	http POST /run '{"command": "true"}'
	# Without a range there is nothing to run out of.
	[[ $AS != root && $code == 200 ]] || {
		expect_error 500 sandbox_failed 'step ids'
		await "the log names it" log_has '500.*ids'
	}
	kill "$pid"
	await "the end" gone_inside "$word"
	server_stop
fi

# leave TEXT: to say it and be gone, with a reset.
leave()
{
	"$PYTHON" - "${HTTP_TCP%:*}" "${HTTP_TCP##*:}" "$1" <<-'END'
		import socket, struct, sys
		s = socket.create_connection((sys.argv[1], sys.argv[2]))
		s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
		             struct.pack("ii", 1, 0))
		s.sendall(sys.argv[3].encode().decode("unicode_escape").encode()
		          + b"\r\n\r\n")
		s.close()
	END
}

# has_left TEXT LINE: the line is in the log. systemd drops a connection that
# was reset before it could ask who that is; then another one is made. What
# those say may come late, so nobody counts lines after this.
has_left()
{
	log_has "$2" || { ! by_units || leave "$1"; false; }
}

if testcase "a client that is gone at once is a request as well, and no failure"; then
	log_mark
	while read -r line text; do
		leave "$text"
		await "a line with $line" has_left "$text" "$line"
	done <<-'END'
		status=400 EHLO there
		path="/gone-1" GET /gone-1 HTTP/1.1\r\nHost: localhost
	END
	check "it is a failure" eval '! log_has connection=failed'
fi
