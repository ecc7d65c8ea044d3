# shellcheck shell=bash
#
# What the rows of the attack suite share. A row is a script, named after its
# number in the list of threats, that says what an attack tries and what it
# must see; the attack itself is a program of the same name, which runs inside
# and prints every attempt with its outcome. It exits with 0 only when nothing
# succeeded that must not, but is not believed: the script compares all of its
# output, and looks at the host wherever something can be seen from there.
#
#	ROW=A13
#	for INSIDE in $ATTACK_UIDS; do
#		if attackcase "a sentence"; then
#			attack a13_keyrings
#			expect_contained <<-END
#				add_key: ENOSYS
#			END
#		fi
#	done
#	t_done
#
# Environment, besides that of t.sh:
#	ATTACK_UIDS	user ids inside to try ("0 1000")
#	ATTACK_BIN	a directory with programs that are compiled already
#	ATTACK_ALONE	set where rows do not run side by side: what the host
#			loses meanwhile is then the attack's doing
#	ATTACK_SLACK	ms by which an end may be late on a busy machine
#	CC		the compiler

# shellcheck source=tests/t.sh
. "$(dirname "${BASH_SOURCE[0]}")/../t.sh"

# shellcheck source=tests/attack/compile.sh
. "$(dirname "${BASH_SOURCE[0]}")/compile.sh"

ATTACK_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ATTACK=$T_ROOT/attack
mkdir -m 0755 "$ATTACK"
ATTACK_UIDS=${ATTACK_UIDS:-0 1000}
ROW=${ROW:-}
INSIDE=0
OPTIONS=()
# The core limit inside: 1, unless it came down to 0 before.
# shellcheck disable=SC2034 # for the rows
CORE='1 1'
# shellcheck disable=SC2034
[[ $(prlimit --core --output HARD --noheadings --raw) != 0 ]] || CORE='0 0'

# Makes /attack/NAME available.
program()
{
	[[ ! -e $ATTACK/$1 ]] || return 0
	if [[ -n ${ATTACK_BIN:-} ]]; then
		install -m 0755 "$ATTACK_BIN/$1" "$ATTACK/$1"
	else
		attack_compile "$1" "$ATTACK_DIR" "$ATTACK" ||
		    fail "$1.c does not compile"
	fi
}

# Is memory and time held by a cgroup here? Without one both are looked at from
# time to time, which SPECIFICATION.md does not promise to see everything; what
# then escapes is tried where there is a cgroup (tests/vm).
has_cgroup()
{
	[[ $(mayfly run --json -- true </dev/null 2>/dev/null |
	    jq -r .enforced.mem) == cgroup ]]
}

# Begins a case of this row for the present user inside.
attackcase()
{
	OPTIONS=()
	testcase "$ROW: $1 (uid $INSIDE inside)"
}

# The words of `mayfly run` up to the command, into words[].
attack_words()
{
	program "$1"
	words=(--user "$INSIDE:$INSIDE" "${OPTIONS[@]}"
	    --ro-bind "$ATTACK:/attack" -- "/attack/$1" "${@:2}")
}

# Runs an attack inside, with what is in OPTIONS.
attack()
{
	local words

	attack_words "$@"
	run "${words[@]}"
}

# Starts an attack that holds, and waits until it does; sets init and inside,
# the ids that PID 1 and the command have here.
attack_held()
{
	local words

	attack_words "$@"
	spawn run "${words[@]}" </dev/null
	await "the attack holds" holding && find_sandbox
}

holding()
{
	ended || grep -qx holding out
}

# Lets what attack_held started end.
release()
{
	[[ -z ${inside:-} ]] || kill -TERM "$inside"
	finish
}

# The last column of NSpid is the id in the innermost namespace, and there is
# more than one column for whatever is in a namespace below ours.
find_sandbox()
{
	local dir nspid

	init='' inside=''
	for dir in /proc/[0-9]*; do
		nspid=$(sed -n 's/^NSpid:[[:space:]]*//p' "$dir/status" 2>&1)
		[[ $nspid == *[[:space:]]* ]] || continue
		descends_from_us "${dir#/proc/}" || continue
		if [[ ${nspid##*[[:space:]]} == 1 ]]; then
			init=${dir#/proc/}
		elif [[ $(readlink "$dir/exe") == /attack/* ]]; then
			inside=${dir#/proc/}
		fi
	done
	[[ -n $init && -n $inside ]] || fail "no sandbox can be seen from here"
}

descends_from_us()
{
	local id=$1

	while ((id > 1)); do
		[[ $id != "$pid" ]] || return 0
		id=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$id/status" 2>&1)
	done
	return 1
}

# A field of /proc/PID/status.
status_of()
{
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# The program says that nothing succeeded, and its output is exactly stdin.
expect_contained()
{
	expect_status 0
	expect_text
}

expect_text()
{
	cat >want
	cmp -s want out && return
	fail "out is not what was expected ('<' expected, '>' seen):"
	detail "$(diff want out | grep '^[<>]' | head -n 20)"
}

# Writes a program that prepares something and then becomes mayfly, to be used
# as MAYFLY=$wrap: what a caller's own process may be like.
wrapper()
{
	wrap=$T_ROOT/wrap
	{
		echo '#!/bin/bash'
		printf 'MAYFLY=%q\n' "$MAYFLY"
		echo "$1"
		# shellcheck disable=SC2016
		echo 'exec "$MAYFLY" "$@"'
	} >"$wrap"
	chmod 0755 "$wrap"
}

# A directory that can be bound for writing: the caller's, or, where the caller
# is root, somebody's else.
shared_dir()
{
	mkdir -m 0755 "$1"
	((EUID != 0)) || chown "$(owner_outside)" "$1"
}

owner_outside()
{
	if [[ $AS == root ]]; then
		echo 61234
	else
		echo "$T_UID"
	fi
}

# Does the case need what only root of the host can arrange?
needs_root()
{
	((EUID == 0)) && return
	skip "only root can arrange it"
	return 1
}

now()
{
	echo $((${EPOCHREALTIME/./} / 1000))
}

# The last run took at most this many milliseconds since `began`; more on a
# machine that is so slow that it is waited for longer.
expect_took()
{
	local took=$(($(now) - began)) most=$(($1 * T_PATIENCE / 60))

	((took <= most)) || fail "it took $took ms, more than $most"
}

count()
{
	local i

	for ((i = $1; i <= $2; i++)); do
		echo "$i"
	done
}
