#!/bin/bash
# What only `mayfly activate` does, with a connection on descriptor 0.
# as: root user

WAY=fd0
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/http/lib.sh"

if testcase "the activator is itself under its other name, too"; then
	ln -s "$MAYFLY" mayfly-activator
	port=$((HTTP_PORT + 91))
	"${T_AS[@]}" "$PYTHON" -c "$INETD" "127.0.0.1:$port" \
	    "$T_ROOT/sock/other.sock" "$PWD/mayfly-activator" \
	    </dev/null >log 2>&1 &
	other=$!
	await "the server" curl -s -o /dev/null "http://127.0.0.1:$port/health"
	HTTP_TCP=127.0.0.1:$port http POST /run '{"command": "echo a"}'
	expect_json '.stdout == "a\n"'
	kill "$other"
	wait "$other"
	rm -f "$T_ROOT/sock/other.sock"
fi

# "PATH mayfly-activator" in inetd.conf: the first argument is a name alone.
if testcase "it is the activator also where its name is without a path"; then
	port=$((HTTP_PORT + 93))
	"${T_AS[@]}" "$PYTHON" -c "$INETD" "127.0.0.1:$port" \
	    "$T_ROOT/sock/named.sock" "$(type -P bash)" -c \
	    'exec -a mayfly-activator "$0"' "$MAYFLY" </dev/null >log 2>&1 &
	other=$!
	await "the server" curl -s -o /dev/null "http://127.0.0.1:$port/health"
	HTTP_TCP=127.0.0.1:$port http POST /run '{"command": "echo a"}'
	expect_json '.stdout == "a\n"'
	kill "$other"
	wait "$other"
	rm -f "$T_ROOT/sock/named.sock"
fi

if testcase "where inetd gives it all three descriptors, the log stays out"
then
	port=$((HTTP_PORT + 92))
	"${T_AS[@]}" "$PYTHON" -c "$INETD" -3 "127.0.0.1:$port" \
	    "$T_ROOT/sock/three.sock" "$MAYFLY" activate </dev/null \
	    >log 2>&1 &
	other=$!
	await "the server" curl -s -o /dev/null "http://127.0.0.1:$port/health"
	HTTP_TCP=127.0.0.1:$port expect_table <<-'END'
		200 - | a run | POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"command":["true"]}
		404 not_found | an error | GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n
	END
	kill "$other"
	wait "$other"
	rm -f "$T_ROOT/sock/three.sock"
fi

if testcase "without a connection the activator says so, and ends"; then
	for file in /dev/null request; do
		echo 'GET /health HTTP/1.1' >request
		mayfly activate <"$file" >out 2>err
		status=$?
		expect_status 125 64
		expect_no_out
		expect_err_has .
	done
fi

http_look_back
t_done
