#!/bin/bash
# The result of --json and --verdict: mayfly(1), and the limit output.
# as: root user
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

if testcase "the JSON has every field, and nothing else"; then
	run --json -- sh -c 'echo out; echo err >&2; exit 3'
	expect_status 3
	expect_no_err
	expect_json '.stdout == "out\n" and .stderr == "err\n"'
	expect_json '.exit_code == 3 and .signal == null'
	expect_json '.reason == "exit"'
	expect_json '.truncated == {"stdout": false, "stderr": false}'
	expect_json '.usage | keys == ["cpu_ms", "memory_kb", "wall_ms"]'
	expect_json '.usage | all(type == "number" and . >= 0 and . == floor)'
	expect_json '.enforced | type == "object"'
	expect_json 'keys - ["files"] == ["enforced", "exit_code", "reason",
	    "signal", "stderr", "stdout", "truncated", "usage"]'
	expect_json '(.files // []) == []'
	check "out is not one JSON text" \
	    test "$(jq -s length out)" = 1
	check "out does not end with a newline" \
	    test "$(tail -c 1 out | od -An -c | tr -d ' ')" = '\n'
fi

if testcase "--verdict passes the streams and writes all the rest"; then
	run --verdict verdict -- sh -c 'echo out; echo err >&2; exit 3'
	expect_status 3
	expect_out out
	check "err is not err" grep -qx err err
	expect_json '.exit_code == 3 and .reason == "exit"' verdict
	expect_json 'keys - ["files"] == ["enforced", "exit_code", "reason",
	    "signal", "truncated", "usage"]' verdict
	check "the file is not one JSON text" \
	    test "$(jq -s length verdict)" = 1
fi

if testcase "--verdict replaces what the file held"; then
	head -c 10000 /dev/zero | tr '\0' x >verdict
	chmod 666 verdict
	run --verdict verdict -- true
	expect_status 0
	expect_json '.exit_code == 0' verdict
fi

if testcase "what is no verdict of this run does not stay in the file"; then
	for option in --image=none-such --user=no-such-user --cwd=/none; do
		echo '{"exit_code":0}' >verdict
		chmod 666 verdict
		run --verdict verdict "$option" -- echo started
		expect_status 125
		expect_no_out
		check "with $option it is $(<verdict)" test ! -s verdict
	done
	echo '{"exit_code":0}' >verdict
	mayfly session run 0000000000000000000000none --verdict verdict -- \
	    true >out 2>err
	status=$?
	expect_status 125
	check "without a session it is $(<verdict)" test ! -s verdict
fi

if testcase "--verdict has the reason for every way to end"; then
	run --verdict verdict --wall 200 -- sleep 20
	expect_status 124
	expect_json '.reason == "wall" and .signal == 9' verdict
	run --verdict verdict -- no-such-command
	expect_status 127
	expect_json '.reason == "exit" and .exit_code == 127' verdict
	run --verdict verdict -- sh -c 'kill -9 $$'
	expect_status 137
	expect_json '.reason == "signal" and .signal == 9' verdict
fi

if testcase "a verdict that cannot be written fails before the command runs"
then
	run --verdict /no/such/directory/verdict -- echo started
	expect_status 125
	expect_err_has verdict
	expect_no_out
fi

if testcase "a verdict that cannot be written is told as one"; then
	run --verdict /dev/full -- true
	expect_status 125
	expect_err_has '^mayfly: verdict: /dev/full: No space left on device$'
fi

if testcase "the JSON is whole where stdout does not block"; then
	t_as perl -e 'use Fcntl;
	    fcntl(STDOUT, F_SETFL, O_WRONLY | O_NONBLOCK) or die; exec @ARGV' \
	    "$MAYFLY" run --json -- sh -c 'head -c 500000 /dev/zero |
		tr "\0" x' </dev/null 2>err | (
		sleep 0.5
		cat >out
	)
	status=${PIPESTATUS[0]}
	expect_status 0
	expect_no_err
	expect_json '(.stdout | length) == 500000'
fi

if testcase "text survives the JSON exactly"; then
	text=$'q" b\\ s/ \t\r\n \x01\x1f\x7f é 漢 😀 \u2028 </script>'
	run --json -- printf '%s' "$text"
	expect_status 0
	check "stdout has changed" \
	    cmp <(jq -j .stdout out) <(printf '%s' "$text")
	expect_json 'has("stdout_base64") | not'
	run --json -- sh -c 'printf "%s" "$1" >&2' sh "$text"
	check "stderr has changed" \
	    cmp <(jq -j .stderr out) <(printf '%s' "$text")
	expect_json 'has("stderr_base64") | not'
fi

