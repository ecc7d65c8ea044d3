#!/bin/bash
# What mayfly exits with: mayfly(1).
# as: root user
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

if testcase "every exit code of a command is passed on"; then
	wrong=
	codes=({0..255})
	# As another user it is the same code: some are enough.
	[[ $AS == root || $EUID != 0 ]] || codes=(0 1 63 64 {123..130} 255)
	for code in "${codes[@]}"; do
		mayfly run -- sh -c "exit $code" </dev/null >out 2>err
		status=$?
		((status == code)) || wrong+=" $code->$status"
	done
	[[ -z $wrong ]] || fail "passed on wrongly:$wrong"
	expect_no_out
	expect_no_err
fi

if testcase "every exit code of a command is in the JSON, and mayfly's too"
then
	for code in 0 1 64 124 125 126 127 128 137 255; do
		run --json -- sh -c "exit $code"
		expect_status "$code"
		expect_json ".exit_code == $code and .signal == null"
		expect_json '.reason == "exit"'
	done
fi

if testcase "a command that dies of signal n gives 128+n"; then
	for signal in 1 2 3 4 6 7 8 9 10 11 12 13 14 15 24 25 31 34 64; do
		run -- sh -c 'kill -"$1" $$; sleep 1' sh "$signal"
		expect_status $((128 + signal))
	done
fi

if testcase "a command that dies of a signal has it in the JSON"; then
	run --json -- perl -e 'kill 11, $$; sleep 5'
	expect_status 139
	expect_json '.signal == 11 and .exit_code == null'
	expect_json '.reason == "signal"'
	run --json -- perl -e 'kill 9, $$; sleep 5'
	expect_status 137
	expect_json '.signal == 9 and .exit_code == null'
	expect_json '.reason == "signal"'
fi

if testcase "a command that is not found gives 127 and names it"; then
	run -- no-such-command-here
	expect_status 127
	expect_err_has no-such-command-here
	run -- /usr/bin/no-such-command-here
	expect_status 127
	run -- ./no-such-command-here
	expect_status 127
	run -- /etc/passwd/no-such-command-here
	expect_status 126 127
fi

if testcase "what mayfly says is one line, whatever it speaks of"; then
	run -- $'no\e[2J\nmayfly: such'
	expect_status 127
	check "it is $(<err)" cmp -s err \
	    <(echo 'mayfly: no?[2J?mayfly: such: No such file or directory')
fi

if testcase "an empty command is not found"; then
	run -- ''
	expect_status 127
fi

if testcase "a command that begins with a dash is not an option after --"
then
	run -- --help
	expect_status 127
	expect_no_out
fi

if testcase "a file that is not executable gives 126"; then
	run -- /etc/passwd
	expect_status 126
	expect_err_has /etc/passwd
fi

if testcase "a directory as command gives 126"; then
	for dir in / /usr /tmp .; do
		run -- "$dir"
		expect_status 126
	done
fi

if testcase "a program in no format the kernel knows gives 126"; then
	mkdir prog
	printf 'not a program\n' >prog/garbage
	printf '\177ELFbroken' >prog/elf
	: >prog/empty
	chmod 755 prog prog/*
	for name in garbage elf empty; do
		run --ro-bind "$PWD/prog:/prog" -- "/prog/$name"
		expect_status 126
	done
fi

if testcase "a missing interpreter is a command that cannot be started"; then
	mkdir prog
	printf '#!/no/such/interpreter\n' >prog/script
	printf '#!/usr/bin\n' >prog/directory
	chmod 755 prog prog/*
	run --ro-bind "$PWD/prog:/prog" -- /prog/script
	expect_status 126
	expect_err_has script
	run --ro-bind "$PWD/prog:/prog" -- /prog/directory
	expect_status 126
fi

if testcase "a script with an interpreter runs"; then
	mkdir prog
	printf '#!/bin/sh\necho "$0 $1"\n' >prog/script
	chmod 755 prog prog/*
	run --ro-bind "$PWD/prog:/prog" -- /prog/script one
	expect_status 0
	expect_out "/prog/script one"
fi

if testcase "not found and not executable are exits in the JSON"; then
	run --json -- no-such-command-here
	expect_status 127
	expect_json '.exit_code == 127 and .signal == null'
	expect_json '.reason == "exit"'
	run --json -- /etc/passwd
	expect_status 126
	expect_json '.exit_code == 126 and .signal == null'
	expect_json '.reason == "exit"'
fi

if testcase "200 KB of arguments arrive"; then
	word=$(printf '%0100000d' 0)
	run -- perl -e 'print length($_), "\n" for @ARGV' "$word" "$word"
	expect_status 0
	expect_out $'100000\n100000'
fi

if testcase "an argument list that is too long gives 126"; then
	word=$(printf '%0100000d' 0)
	# Arguments may fill a quarter of the stack, or 128 KB.
	run --stack 256 -- true "$word" "$word"
	expect_status 126
	run --stack 256 --json -- true "$word" "$word"
	expect_status 126
	expect_json '.exit_code == 126 and .reason == "exit"'
fi

if testcase "5,000 arguments arrive in order"; then
	mapfile -t many < <(seq 5000)
	run -- printf '%s\n' "${many[@]}"
	expect_status 0
	check "out is not 1 to 5000" cmp out <(seq 5000)
fi

if testcase "an empty argument stays an argument"; then
	run -- printf '<%s>' '' a ''
	expect_status 0
	check "out is not <><a><>" cmp out <(printf '<><a><>')
fi

if testcase "arguments that are not UTF-8 arrive as they are"; then
	odd=$'\xff\xfe\x80 \xc3( \xed\xa0\x80'
	run -- printf '%s' "$odd"
	expect_status 0
	check "the bytes have changed" cmp out <(printf '%s' "$odd")
	run -- "$odd"
	expect_status 127
	run --json -- printf '%s' "$odd"
	expect_status 0
	check "stdout_base64 is not the bytes" \
	    cmp <(jq -r .stdout_base64 out | base64 -d) <(printf '%s' "$odd")
fi

if testcase "arguments with newlines and quotes arrive as they are"; then
	odd=$'a\nb\t"c" \'d\' $e `f` \\'
	run -- printf '%s' "$odd"
	expect_status 0
	check "the text has changed" cmp out <(printf '%s' "$odd")
fi

if testcase "a limit that ends a run gives 124 and one line that says which"
then
	run --wall 200 -- sleep 20
	expect_status 124
	expect_no_out
	expect_err_has wall
	check "err is not one line" test "$(wc -l <err)" -eq 1
	run --time 100 -- sh -c 'while :; do :; done'
	expect_status 124
	expect_err_has time
	check "err is not one line" test "$(wc -l <err)" -eq 1
	run --output 10 -- sh -c 'echo 0123456789ABCDEF; sleep 20'
	expect_status 124
	expect_err_has output
	check "err is not one line" test "$(wc -l <err)" -eq 1
fi

if testcase "that line is one of its own behind what the command wrote"; then
	run --wall 1000 -- sh -c 'printf abc >&2; sleep 20'
	expect_status 124
	check "err is not two lines" \
	    test "$(sed 's/ .*//' err)" = $'abc\nmayfly:'
	run --wall 1000 -- sh -c 'echo abc >&2; sleep 20'
	expect_status 124
	check "err is not two lines" \
	    test "$(sed 's/ .*//' err)" = $'abc\nmayfly:'
	for option in --json --tty; do
		run "$option" --wall 1000 -- sh -c 'printf abc >&2; sleep 20'
		expect_status 124
		check "$option: err is not one line" \
		    test "$(sed 's/ .*//' err)" = mayfly:
	done
	run -- sh -c 'printf abc >&2; exit 3'
	check "err is not what was written" test "$(cat err)" = abc
