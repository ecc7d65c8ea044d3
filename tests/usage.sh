#!/bin/bash
# Wrong usage is refused by name, with 64 and before anything runs.
# as: root

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

# Refused with 64, nothing on stdout, and the pattern on stderr.
refused()
{
	local pattern=$1

	shift
	run "$@"
	[[ $status == 64 ]] || fail "run $* gave $status, not 64"
	[[ ! -s out ]] || fail "run $* printed something"
	grep -qE -e "$pattern" err || fail "run $*: err lacks /$pattern/"
}

LIMITS="time wall mem fsize stack nofile nproc disk session_disk cpus output"

if testcase "an unknown option names itself"; then
	refused bogus --bogus -- echo started
	refused bogus --bogus=1 -- echo started
	refused -Z -Z -- echo started
	refused frobnicate --json --frobnicate 3 -- echo started
fi

if testcase "an abbreviated option is unknown"; then
	refused '--tim' --tim 5000 -- echo started
	refused '--js' --js -- echo started
	refused '--verd' --verd x -- echo started
fi

if testcase "a missing command is wrong usage"; then
	refused '[Cc]ommand' --
	refused '[Cc]ommand'
	refused '[Cc]ommand' --json
	refused '[Cc]ommand' --time 100 --
fi

if testcase "an unknown subcommand names itself"; then
	mayfly frobnicate </dev/null >out 2>err
	status=$?
	expect_status 64
	expect_no_out
	expect_err_has frobnicate
	mayfly </dev/null >out 2>err
	status=$?
	expect_status 64
	mayfly --frobnicate </dev/null >out 2>err
	status=$?
	expect_status 64
	expect_err_has frobnicate
fi

if testcase "an option without its value is wrong usage"; then
	for option in $LIMITS env cwd image network bind ro-bind user verdict
	do
		refused "$option" "--$option"
	done
fi

if testcase "a limit that is not a number is refused, with its name"; then
	for limit in $LIMITS; do
		for value in 5x x5 -1 '' ' 5' '5 ' 0x10 1e3 +5 5.5.5 NaN; do
			refused "$limit" "--$limit" "$value" -- echo started
		done
	done
fi

if testcase "a limit that counts whole things takes no decimal"; then
	for limit in $LIMITS; do
		[[ $limit != cpus ]] || continue
		refused "$limit" "--$limit" 1000.5 -- echo started
	done
fi

if testcase "a limit out of range is refused with the range"; then
	for limit in $LIMITS; do
		for value in 99999999999999999999999 18446744073709551616 \
		    18446744073709551615 9223372036854775807; do
			refused "$limit.*[0-9]+[^0-9]+[0-9]+" \
			    "--$limit" "$value" -- echo started
		done
	done
fi

if testcase "both ends of the range a limit names are accepted"; then
	for limit in $LIMITS; do
		run "--$limit" 99999999999999999999999 -- true
		range=$(grep -oE '[0-9.]+ (to|-) [0-9.]+' err | tail -n 1)
		[[ -n $range ]] || fail "$limit: err names no range"
		# The lowest may be too little for any program to start.
		run "--$limit" "${range%% *}" -- true
		check_not "$limit ${range%% *} is refused" \
		    test "$status" -eq 64
		run "--$limit" "${range##* }" -- true
		check "$limit ${range##* } gives $status" \
		    test "$status" -eq 0
	done
fi

if testcase "zero is out of range where it would mean nothing"; then
	for limit in time wall mem nproc disk cpus; do
		refused "$limit" "--$limit" 0 -- echo started
	done
fi

if testcase "--help lists every limit and option"; then
	mayfly run --help </dev/null >out 2>err
	status=$?
	expect_status 0
	for option in $LIMITS env cwd image network bind ro-bind bind-root \
	    user tty no-tty json verdict; do
		expect_out_has "--$option\\b"
	done
	expect_no_err
fi

if testcase "--help and --version go to stdout and exit 0"; then
	mayfly --help </dev/null >out 2>err
	status=$?
	expect_status 0
	expect_out_has 'run'
	expect_no_err
	mayfly --version </dev/null >out 2>err
	status=$?
	expect_status 0
	expect_out_has '^mayfly [0-9]'
	expect_no_err
fi

if testcase "a network that is neither none nor off is refused"; then
	refused bridge --network bridge -- echo started
	refused network --network '' -- echo started
	refused network --network NONE -- echo started
fi

if testcase "an environment variable without a name or value is refused"
then
	refused env --env NOVALUE -- echo started
	refused env --env =value -- echo started
	refused env --env '' -- echo started
fi

if testcase "a user that is not an id inside is refused"; then
	for user in "ro ot" -1 65536 4294967295 4294967296 1: :1 1:2:3 1x '' \
	    0:65536 1:-1; do
		refused user --user "$user" -- echo started
	done
fi

if testcase "--json and --verdict exclude each other"; then
	refused 'json|verdict' --json --verdict v -- echo started
fi

if testcase "a bind without a source is refused"; then
	refused bind --bind :/x -- echo started
	refused bind --ro-bind '' -- echo started
fi

if testcase "what follows the command belongs to the command"; then
	run echo --json --bogus -- x
	expect_status 0
	expect_out "--json --bogus -- x"
	run -- echo -- --time
	expect_status 0
	expect_out "-- --time"
fi

if testcase "the last of two values of a limit counts"; then
	run --nofile 20 --nofile 30 -- sh -c 'ulimit -n'
	expect_status 0
	expect_out 30
fi

t_done
