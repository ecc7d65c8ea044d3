# shellcheck shell=bash
#
# Runs whose output comes as it is written: mayfly-api(7). What comes when
# is seen from the order of things, not from a clock: commands wait for a
# signal that the case sends them.
#
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/http/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A command that writes each of its arguments, then waits for SIGUSR1. The
# first one is the word by which its process is found.
TELL='$| = 1; my ($go, $word) = (0, shift); $SIG{USR1} = sub { $go++ };
for (@ARGV) {
	s/\\x(..)/chr hex $1/ge; print;
	select undef, undef, undef, 0.01 while !$go; $go = 0;
}'

# tell WORD TEXT...
tell()
{
	jq -cn --arg tell "$TELL" '{command: (["perl", "-e", $tell] +
	    $ARGS.positional), wall: 60000}' --args -- "$@"
}

# Lets the command of that word go on.
go_on()
{
	inside "$1" | xargs -r kill -USR1
}

# The text of all events of a stream together.
joined()
{
	jq -rj "select(.type == \"$1\") | .data // empty" "${2:-events}"
}

# What the events of every run must be; the file out has them.
expect_events()
{
	jq -es 'all(type == "object" and has("type")) and
	    (.[0].type == "start") and (.[0] | has("id")) and
	    ([.[1:-1][].type] | all(IN("stdout", "stderr", "ping"))) and
	    (.[-1].type | IN("exit", "error")) and
	    ([.[] | select(.type | IN("stdout", "stderr")) |
		has("data") != has("base64")] | all)' out >/dev/null 2>&1 ||
	    fail "not the events of a run: $(head -c 600 out)"
}

# expect_exit FILTER, true of the last event
expect_exit()
{
	tail -n 1 out >last
	jq -e "(.type == \"exit\") and ($1)" last >/dev/null 2>&1 ||
	    fail "the last event does not satisfy $1: $(head -c 600 last)"
}

if testcase "a stream is one JSON object a line, the end last"; then
	stream /run '{"command": "echo one; echo two >&2; exit 3"}'
	stream_end
	expect_field Content-Type application/x-ndjson
	expect_field Connection close
	check "it has no request id" test -n "$(field X-Request-ID)"
	expect_events
	expect_exit '.exit_code == 3 and .signal == null and .reason == "exit"
	    and (has("stdout") or has("stderr") | not) and
	    (.usage | has("cpu_ms")) and (.enforced | has("time")) and
	    .truncated == {stdout: false, stderr: false}'
	check "stdout" test "$(joined stdout)" = one
	check "stderr" test "$(joined stderr)" = two
fi

if testcase "the same comes as server-sent events"; then
	stream /run '{"command": "echo one; printf \"a\\\\r\\\\nb\\\\n\\\\nc\""}' \
	    text/event-stream
	stream_end
	expect_field Content-Type 'text/event-stream(; *charset=utf-8)?'
	expect_field Cache-Control 'no-(store|cache).*'
	check_not "there are lines that are no data" \
	    grep -qvE '^(data: \{.*\})?$' out
	check "an event does not end with an empty line" \
	    test "$(grep -c '^data: ' out)" = "$(grep -c '^$' out)"
	sed -n 's/^data: //p' out >events
	cp events out
	expect_events
	expect_exit '.exit_code == 0'
	check "stdout" cmp -s <(joined stdout) <(printf 'one\na\r\nb\n\nc')
fi

if testcase "each byte goes out as it comes"; then
	word=bytes-$$
	stream /run "$(tell "$word" a b c d)"
	for text in a ab abc abcd; do
		await "'$text'" eval "[[ \$(joined stdout) == $text* ]]"
		check_not "the run has ended" grep -q '"exit"' events
		go_on "$word"
	done
	stream_end
	expect_events
	expect_exit '.reason == "exit"'
fi

if testcase "the start is told before the command has written anything"; then
	word=start-$$
	stream /run "$(tell "$word" '')"
	await "the event start" grep -q '"type":"start"' events
	await "the command" runs_inside "$word"
	go_on "$word"
	stream_end
	expect_events
fi