fi

if testcase "mayfly's own failure gives 125 and names the step"; then
	# A user namespace in which no further one may be made.
	t_as unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces &&
	    exec "$@"' sh "$MAYFLY" run -- echo started \
	    </dev/null >out 2>err
	status=$?
	expect_status 125
	expect_no_out
	expect_err_has '^mayfly: .*[a-z]+:'
fi

if testcase "mayfly's own failure is not hidden by --json"; then
	t_as unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces &&
	    exec "$@"' sh "$MAYFLY" run --json -- echo started \
	    </dev/null >out 2>err
	status=$?
	expect_status 125
	check "err is empty" test -s err
fi

if testcase "output that cannot be written is not reported as success"; then
	mayfly run -- echo lost </dev/null >/dev/full 2>err
	status=$?
	check_not "status is 0, though the output is lost" \
	    test "$status" -eq 0
	mayfly run --json -- echo lost </dev/null >/dev/full 2>err
	status=$?
	check_not "status is 0, though the JSON is lost" test "$status" -eq 0
	for words in 'session create' 'session list' --help --version; do
		# shellcheck disable=SC2086
		mayfly $words >/dev/full 2>err
		status=$?
		expect_status 125
		expect_err_has '^mayfly: stdout: '
	done
	for one in $(mayfly session list | cut -d ' ' -f 1); do
		mayfly session delete "$one"
	done
fi

# limited BLOCKS WORD...: mayfly, which may write no larger files.
limited()
{
	# shellcheck disable=SC2016
	t_as sh -c 'ulimit -f "$1"; shift; exec "$@"' sh "$1" "$MAYFLY" \
	    "${@:2}" </dev/null >out 2>err
	status=$?
}

if testcase "a file that mayfly may not write is told, and ends no one"; then
	# Of 512 or 1,024 bytes each; root's list of ids has some.
	limited 500 run -- head -c 1000000 /dev/zero
	expect_status 125
	expect_err_has '^mayfly: stdout: output was lost: File too large$'
	limited 500 run --json -- head -c 1000000 /dev/zero
	expect_status 125
	expect_err_has '^mayfly: stdout: File too large$'
	t_as sh -c 'ulimit -f 0; exec "$@"' sh "$MAYFLY" run -- true \
	    </dev/null 2>&1 | cat >err
	status=${PIPESTATUS[0]}
	expect_status 125
	expect_err_has '^mayfly: [a-z]+: .*File too large$'
	# The command's own limit ends the command.
	run --fsize 4 -- dd if=/dev/zero of=/tmp/f bs=4096 count=4
	expect_status 153
fi

if testcase "input that cannot be read to its end is not reported as success"
then
	# The memory at 0 is nobody's: the first read fails.
	mayfly run -- cat </proc/self/mem >out 2>err
	status=$?
	expect_status 125
	expect_err_has '^mayfly: stdin: input was lost: '
	# What cannot be read at all has nothing to be lost.
	mayfly run -- cat <. >out 2>err
	status=$?
	expect_status 0
	mayfly run -- cat 0>nothing >out 2>err
	status=$?
	expect_status 0
fi

t_done
