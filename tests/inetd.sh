#!/bin/bash
# What only `mayfly activate` does, with a connection on descriptor 0.
# as: root user

WAY=fd0
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/http/lib.sh"

# inetd_start [-3] WORD...: another inetd, which starts this; sets its ADDRESS.
inetd_start()
{
	local options=()

	[[ $1 != -3 ]] || {
		options=(-3)
		shift
	}
	others=$((${others:-90} + 1))
	ADDRESS=127.0.0.1:$((HTTP_PORT + others))
	"${T_AS[@]}" "$PYTHON" -c "$INETD" "${options[@]}" "$ADDRESS" \
	    "$T_ROOT/sock/$others.sock" "$@" </dev/null >log 2>&1 &
	other=$!
	await "the server" curl -s -o /dev/null "http://$ADDRESS/health"
}

inetd_stop()
{
	kill "$other"
	wait "$other"
	rm -f "$T_ROOT/sock/$others.sock"
}

if testcase "the activator is itself under its other name, too"; then
	ln -s "$MAYFLY" mayfly-activator
	inetd_start "$PWD/mayfly-activator"
	HTTP_TCP=$ADDRESS http POST /run '{"command": "echo a"}'
	expect_json '.stdout == "a\n"'
	inetd_stop
fi

# "PATH mayfly-activator" in inetd.conf: the first argument is a name alone.
if testcase "it is the activator also where its name is without a path"; then
	inetd_start "$(type -P bash)" -c 'exec -a mayfly-activator "$0"' \
	    "$MAYFLY"
	HTTP_TCP=$ADDRESS http POST /run '{"command": "echo a"}'
	expect_json '.stdout == "a\n"'
	inetd_stop
fi

if testcase "where inetd gives it all three descriptors, the log stays out"
then
	inetd_start -3 "$MAYFLY" activate
	HTTP_TCP=$ADDRESS expect_table <<-'END'
		200 - | a run | POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"command":["true"]}
		404 not_found | an error | GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n
	END
	inetd_stop
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