if testcase "a character is never split between events"; then
	word=split-$$
	stream /run "$(tell "$word" 'a\xc3' '\xa9\xf0\x9f' '\x98' '\x80b' \
	    '\xe2\x82')"
	await "the first letter" eval '[[ $(joined stdout) == a ]]'
	go_on "$word"
	await "é" eval '[[ $(joined stdout) == aé ]]'
	go_on "$word"
	sleep 0.1
	go_on "$word"
	await "the smile" eval '[[ $(joined stdout) == aé😀b ]]'
	go_on "$word"
	sleep 0.1
	go_on "$word"
	stream_end
	expect_events
	# What is left at the end is half a character.
	jq -rj 'select(.type == "stdout") | .base64 // empty' out >half
	check "the last bytes are $(cat half)" test "$(cat half)" = 4oI=
fi

if testcase "bytes that are no text come as base64"; then
	stream /run '{"command": "perl -e \"print map { chr } (0 .. 255) x 64\""}'
	stream_end
	expect_events
	jq -r 'select(.type == "stdout") | if has("base64") then .base64 else
	    (.data | @base64) end' out | while read -r part; do
		base64 -d <<<"$part"
	done >bytes
	perl -e 'print map { chr } (0 .. 255) x 64' | cmp -s - bytes ||
	    fail "the bytes are not those that were written"
fi

if testcase "every end has exactly one last event, with its reason"; then
	spin='while :; do :; done'
	while read -r reason fields script; do
		stream /run "$(script "echo up; $script" "$fields")"
		stream_end
		expect_events
		expect_exit ".reason == \"$reason\""
		check "$reason: output is lost" grep -q '"up\\n' out
	done <<-END
		exit {} exit 0
		signal {} kill -KILL \$\$
		time {"time":500} $spin
		wall {"wall":1000} exec sleep 60
		output {"output":1000} exec cat /dev/zero
	END
	stream /run '{"command": ["no-such-command"]}'
	stream_end
	expect_events
	expect_exit '.exit_code == 127 and .reason == "exit"'
fi

if testcase "what is refused is an error and no stream"; then
	for type in application/x-ndjson text/event-stream; do
		http POST /run '{"command": 1}' -H "Accept: $type"
		expect_error 422 invalid_field command
		expect_field Content-Type application/json
		http POST /run '{"command": "true", "cwd": "/no/such"}' \
		    -H "Accept: $type"
		if [[ $code == 200 ]]; then
			sed -n 's/^data: //; /^./p' out | tail -n 1 >last
			expect_json '.type == "error" and
			    .code == "invalid_field"' last
		else
			expect_error 422 invalid_field cwd
		fi
	done
fi

if testcase "which form is wanted is read from Accept"; then
	while IFS='|' read -r want accept; do
		http POST /run '{"command": "true"}' -H "Accept: $accept"
		expect_code 200
		expect_field Content-Type "$want(;.*)?"
	done <<-'END'
		application/json|*/*
		application/json|application/json
		application/x-ndjson|application/x-ndjson, */*
		application/x-ndjson|APPLICATION/X-NDJSON
		text/event-stream|text/event-stream;q=0.9
		application/json|text/html
		application/json|application/x-ndjsonx
	END
fi

if testcase "there is no limit of output where nobody asks for one"; then
	stream /run '{"command": "head -c 5000000 /dev/zero | tr \"\\\\0\" a"}'
	stream_end
	expect_exit '.reason == "exit" and (.truncated.stdout | not)'
	check "not all came" test "$(joined stdout | wc -c)" = 5000000
fi

if testcase "a limit of output holds to the byte"; then
	stream /run '{"command": "head -c 5000000 /dev/zero | tr \"\\\\0\" a",
	    "output": 70001}'
	stream_end
	expect_exit '.reason == "output" and .truncated.stdout'
	check "$(joined stdout | wc -c) bytes came" \
	    test "$(joined stdout | wc -c)" = 70001
fi

if testcase "files are placed and collected in a stream as well"; then
	stream /run '{"command": "tr a b <f >g", "cwd": "/tmp",
	    "files": [{"path": "f", "content": "aaa"}], "collect": ["g"]}'
	stream_end
	expect_exit '.files[0].content == "bbb"'
fi

