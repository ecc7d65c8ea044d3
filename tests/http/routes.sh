# shellcheck shell=bash
#
# What there is to call, how it may be spelt, and from which pages:
# mayfly-api(7).

# shellcheck source=tests/http/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

H='Host: localhost\r\n'
J='Content-Type: application/json\r\n'
E='\r\n'

if testcase "what is not there is 404, another method 405 with Allow"; then
	while read -r want method path allow; do
		http "$method" "$path"
		if [[ $want == 404 ]]; then
			expect_error 404 not_found
			continue
		fi
		expect_error 405 method_not_allowed
		for one in $allow; do
			check "$method $path: Allow lacks $one" \
			    grep -qw "$one" <<<"$(field Allow)"
		done
		check "$method $path: Allow has too much" test \
		    "$(field Allow | tr -cd ,)" = "$(tr -cd ' ' <<<"$allow" |
			tr ' ' ,)"
	done <<-'END'
		405 GET /run POST OPTIONS
		405 PUT /run POST OPTIONS
		405 DELETE /health GET HEAD OPTIONS
		405 POST /health GET HEAD OPTIONS
		405 PATCH /sessions GET HEAD POST OPTIONS
		405 DELETE /sessions GET HEAD POST OPTIONS
		405 POST /sessions/aaaaaaaaaaaaaaaaaaaaaaaaaa GET HEAD DELETE OPTIONS
		405 GET /sessions/aaaaaaaaaaaaaaaaaaaaaaaaaa/run POST OPTIONS
		405 PUT /sessions/aaaaaaaaaaaaaaaaaaaaaaaaaa/env POST OPTIONS
		404 GET /
		404 GET /Health
		404 POST /RUN
		404 GET /health/
		404 POST /run/
		404 GET /health.json
		404 POST /run/x
		404 POST /v1/run
		404 GET /sessions/aaaaaaaaaaaaaaaaaaaaaaaaaa/none
		404 POST /sessions/aaaaaaaaaaaaaaaaaaaaaaaaa/run
		404 GET /index.html
		404 GET /etc/passwd
	END
	http GET /sessions '' -X GET -H 'X-HTTP-Method-Override: DELETE'
	expect_code 200
fi

if testcase "a path has one spelling"; then
	expect_table <<-END
		200 - | an encoded letter | GET /%68ealth HTTP/1.1$E$H$E
		400 bad_request | two slashes | GET //health HTTP/1.1$E$H$E
		400,404 bad_request,not_found | a slash behind | GET /health/ HTTP/1.1$E$H$E
		400 bad_request | a dot | GET /./health HTTP/1.1$E$H$E
		400 bad_request | two dots | GET /x/../health HTTP/1.1$E$H$E
		400 bad_request | encoded dots | GET /x/%2e%2e/health HTTP/1.1$E$H$E
		400 bad_request | an encoded dot | GET /%2e/health HTTP/1.1$E$H$E
		400 bad_request | an encoded slash | GET /%2fhealth HTTP/1.1$E$H$E
		400 bad_request | an encoded backslash | GET /%5chealth HTTP/1.1$E$H$E
		400 bad_request | a backslash | GET \\\\health HTTP/1.1$E$H$E
		400 bad_request | an encoded zero byte | GET /health%00 HTTP/1.1$E$H$E
		400 bad_request | an encoded line end | GET /health%0d%0aA:b HTTP/1.1$E$H$E
		400 bad_request | half an escape | GET /health%2 HTTP/1.1$E$H$E
		400 bad_request | a wrong escape | GET /health%zz HTTP/1.1$E$H$E
		400,404 bad_request,not_found | encoded twice | GET /%2568ealth HTTP/1.1$E$H$E
		404 not_found | a semicolon | GET /health;a=b HTTP/1.1$E$H$E
		400,404 bad_request,not_found | a dot behind | GET /health. HTTP/1.1$E$H$E
		400 bad_request | a fragment | GET /health#a HTTP/1.1$E$H$E
		400 bad_request | overlong UTF-8 | GET /%c0%afhealth HTTP/1.1$E$H$E
		404,422,400 not_found,invalid_field,bad_request | a query that is not known | GET /health?a=b HTTP/1.1$E$H$E
	END
fi

