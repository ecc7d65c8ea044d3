#!/bin/bash
#
# Shows that the attack suite bites: removes one defence after the other from
# the build, and expects that the attack named in the file mutations succeeds.
#
#	tests/attack/mutate.sh [NAME]...	NAME: first column of mutations
#
# A mutant that no longer runs a command proves nothing and counts as failed,
# as does an attack that succeeds with all defences in place.
#
# Environment: what run.sh reads, and MAKEFLAGS.

set -u

here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
# shellcheck source=tests/attack/compile.sh
. "$here/compile.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/mayfly-mutate.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
chmod 0755 "$work"
wanted=("$@")
passed=0 failed=0

list_mutations()
{
	sed '/^#/d; /^$/d; s/ *| */|/g' "$here/mutations"
}

is_wanted()
{
	local one

	((${#wanted[@]} > 0)) || return 0
	for one in "${wanted[@]}"; do
		[[ $1 != "$one" ]] || return 0
	done
	return 1
}

# The build with these variables, once for all rows that share it.
build()
{
	local name=$1

	shift
	[[ ! -e $work/$name/built ]] || return 0
	mkdir -p "$work/$name"
	make -C "$tree" BUILD="$work/$name" "$@" >"$work/$name/log" 2>&1 ||
	    return
	: >"$work/$name/built"
}

# Runs a row against a build: "green", "red", or what else is the matter.
try_row()
{
	local name=$1 row=$2 as=$3 uid=$4 pattern=$5 out=$work/$1.$2.$3.out

	if ! "$work/$name/mayfly" run -- true >"$out" 2>&1; then
		echo "runs nothing: $(head -c 60 "$out" | head -n 1)"
		return
	fi
	MAYFLY=$work/$name/mayfly CASE=$pattern "$here/run.sh" \
	    -a "$as" -u "$uid" "$row" >"$out" 2>&1
	if grep -q '^not ok - ' "$out"; then
		echo red
	elif grep -q '^ok - ' "$out"; then
		echo green
	else
		echo "did not run: $(grep -m 1 '^skip - ' "$out")"
	fi
}

judge()
{
	local name=$1 row=$3 as=$4 uid=$5 pattern=$6 before after variables

	# The words of the table may be quoted, as in MUTATE='-DA -DB'.
	eval "variables=($2)"
	if ! build "$name" "${variables[@]}"; then
		after="does not build"
	else
		after=$(try_row "$name" "$row" "$as" "$uid" "$pattern")
	fi
	before=$(try_row whole "$row" "$as" "$uid" "$pattern")
	printf '%-20s %-4s %-7s %-8s %-8s %s\n' "$name" "$row" "$as" \
	    "$before" "$after" "$pattern"
	if [[ $before == green && $after == red ]]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
}

if ! build whole; then
	cat "$work/whole/log" >&2
	exit 2
fi
export ATTACK_BIN=$work/attack
attack_compile_all "$here" "$ATTACK_BIN" || exit 2
printf '%-20s %-4s %-7s %-8s %-8s %s\n' defence row caller with without attack
while IFS='|' read -r name variables row as uid pattern; do
	is_wanted "$name" || continue
	judge "$name" "$variables" "$row" "$as" "$uid" "$pattern" </dev/null
done < <(list_mutations)
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0 && passed > 0))
