# shellcheck shell=bash
#
# For topics about the store of sessions, by the command `mayfly session`.
# Sessions that are not deleted show as leaks: their files are new.
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

# A session was made; sets id.
expect_made()
{
	id=$(cat out)
	[[ $status == 0 && $id =~ ^[a-z0-9]{26}$ ]] ||
	    fail "no session was made: $status"
}

# Makes a session; sets id.
create()
{
	session create "$@"
	expect_made
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

# Deletes the session of the case, and with more words those.
delete()
{
	session delete "${1:-$id}"
	expect_status 0
}

# Sessions and trash on disk.
stored()
{
	find "$STATE/$1" -mindepth 1 -maxdepth 1 | wc -l
}

# What is left on disk is nothing.
expect_clean()
{
	check "there are sessions" test "$(stored sessions)" = 0
	check "there is trash" test "$(stored trash)" = 0
}