if testcase "a body is application/json, whatever a page sends"; then
	B="Content-Length: 18$E$E"
	O='{"command":"true"}'
	U=unsupported_media_type
	expect_table <<-END
		200 - | as it should be | POST /run HTTP/1.1$E$H$J$B$O
		200 - | with a parameter | POST /run HTTP/1.1$E${H}Content-Type: application/json; charset=utf-8$E$B$O
		200 - | in capitals | POST /run HTTP/1.1$E${H}CONTENT-TYPE: APPLICATION/JSON$E$B$O
		415 $U | none | POST /run HTTP/1.1$E$H$B$O
		415 $U | text | POST /run HTTP/1.1$E${H}Content-Type: text/plain$E$B$O
		415 $U | a form | POST /run HTTP/1.1$E${H}Content-Type: application/x-www-form-urlencoded$E$B$O
		415 $U | a form of parts | POST /run HTTP/1.1$E${H}Content-Type: multipart/form-data; boundary=a$E$B$O
		415 $U | text with json in it | POST /run HTTP/1.1$E${H}Content-Type: text/plain; application/json$E$B$O
		415 $U | nearly | POST /run HTTP/1.1$E${H}Content-Type: application/jsonx$E$B$O
		415 $U | patches | POST /run HTTP/1.1$E${H}Content-Type: application/json-patch+json$E$B$O
		415,400 $U,bad_request | two types | POST /run HTTP/1.1$E$H${J}Content-Type: text/plain$E$B$O
		415 $U | for a session | POST /sessions HTTP/1.1$E${H}Content-Type: text/plain$E$B$O
	END
fi

if testcase "only known names of this machine are taken as Host"; then
	while read -r status codes host; do
		echo "$status $codes | Host: $host |" \
		    "GET /sessions HTTP/1.1${E}Host: $host$E$E"
	done >table <<-'END'
		200 - localhost
		200 - LocalHost
		200 - localhost:8080
		200 - localhost:1
		200 - 127.0.0.1
		200 - 127.0.0.1:65535
		200 - [::1]
		200 - [::1]:8080
		403 forbidden evil.example
		403 forbidden evil.example:8080
		403 forbidden localhost.evil.example
		403 forbidden evil.localhost
		403,400 forbidden,bad_request localhost.
		403 forbidden 127.0.0.1.evil.example
		403 forbidden 127.0.0.2
		403 forbidden 127.1
		403 forbidden 2130706433
		403 forbidden 0x7f000001
		403 forbidden 0177.0.0.1
		403 forbidden 0.0.0.0
		403 forbidden 10.0.0.1
		403 forbidden 192.168.1.1:8080
		403 forbidden [::]
		403 forbidden [::ffff:127.0.0.1]
		403 forbidden [0:0:0:0:0:0:0:1]
		403,400 forbidden,bad_request ::1
		403,400 forbidden,bad_request localhost:80:80
		403,400 forbidden,bad_request localhost:x
		403,400 forbidden,bad_request localhost@evil.example
		403,400 forbidden,bad_request evil.example@localhost
		403,400 forbidden,bad_request localhost,evil.example
		403 forbidden allowed.example
	END
	expect_table <table
fi

if testcase "only pages of this machine are taken as Origin"; then
	while read -r status codes origin; do
		echo "$status $codes | Origin: $origin |" \
		    "GET /sessions HTTP/1.1$E${H}Origin: $origin$E$E"
	done >table <<-'END'
		200 - http://localhost
		200 - http://localhost:3000
		200 - https://localhost
		200 - http://127.0.0.1:8080
		200 - http://[::1]:8080
		403 forbidden null
		403 forbidden http://evil.example
		403 forbidden https://evil.example:8080
		403 forbidden http://localhost.evil.example
		403 forbidden http://evil.example/localhost
		403 forbidden http://127.0.0.1.evil.example
		403 forbidden http://0.0.0.0:8080
		403 forbidden file://
		403 forbidden chrome-extension://abcdefgh
		403,400 forbidden,bad_request localhost
		403,400 forbidden,bad_request http://localhost@evil.example
		403,400 forbidden,bad_request http://evil.example http://localhost
		403,400 forbidden,bad_request http://
		403 forbidden http://10.0.0.1
		403 forbidden http://allowed.example
	END
	expect_table <table
fi

if testcase "other names are allowed by the configuration"; then
	server_start 'MAYFLY_ALLOWED_HOSTS=allowed.example second.example:81'
	expect_table <<-END
		200 - | the name | GET /sessions HTTP/1.1${E}Host: allowed.example$E$E
		200 - | with a port | GET /sessions HTTP/1.1${E}Host: Allowed.example:99$E$E
		200 - | the second | GET /sessions HTTP/1.1${E}Host: second.example:81$E$E
		200 - | a page of it | GET /sessions HTTP/1.1$E${H}Origin: https://allowed.example$E$E
		403 forbidden | below it | GET /sessions HTTP/1.1${E}Host: a.allowed.example$E$E
		403 forbidden | a part of it | GET /sessions HTTP/1.1${E}Host: allowed$E$E
		403 forbidden | another port | GET /sessions HTTP/1.1${E}Host: second.example:82$E$E
		400,403 bad_request,forbidden | both | GET /sessions HTTP/1.1${E}Host: allowed.example second.example:81$E$E
	END
	server_stop
fi
