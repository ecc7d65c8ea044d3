# shellcheck shell=bash
#
# HTTP/1.1 itself: what is taken for a request, and how it is answered.

# shellcheck source=tests/http/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# What nearly every line of a table below begins or ends with.
H='Host: localhost\r\n'
G="GET /health HTTP/1.1\\r\\n${H}"
J='Content-Type: application/json\r\n'
P="POST /run HTTP/1.1\\r\\n$H$J"
OK='{"command":["true"]}'
E='\r\n'

if testcase "health is OK in plain text, and has no body for HEAD"; then
	http GET /health
	expect_code 200
	check "the body is not OK" grep -qx OK out
	expect_field Content-Type 'text/plain(; *charset=utf-8)?'
	expect_field Content-Length '[23]'
	length=$(field Content-Length)
	http HEAD /health
	expect_code 200
	expect_field Content-Length "$length"
	expect_field Content-Type 'text/plain(; *charset=utf-8)?'
fi

if testcase "OPTIONS names the methods, and no other site is let in"; then
	http OPTIONS /run
	expect_code 204
	check "POST is not allowed" grep -qw POST <<<"$(field Allow)"
	http OPTIONS /sessions/aaaaaaaaaaaaaaaaaaaaaaaaaa
	expect_code 204
	for method in GET HEAD DELETE OPTIONS; do
		check "$method is not allowed" \
		    grep -qw "$method" <<<"$(field Allow)"
	done
	check_not "it says who else may call" grep -qi '^Access-Control' headers
	expect_table <<-END
		204 - | of everything | OPTIONS * HTTP/1.1$E$H$E
		404 not_found | of nothing | OPTIONS /nothing HTTP/1.1$E$H$E
	END
fi

