#!/bin/bash
#
# Shows that the tests bite: removes one defence after the other from the
# build, and expects that the test named in the file mutations fails.
#
#	tests/attack/mutate.sh [NAME]...	NAME: first column of mutations
#
# A mutant that no longer runs a command proves nothing and counts as failed,
# as does a test that fails with all defences in place, and a defence that can
# be removed but has no line in mutations.
#
# Environment: what run.sh and t.sh read, and MAKEFLAGS.

set -u

work=$(mktemp -d "${TMPDIR:-/tmp}/mayfly-mutate.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
chmod 0755 "$work"
# A copy of the sources: what is changed meanwhile would be half in a mutant.
tree=$work/tree here=$tree/tests/attack
mkdir "$tree"
tar -c -C "$(dirname "$0")/../.." --exclude=./.git --exclude='./build*' . |
    tar -x -C "$tree" || exit 2
# shellcheck source=tests/attack/compile.sh
. "$here/compile.sh"
wanted=("$@")
passed=0 failed=0
row='| %-18s | %-20s | %-6s | %-16s | %s |\n'
declare -A before=() # what came of each test with all defences

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

# The macros of these make variables, as the sources have them, in lines.
macros_of()
{
	printf '%s\n' "$@" | grep -oE 'DMUTATE_[A-Z0-9_]+' |
	    sed 's/^DMUTATE_\(.*\)/\\bMUTATE_\1\\b\nDEFENCE(\1)/'
}

# Of a copy of the whole build only that is made anew which the macros are in.
start_from_whole()
{
	local dir=$work/$1 file

	shift
	macros_of "$@" >"$work/macros"
	[[ -s $work/macros ]] || return 0
	(cd "$tree" && grep -l -f "$work/macros" {exec,activator}/*.[ch]) \
	    >"$work/files"
	if [[ ! -s $work/files ]]; then
		echo "no source has $(xargs <"$work/macros")"
		return 1
	fi
	! grep -q '\.h$' "$work/files" && [[ $* != *WITHOUT=* ]] || return 0
	cp -a "$work/whole" "$dir"
	rm -rf "$dir/mayfly" "$dir/unit" "$dir/built"
	make -C "$tree" BUILD="$dir" "$@" "$dir/flags" || return
	touch -d @0 "$dir/flags"
	while IFS= read -r file; do
		rm "$dir/${file%.c}.o"
	done <"$work/files"
}

# The build with these variables, once for all lines that share it.
build()
{
	local name=$1

	shift
	[[ ! -e $work/$name/built ]] || return 0
	if [[ $name != whole ]]; then
		start_from_whole "$name" "$@" >"$work/log" 2>&1 || return
	fi
	mkdir -p "$work/$name"
	make -C "$tree" BUILD="$work/$name" "$@" >"$work/log" 2>&1 || return
	: >"$work/$name/built"
}

# The topic whose cases stand in a file of tests/http.
topic_of()
{
	grep -lE "http/$1|HTTP_DIR/$1" "$tree"/tests/serve_*.sh | head -n 1
}

# Runs the case of a test against a build: its lines.
run_case()
{
	local name=$1 test=$2 as=$3 uid=$4 pattern=$5
	local unit=$work/$name/unit/${test#unit/} topic=$tree/tests/$test

	shift 5
	export MAYFLY=$work/$name/mayfly
	case $test in
	unit/*)
		make -C "$tree" BUILD="$work/$name" "$@" "$unit" \
		    >"$work/log" 2>&1 || return
		"$unit" | grep -E "^(ok|not ok|skip) - .*($pattern)"
		;;
	*.sh)
		[[ $test != http/* ]] || topic=$(topic_of "${test#http/}")
		AS=$as CASE=$pattern bash "$topic"
		;;
	*) CASE=$pattern "$here/run.sh" -a "$as" -u "$uid" "$test" ;;
	esac
}

# "green", "red", or what else is the matter.
try_case()
{
	local name=$1 test=$2 as=$3 out=$work/$1.${2//\//_}.$3.out

	if ! "$work/$name/mayfly" run -- true >"$out" 2>&1; then
		echo "runs nothing: $(head -c 60 "$out" | head -n 1)"
		return
	fi
	run_case "$@" >"$out" 2>&1 </dev/null
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
	local name=$1 test=$3 as=$4 uid=$5 pattern=$6 after variables
	local key=$3.$4.$5.$6

	# The words of the table may be quoted, as in MUTATE='-DA -DB'.
	eval "variables=($2)"
	if ! build "$name" "${variables[@]}"; then
		after="does not build: $(tail -n 1 "$work/log")"
	else
		after=$(try_case "$name" "$test" "$as" "$uid" "$pattern" \
		    "${variables[@]}")
	fi
	[[ -n ${before[$key]:-} ]] ||
	    before[$key]=$(try_case whole "$test" "$as" "$uid" "$pattern")
	if [[ ${before[$key]} == green && $after == red ]]; then
		passed=$((passed + 1))
		after='red, as expected'
	else
		failed=$((failed + 1))
		after="NOT: ${before[$key]}, then $after"
	fi
	# shellcheck disable=SC2059 # these are its columns
	printf "$row" "$name" "$test" "$as" "$after" "$pattern"
	# What a test with all defences complains of.
	[[ ${before[$key]} == green ]] || sed -n 's/^\t/&/p' \
	    "$work/whole.${test//\//_}.$as.out" | head -n 5
}

# What can be removed, and is not.
judge_rest()
{
	local macro

	for macro in $(cd "$tree" && cat {exec,activator}/*.[ch] |
	    grep -oE '\bMUTATE_[A-Z0-9_]+|\bDEFENCE\([A-Z0-9_]+\)' |
	    sed -E 's/DEFENCE\((.*)\)/MUTATE_\1/' | sort -u); do
		! grep -qE "$macro\\b" "$here/mutations" || continue
		echo "NOT: $macro has no line in mutations"
		failed=$((failed + 1))
	done
}

if ! build whole; then
	cat "$work/log" >&2
	exit 2
fi
export ATTACK_BIN=$work/attack
attack_compile_all "$here" "$ATTACK_BIN" || exit 2
echo 'Defences that were removed, and what the test of each said:'
# shellcheck disable=SC2059 # these are its columns
printf "$row" defence test caller 'without it' case
echo '|---|---|---|---|---|'
while IFS='|' read -r name variables test as uid pattern; do
	is_wanted "$name" || continue
	judge "$name" "$variables" "$test" "$as" "$uid" "$pattern" </dev/null
	# Lines that share a build stand together.
	[[ $name == "${last:-$name}" ]] || rm -rf "${work:?}/$last"
	last=$name
done < <(list_mutations)
((${#wanted[@]} > 0)) || judge_rest
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0 && passed > 0))
