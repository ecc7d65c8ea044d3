# shellcheck shell=bash
#
# Verbs for snapshots, forks and the layers that they share; $id is the session.
# shellcheck disable=SC2016,SC2034,SC2119,SC2120 # programs for inside; names for the topic

# shellcheck source=tests/store.sh
. "$T_TREE/tests/store.sh"

snapshot()
{
	mayfly snapshot "$@" </dev/null >out 2>err
	status=$?
}

# The verbs of store.sh in the form that is wanted here.

# Makes a session that stays; sets id.
create()
{
	session create --ttl none "$@"
	expect_made
}

# A run of a script in the session.
inside()
{
	local words=()

	while [[ $1 == --* ]]; do
		words+=("$1" "$2")
		shift 2
	done
	session run "$id" "${words[@]}" -- sh -c "$1"
}

# A snapshot of the session; sets taken.
take()
{
	session snapshot "${2:-$id}" ${1:+"$1"}
	taken=$(cat out)
	[[ $status == 0 && $taken =~ ^[a-z0-9]{26}$ ]] ||
	    fail "no snapshot was taken: $status"
}

# Forks of the session; sets forks.
fork()
{
	session fork "$id" "$@"
	expect_status 0
	mapfile -t forks <out
	check "${#forks[@]} forks were made" test "${#forks[@]}" = "${1:-1}"
}

delete()
{
	local one

	for one; do
		session delete "$one"
		expect_status 0
	done
}

reap()
{
	mayfly reap "$@" </dev/null >out 2>err
	status=$?
	expect_status 0
}

# Layers on disk.
layers()
{
	find "$STATE/layers" -mindepth 2 -maxdepth 2 2>/dev/null | wc -l
}

# Those that a manifest names.
depth()
{
	tr '\0' '\n' <"$STATE/${2:-sessions}/$1/image" | grep -c '^snapshot='
}

# What is in a directory, in one line.
names()
{
	find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs
}

# With these sessions and snapshots all of it goes.
expect_gone()
{
	delete "$@"
	snapshot list
	while read -r one _; do
		mayfly snapshot delete "$one" </dev/null >/dev/null
	done <out
	reap
	find "$STATE"/{layers/*,snapshots,sessions,trash,tree} -mindepth 1 \
	    -maxdepth 1 >out
	expect_no_out
}

# The directories that the first of them makes for all later ones.
(
	cd "$T_ROOT" || exit
	create
	inside 'echo >/root/f'
	fork
	take
	expect_gone "$id" "${forks[@]}"
) </dev/null