if testcase "a NUL byte is text"; then
	run --json -- printf 'a\0b'
	expect_json '.stdout == "a\u0000b"'
	expect_json 'has("stdout_base64") | not'
fi

if testcase "bytes that are not UTF-8 become U+FFFD and base64"; then
	run --json -- perl -e 'print map chr, 0 .. 255'
	expect_json '.stdout | test("\ufffd")'
	expect_json '.stdout | startswith("\u0000\u0001\u0002")'
	check "stdout_base64 is not the bytes" \
	    cmp <(jq -r .stdout_base64 out | base64 -d) \
	    <(perl -e 'print map chr, 0 .. 255')
	expect_json 'has("stderr_base64") | not'
	run --json -- perl -e 'print STDERR "ok \xff"'
	expect_json '.stderr == "ok \ufffd"'
	expect_json '.stderr_base64 == "b2sg/w=="'
	expect_json 'has("stdout_base64") | not'
fi

if testcase "overlong, surrogate and cut sequences are not UTF-8"; then
	for bytes in '\xc0\x80' '\xe0\x80\x80' '\xed\xa0\x80' \
	    '\xf4\x90\x80\x80' '\xf8\x88\x80\x80\x80' '\xe6\xbc' '\x80'; do
		run --json -- printf "%ba" "a$bytes"
		expect_json 'has("stdout_base64")'
		check "jq cannot read the JSON of $bytes" jq -e . out
		check "the bytes $bytes have changed" \
		    cmp <(jq -r .stdout_base64 out | base64 -d) \
		    <(printf "%ba" "a$bytes")
	done
fi

if testcase "output over the limit ends the run, cut to the byte"; then
	run --json --output 1000 -- sh -c '
	    head -c 5000 /dev/zero | tr "\0" x; sleep 20'
	expect_status 124
	expect_json '.reason == "output"'
	expect_json '.signal == 9 and .exit_code == null'
	expect_json '.stdout == "x" * 1000'
	expect_json '.truncated == {"stdout": true, "stderr": false}'
fi

if testcase "stderr over the limit ends the run as well"; then
	run --json --output 1000 -- sh -c '
	    echo out; head -c 5000 /dev/zero | tr "\0" x >&2; sleep 20'
	expect_status 124
	expect_json '.reason == "output"'
	expect_json '.stderr == "x" * 1000 and .stdout == "out\n"'
	expect_json '.truncated == {"stdout": false, "stderr": true}'
fi

if testcase "output of exactly the limit is within it"; then
	run --json --output 1000 -- sh -c '
	    head -c 1000 /dev/zero | tr "\0" x
	    head -c 1000 /dev/zero | tr "\0" y >&2'
	expect_status 0
	expect_json '.reason == "exit" and .stdout == "x" * 1000'
	expect_json '.stderr == "y" * 1000'
	expect_json '.truncated == {"stdout": false, "stderr": false}'
fi

if testcase "a command that ends after one byte too many is still cut"; then
	run --json --output 1000 -- sh -c 'head -c 1001 /dev/zero'
	expect_status 124
	expect_json '.reason == "output" and (.stdout | length) == 1000'
fi

if testcase "--output 0 allows none"; then
	run --json --output 0 -- true
	expect_status 0
	run --json --output 0 -- sh -c 'echo; sleep 20'
	expect_status 124
	expect_json '.reason == "output" and .stdout == ""'
fi

if testcase "with --json 1,048,576 bytes of each stream are kept"; then
	run --json -- sh -c 'head -c 1048576 /dev/zero | tr "\0" x'
	expect_status 0
	expect_json '(.stdout | length) == 1048576'
	run --json -- sh -c 'head -c 1048577 /dev/zero | tr "\0" x; sleep 20'
	expect_status 124
	expect_json '.reason == "output" and (.stdout | length) == 1048576'
fi

if testcase "without --json output is not limited unless asked for"; then
	run -- head -c 3000000 /dev/zero
	expect_status 0
	check "out is not 3,000,000 bytes" test "$(stat -c %s out)" = 3000000
	run --output 1000 -- sh -c 'head -c 5000 /dev/zero; sleep 20'
	expect_status 124
	expect_err_has output
	check "out is not 1,000 bytes" test "$(stat -c %s out)" = 1000
fi

if testcase "a flood of output is ended by the limit"; then
	run --json --time 60000 -- yes
	expect_status 124
	expect_json '.reason == "output"'
	run --json --time 60000 --output 100000 -- perl -e '
	    $| = 1; print "\n" while 1'
	expect_json '.reason == "output" and .stdout == "\n" * 100000'
fi

if testcase "what mayfly itself says is not in the command's stderr"; then
	run --json --wall 200 -- sleep 20
	expect_json '.stderr == ""'
fi

t_done