if testcase "a client that goes away ends its sandbox at once"; then
	word=gone-$$
	stream /run "$(script "sleep 1000 & echo up; exec perl -e '
	    \$SIG{\$_} = q(IGNORE) for keys %SIG; sleep 60 while 1' $word" \
	    '{wall: 60000}')"
	await "the command" eval 'grep -q up events && runs_inside $word'
	kill -KILL "$pid"
	await "its end" gone_inside "$word"
	# And one that waits for a whole answer.
	word=waits-$$
	script "exec perl -e 'sleep 60' $word" '{wall: 60000}' >request
	curl -sS -H 'Content-Type: application/json' --data-binary @request \
	    "http://$HTTP_TCP/run" >out 2>err &
	pid=$!
	await "the command" runs_inside "$word"
	kill -KILL "$pid"
	await "its end" gone_inside "$word"
fi

if testcase "a client that resets the connection does so too"; then
	word=reset-$$
	script "echo up; exec perl -e 'sleep 60' $word" '{wall: 60000}' |
	    post application/x-ndjson >request
	"$PYTHON" "$HTTP_DIR/client.py" hold "$HTTP_TCP" 1 data <request &
	await "the command" eval '[[ -e up ]] && runs_inside $word'
	: >reset
	await "its end" gone_inside "$word"
	wait $!
fi

# A process of the server that serves this client, by what it has in memory.
largest_server()
{
	local process most=0 size

	for process in $(leaks_mayflies); do
		size=$(awk '$1 == "VmRSS:" { print $2 }' \
		    "/proc/$process/status" 2>/dev/null)
		((${size:-0} <= most)) || most=$size
	done
	echo "$most"
}

if long && testcase "a slow reader holds back the command, not memory" &&
    require "it is built with sanitizers" is_plain; then
	word=slow-$$
	script "exec perl -e '\$| = 1; \$b = q(a) x 65536;
	    while (1) { print \$b; \$n++; print STDERR qq(\$n ) }' $word" \
	    '{wall: 60000, time: 60000}' |
	    post application/x-ndjson >request
	"$PYTHON" "$HTTP_DIR/client.py" hold "$HTTP_TCP" 1 data <request &
	pid=$!
	await "the command" eval '[[ -e up ]] && runs_inside $word'
	process=$(inside "$word" | head -n 1)
	written()
	{
		awk '$1 == "wchar:" { print $2 }' "/proc/$process/io"
	}
	held=no
	for _ in {1..40}; do
		before=$(written)
		sleep 0.25
		[[ $before != "$(written)" ]] || {
			held=yes
			break
		}
	done
	check "the command writes on" test "$held" = yes
	check "it has written $(written) bytes" test "$(written)" -lt 20000000
	size=$(largest_server)
	check "a process of the server has $size KB" test "$size" -lt 16384
	kill -KILL "$pid"
	await "its end" gone_inside "$word"
fi

if long && testcase "memory stays flat while a gigabyte streams through" &&
    require "it is built with sanitizers" is_plain; then
	script 'exec perl -e "print q(a) x 65536 for 1 .. 16384"' \
	    '{wall: 60000, time: 60000}' >request
	tail -c 2000 < <(curl -sS -N -H 'Accept: application/x-ndjson' \
	    -H 'Content-Type: application/json' --data-binary @request \
	    "http://$HTTP_TCP/run" 2>err) >last &
	pid=$!
	most=0
	while kill -0 "$pid" 2>/dev/null; do
		size=$(largest_server)
		((size <= most)) || most=$size
		sleep 0.2
	done
	wait "$pid"
	tail -n 1 last >out
	expect_exit '.reason == "exit" and .exit_code == 0'
	check "a process of the server had $most KB" \
	    test "$most" -gt 0 -a "$most" -lt 16384
fi

# The one that takes its time: the ping comes after 15 seconds of silence.
if long && testcase "silence is broken by a ping"; then
	stream /run '{"command": "sleep 16; echo up", "wall": 40000}'
	stream_end
	expect_events
	expect_json '[.[] | select(.type == "ping")] | length == 1' \
	    <(jq -cs . out)
	jq -r .type out | tr '\n' ' ' >types
	check "the order is $(cat types)" \
	    test "$(cat types)" = 'start ping stdout exit '
fi
