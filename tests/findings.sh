# shellcheck shell=bash
#
# Verbs for what the doctor finds: its report is in json.
# shellcheck disable=SC2034 # names for the topic

# doctor [COMMAND...]: as the test user, started by the command; leaves the
# report in out and as JSON in json, and status.
doctor()
{
	local code

	t_as timeout -s KILL "$T_PATIENCE" "$@" "$MAYFLY" doctor --json \
	    </dev/null >json 2>err
	code=$?
	t_as timeout -s KILL "$T_PATIENCE" "$@" "$MAYFLY" doctor \
	    </dev/null >out 2>>err
	status=$?
	[[ $code == "$status" ]] ||
	    fail "status is $status, and $code with --json"
}

# found NAME FILTER: what jq says of the finding.
found()
{
	jq -r --arg name "$1" \
	    ".findings[] | select(.name == \$name) | $2" json
}

# expect_level NAME ok|warn|fail
expect_level()
{
	local level

	level=$(found "$1" .level)
	[[ $level == "$2" ]] ||
	    fail "$1 is '$level', not $2: $(found "$1" .found)"
}

# expect_says NAME FIELD PATTERN
expect_says()
{
	found "$1" ".$2" | grep -qE -e "$3" ||
	    fail "$2 of $1 does not have /$3/: $(found "$1" ".$2")"
}