if testcase "what servers have understood differently is refused"; then
	expect_table <<-END
		400 bad_request | length and chunked | ${P}Content-Length: 20${E}Transfer-Encoding: chunked$E${E}0$E$E
		400 bad_request | chunked and length | ${P}Transfer-Encoding: chunked${E}Content-Length: 20$E${E}0$E$E
		400 bad_request | two lengths | ${P}Content-Length: 20${E}Content-Length: 20$E$E$OK
		400 bad_request | two different lengths | ${P}Content-Length: 20${E}Content-Length: 21$E$E$OK
		400 bad_request | a list of lengths | ${P}Content-Length: 20, 20$E$E$OK
		400 bad_request | a length with a sign | ${P}Content-Length: +20$E$E$OK
		400 bad_request | a negative length | ${P}Content-Length: -1$E$E$OK
		400 bad_request | a hexadecimal length | ${P}Content-Length: 0x14$E$E$OK
		400 bad_request | a decimal length | ${P}Content-Length: 20.0$E$E$OK
		400 bad_request | a blank in the length | ${P}Content-Length: 2 0$E$E$OK
		400 bad_request | an empty length | ${P}Content-Length: $E$E$OK
		400 bad_request | a length of 2^64+20 | ${P}Content-Length: 18446744073709551636$E$E$OK
		400 bad_request | a blank before the colon | ${P}Content-Length : 20$E$E$OK
		400 bad_request | a tab before the colon | ${P}Transfer-Encoding\\t: chunked$E${E}0$E$E
		400,501 bad_request,not_implemented | chunked, identity | ${P}Transfer-Encoding: chunked, identity$E${E}0$E$E
		400,501 bad_request,not_implemented | identity | ${P}Transfer-Encoding: identity$E$E$OK
		400,501 bad_request,not_implemented | gzip, chunked | ${P}Transfer-Encoding: gzip, chunked$E${E}0$E$E
		400,501 bad_request,not_implemented | chunked twice in one field | ${P}Transfer-Encoding: chunked, chunked$E${E}0$E$E
		400 bad_request | chunked twice | ${P}Transfer-Encoding: chunked${E}Transfer-Encoding: chunked$E${E}0$E$E
		400,501 bad_request,not_implemented | xchunked | ${P}Transfer-Encoding: xchunked$E${E}0$E$E
		400,501 bad_request,not_implemented | chunked in quotes | ${P}Transfer-Encoding: "chunked"$E${E}0$E$E
		400,501 bad_request,not_implemented | chunked with a vertical tab | ${P}Transfer-Encoding: \\x0bchunked$E${E}0$E$E
		400 bad_request | a folded line | ${P}Transfer-Encoding:$E chunked$E${E}0$E$E
		400 bad_request | a folded first field | GET /health HTTP/1.1$E Host: localhost$E$E
		400 bad_request | a bare line feed in the head | GET /health HTTP/1.1${E}Host: localhost\\n$E
		400 bad_request | a bare line feed at its end | ${G}\\n
		400 bad_request | a bare carriage return | ${G}A: b\\rC: d$E$E
		400 bad_request | two carriage returns | ${G}A: b\\r$E$E
		400 bad_request | a zero byte in a value | ${G}A: b\\x00c$E$E
		400 bad_request | a zero byte in a name | ${G}A\\x00: b$E$E
		400 bad_request | an escape in a value | ${G}A: \\x1b[31m$E$E
		400 bad_request | a name with a blank | ${G}A B: c$E$E
		400 bad_request | a name with brackets | ${G}A(): c$E$E
		400 bad_request | a name beyond ASCII | ${G}\\xc3\\x84: c$E$E
		400 bad_request | no name | ${G}: c$E$E
		400 bad_request | no colon | ${G}abc$E$E
		400 bad_request | two hosts | ${G}Host: evil.example$E$E
		400 bad_request | a host with a path | GET /health HTTP/1.1${E}Host: localhost/x$E$E
		400,403 bad_request,forbidden | a host with a user | GET /health HTTP/1.1${E}Host: a@localhost$E$E
		400,403 bad_request,forbidden | no host | GET /health HTTP/1.1$E$E
		400,403 bad_request,forbidden | an empty host | GET /health HTTP/1.1${E}Host: $E$E
	END
fi

if testcase "a request line is a method, a target and a version"; then
	expect_table <<-END
		200 - | as it should be | $G$E
		400 bad_request | nothing of HTTP | EHLO there$E$E
		400 bad_request | TLS | \\x16\\x03\\x01\\x02\\x00\\x01\\x00\\x01\\xfc\\x03\\x03$E$E
		400 bad_request | no version | GET /health$E$H$E
		400 bad_request | two blanks | GET  /health HTTP/1.1$E$H$E
		400 bad_request | a blank at the end | GET /health HTTP/1.1 $E$H$E
		400 bad_request | a blank in the target | GET /hea lth HTTP/1.1$E$H$E
		400 bad_request | a tab | GET\\t/health HTTP/1.1$E$H$E
		400 bad_request | a small version | GET /health http/1.1$E$H$E
		400 bad_request | a version with more digits | GET /health HTTP/1.10$E$H$E
		400 bad_request | a version without a dot | GET /health HTTP/11$E$H$E
		505 http_version | HTTP/2.0 | GET /health HTTP/2.0$E$H$E
		505 http_version | HTTP/0.9 | GET /health HTTP/0.9$E$H$E
		400,505 bad_request,http_version | the preface of HTTP/2 | PRI * HTTP/2.0$E${E}SM$E$E
		400 bad_request | a zero byte in the target | GET /health\\x00 HTTP/1.1$E$H$E
		400 bad_request | bytes beyond ASCII in the target | GET /h\\xc3\\xa9 HTTP/1.1$E$H$E
		400 bad_request | a zero byte as the method | \\x00GET /health HTTP/1.1$E$H$E
		400 bad_request | an endless method | @{9000*A} /health HTTP/1.1$E$H$E
		400 bad_request | a target that is no path | GET health HTTP/1.1$E$H$E
		404,405 not_found,method_not_allowed | CONNECT | CONNECT /health HTTP/1.1$E$H$E
		404,405 not_found,method_not_allowed | TRACE | TRACE /health HTTP/1.1$E$H$E
		404,405 not_found,method_not_allowed | a method in small letters | get /health HTTP/1.1$E$H$E
		200 - | an empty query | GET /health? HTTP/1.1$E$H$E
		200 - | HTTP/1.0 with a host | GET /health HTTP/1.0$E$H$E
	END
fi

if testcase "limits of the head hold to the byte"; then
	# "GET /" and " HTTP/1.1" are 14 bytes, "A: " 3, and the head without
	# the value of C is 16,056.
	expect_table <<-END
		404,422,400 not_found,bad_request,invalid_field | a line of 8,192 | GET /@{8178*a} HTTP/1.1$E$H$E
		414 target_too_long | a line of 8,193 | GET /@{8179*a} HTTP/1.1$E$H$E
		414 target_too_long | an endless target | GET /@{endless a}
		200 - | a field of 8,192 | ${G}A: @{8189*b}$E$E
		431 head_too_large | a field of 8,193 | ${G}A: @{8190*b}$E$E
		431 head_too_large | an endless field | ${G}A: @{endless b}
		200 - | a head of 16,384 | ${G}A: @{8000*b}${E}B: @{8000*b}${E}C: @{328*b}$E$E
		431 head_too_large | a head of 16,385 | ${G}A: @{8000*b}${E}B: @{8000*b}${E}C: @{329*b}$E$E
		431 head_too_large | an endless head | ${G}@{endless A: b$E}
		200 - | 64 fields | ${G}@{63*A: b$E}$E
		431 head_too_large | 65 fields | ${G}@{64*A: b$E}$E
		400 bad_request | endless empty lines | @{endless $E}
	END
fi

if testcase "limits of the body hold to the byte"; then
	# {"command":["true"],"stdin":"..."}: 31 bytes and the text.
	long='{"command":["true"],"stdin":"'
	expect_table <<-END
		200 - | 4,194,304 | ${P}Content-Length: 4194304$E$E$long@{4194273*a}"}
		413 body_too_large | 4,194,305, said | ${P}Content-Length: 4194305$E$E
		413 body_too_large | 2^63-1, said | ${P}Content-Length: 9223372036854775807$E$E
		200 - | 4,194,304 in chunks | ${P}Transfer-Encoding: chunked$E${E}1d$E$long${E}3fffe1$E@{4194273*a}${E}2$E"}${E}0$E$E
		413 body_too_large | 4,194,305 in chunks | ${P}Transfer-Encoding: chunked$E${E}1d$E$long${E}3fffe2$E@{4194274*a}${E}2$E"}${E}0$E$E
		413 body_too_large | endless chunks | ${P}Transfer-Encoding: chunked$E$E@{endless 8${E}aaaaaaaa$E}
		400 not_json | none where one is needed | ${P}Content-Length: 0$E$E
		400 not_json | neither length nor chunks | $P$E
	END
	expect_table <<-END
		413 body_too_large | a chunk of endless bytes | ${P}Transfer-Encoding: chunked$E${E}ffffff$E@{endless a}
	END
fi

if testcase "a chunked body is taken in any pieces, and in no other form"; then
	c="${P}Transfer-Encoding: chunked$E$E"
	expect_table <<-END
		200 - | one chunk | ${c}14$E$OK${E}0$E$E
		200 - | capital digits and leading zeros | ${c}0014$E$OK${E}00$E$E
		200 - | in capital letters | ${P}Transfer-Encoding: CHUNKED$E${E}14$E$OK${E}0$E$E
		200 - | bytes one by one | ${c}1$E{${E}@{wait 0.05}11$E"command":["true"${E}@{wait 0.05}2$E]}${E}0${E}@{wait 0.05}$E
		200 - | an extension | ${c}14;a=b$E$OK${E}0$E$E
		400 bad_request | a size in words | ${c}xyz$E$OK${E}0$E$E
		400 bad_request | 0x before the size | ${c}0x14$E$OK${E}0$E$E
		400 bad_request | a sign before the size | ${c}+14$E$OK${E}0$E$E
		400 bad_request | a negative size | ${c}-1$E$OK${E}0$E$E
		400 bad_request | a blank before the size | ${c} 14$E$OK${E}0$E$E
		400 bad_request | no size | ${c}$E$OK${E}0$E$E
		400 bad_request | a comma in the size | ${c}1,4$E$OK${E}0$E$E
		400,413 bad_request,body_too_large | a size of 17 digits | ${c}10000000000000014$E$OK${E}0$E$E
		400 bad_request | a line feed alone behind the size | ${c}14\\n$OK${E}0$E$E
		400 bad_request | a carriage return alone | ${c}14\\r$OK${E}0$E$E
		400 bad_request | a size that is too small | ${c}13$E$OK${E}0$E$E
		400 bad_request | no line end behind the data | ${c}14$E${OK}0$E$E
		400 bad_request | a line feed behind the data | ${c}14$E$OK\\n0$E$E
		400 bad_request | a zero byte in an extension | ${c}14;\\x00$E$OK${E}0$E$E
		400,413,431 bad_request,body_too_large,head_too_large | an endless extension | ${c}14;@{endless a}
		400,413,431 bad_request,body_too_large,head_too_large | endless trailers | ${c}14$E$OK${E}0$E@{endless A: b$E}
	END
fi

if testcase "one request of a connection is answered, and no more"; then
	expect_table <<-END
		200 - | one behind the other | $G$E$G$E
		200 - | behind a body | ${P}Content-Length: 20$E$E$OK$G$E
		200 - | behind chunks | ${P}Transfer-Encoding: chunked$E${E}14$E$OK${E}0$E$E$G$E
		200 - | with keep-alive | ${G}Connection: keep-alive$E$E
	END
fi

if testcase "a client that waits with its body is told to go on, or not"; then
	x="Expect: 100-continue$E"
	expect_table <<-END
		200 - | go on | ${P}${x}Content-Length: 20$E$E@{100}$OK
		200 - | go on, with chunks | ${P}${x}Transfer-Encoding: chunked$E$E@{100}14$E$OK${E}0$E$E
		200 - | in capitals | ${P}EXPECT: 100-CONTINUE${E}Content-Length: 20$E$E@{100}$OK
		413 body_too_large | too large | ${P}${x}Content-Length: 4194305$E$E@{100}
		404 not_found | nowhere | POST /nowhere HTTP/1.1$E$H$J${x}Content-Length: 20$E$E@{100}
		415 unsupported_media_type | not JSON | POST /run HTTP/1.1$E$H${x}Content-Length: 20$E$E@{100}
		403 forbidden | from elsewhere | POST /run HTTP/1.1${E}Host: evil.example$E$J${x}Content-Length: 20$E$E@{100}
		417 expectation_failed | another wish | ${P}Expect: 200-ok${E}Content-Length: 20$E$E$OK
	END
fi

if testcase "a body that is packed is not taken for JSON"; then
	expect_table <<-END
		415 unsupported_media_type /Content-Encoding/ | gzip | ${P}Content-Encoding: gzip${E}Content-Length: 20$E$E$OK
		200 - | as it is | ${P}Content-Encoding: identity${E}Content-Length: 20$E$E$OK
	END
fi

if testcase "what is slow ends with 408, each part in its time"; then
	expect_table -p <<-END
		408,closed timeout | nothing at all | @{wait 0}
		408 timeout | half a line | GET /hea
		408 timeout | a head without its end | $G
		408 timeout | a field every second | ${G}@{wait 1}A: b$E@{wait 1}A: b$E@{wait 1}A: b$E@{wait 1}A: b$E@{wait 1}A: b$E@{wait 1}A: b$E@{wait 1}A: b$E
		408 timeout | half a body | ${P}Content-Length: 20$E${E}{
		408 timeout | half a chunk | ${P}Transfer-Encoding: chunked$E${E}14$E{
		408 timeout | a byte of the body every two seconds | ${P}Content-Length: 20$E${E}{@{wait 2} @{wait 2} @{wait 2} @{wait 2} @{wait 2} @{wait 2} @{wait 2}
		200 - | slow, but not too slow | GET /health @{wait 0.5}HTTP/1.1$E@{wait 0.5}$H@{wait 0.5}$E
		200 - | a slow body | ${P}Content-Length: 20$E$E@{wait 1}{"command":@{wait 1}["true"]}
	END
fi

if testcase "a request's id is the client's, or one is made"; then
	http GET /nothing '' -H 'X-Request-ID: mine-0123_4.5'
	expect_error 404 not_found
	expect_field X-Request-ID 'mine-0123_4\.5'
	http GET /nothing
	first=$(field X-Request-ID)
	http GET /nothing
	check "there is no id" test -n "$first"
	check_not "the id is the same again" test "$first" = "$(field X-Request-ID)"
	# What does not look like an id is not sent back.
	for wrong in 'a b' '"><script>' "$(printf '%0300d' 7)" 'é'; do
		http GET /nothing '' -H "X-Request-ID: $wrong"
		check_not "the id is '$wrong'" \
		    test "$(field X-Request-ID)" = "$wrong"
	done
fi

if testcase "browsers are told not to guess the type"; then
	http GET /nothing
	expect_field X-Content-Type-Options nosniff
	http_run 'echo "<script>"'
	expect_field X-Content-Type-Options nosniff
	expect_field Content-Type application/json
fi

if testcase "no request that chance makes confuses it"; then
	log_mark
	"$PYTHON" "$HTTP_DIR/mutate.py" "$HTTP_TCP" 800 "${SEED:-1}" \
	    >out 2>&1 || fail "this was answered:"
	check_not "the front broke down: $(log_since | grep -a failed |
	    head -n 3)" log_has 'connection=failed|broke the protocol'
fi

if testcase "a body where none is wanted does no harm"; then
	expect_table <<-END
		200 - | of a GET | ${G}Content-Length: 5$E${E}abcde
		200 - | of a GET, in chunks | ${G}Transfer-Encoding: chunked$E${E}5${E}abcde${E}0$E$E
		200 - | of a GET, never sent | ${G}Content-Length: 500$E$E
		404 not_found | of a DELETE | DELETE /sessions/aaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1$E${H}Content-Length: 2$E$E{}
	END
fi

if testcase "who has said all there is to say is answered"; then
	"$PYTHON" - "$HTTP_TCP" >out 2>&1 <<-'END'
		import socket, sys
		host, port = sys.argv[1].rsplit(":", 1)
		for path in ["/health", "/sessions", "/nothing"] * 7:
		    with socket.create_connection((host, int(port))) as s:
		        s.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
		            % path.encode())
		        s.shutdown(socket.SHUT_WR)
		        got = s.recv(100)
		    if not got.startswith(b"HTTP/1.1 "):
		        print(path, got)
	END
	expect_no_out
fi
