# shellcheck shell=bash
#
# For rows about the store of sessions, by the command `mayfly session`.
#
# shellcheck disable=SC2154 # t.sh sets status

STATE=$T_ROOT/state
[[ $AS == root ]] || STATE=$T_ROOT/state/mayfly
id=''

# `mayfly session ...` with nothing to read; leaves out, err and status.
session()
{
	mayfly session "$@" </dev/null >out 2>err
	status=$?
}

# Makes a session; sets id.
create()
{
	session create "$@"
	id=$(cat out)
	[[ $status == 0 && $id =~ ^[a-z0-9]{26}$ ]] ||
	    fail "no session was made: $status"
}

# A run in the session.
inside()
{
	session run "$id" "$@"
}

reap()
{
	mayfly reap "$@" </dev/null >out 2>err
	status=$?
}

delete()
{
	session delete "${1:-$id}"
	expect_status 0
}

# What is left on disk is nothing.
expect_clean()
{
	local dir

	for dir in sessions trash; do
		[[ -z $(ls -A "$STATE/$dir") ]] ||
		    fail "something is left in $dir: $(ls -A "$STATE/$dir" |
			head -n 3 | xargs)"
	done
}

# A directory of the host's that everybody may change, if he gets there.
make_canary()
{
	mkdir -p canary/below
	echo alive >canary/file
	echo alive >canary/below/file
	chmod 0777 canary canary/below
	chmod 0666 canary/file canary/below/file
}

expect_canary()
{
	[[ $(find canary -printf '%P %m %l\n' | sort | xargs) == \
	    "777 below 777 below/file 666 file 666" &&
	    $(cat canary/file canary/below/file | xargs) == "alive alive" ]] ||
	    fail "the host's directory has changed: $(find canary -ls)"
}
