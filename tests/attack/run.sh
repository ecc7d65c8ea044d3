#!/bin/bash
#
# Runs the attack suite, or some rows of it, as every kind of caller and for
# every kind of user inside, and prints what came of it:
#
#	tests/attack/run.sh [-a AS]... [-u UID]... [ROW]...
#
#	AS	root, user, subuid: who calls mayfly; all three when root runs
#		it, else whoever runs it
#	UID	the user inside: 0 and 1000 when not given
#	ROW	A10 or a10_namespaces, as in the file rows
#
# A row may also name tests that stand elsewhere (file rows). They have to be
# there, and those that take no machine of their own are run as well, unless
# the whole of tests/run.sh is what runs this, and them.
#
# Environment: what lib.sh and t.sh read; ATTACK_WHOLE, set by tests/run.sh when
# it runs everything.

set -u

here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
# shellcheck source=tests/attack/compile.sh
. "$here/compile.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/mayfly-attack.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
chmod 0755 "$work"
callers=() users=() wanted=()

usage()
{
	echo "usage: run.sh [-a root|user|subuid]... [-u UID]... [ROW]..." >&2
	exit 2
}

while getopts a:u: option; do
	case $option in
	a) callers+=("$OPTARG") ;;
	u) users+=("$OPTARG") ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
wanted=("$@")
((${#users[@]} > 0)) || users=(0 1000)
if ((${#callers[@]} == 0)); then
	callers=("${AS:-user}")
	((EUID != 0)) || callers=(root user subuid)
fi

is_wanted()
{
	local one

	((${#wanted[@]} > 0)) || return 0
	for one in "${wanted[@]}"; do
		[[ ${one^^} != "$1" && $one != "$2" ]] || return 0
	done
	return 1
}

# "row|script|what", without comments and blanks at the bars.
list_rows()
{
	sed '/^#/d; /^$/d; s/ *| */|/g' "$here/rows"
}

# The tests that stand elsewhere, as "row path sentence".
list_elsewhere()
{
	list_rows | sed -nE \
	    's/^([A-Z0-9]+)\|(tests\/[^ |]+) ?"?([^"|]*)"?\|.*/\1 \2 \3/p'
}

# A user that no topic beside this one has, of whom none before has left
# anything.
next_uid()
{
	local -A first=([root]=55000 [user]=56000 [subuid]=57000)

	echo next >>"$work/uids"
	echo $((first[$1] + $(wc -l <"$work/uids") % 1000))
}

# One script as one caller; its lines say for whom they are.
run_row()
{
	local row=$1 script=$2 as=$3

	ATTACK_ALONE=1 AS=$as T_UID=$(next_uid "$as") \
	    ATTACK_UIDS="${users[*]}" \
	    bash "$here/$script.sh" >"$work/out" 2>&1 </dev/null
	if ! tail -n 1 "$work/out" | grep -q ' skipped$'; then
		echo "not ok - $row: broken off" >>"$work/out"
		sed -n 's/^/\t/; $!p' "$work/out" | tail -n 5
	fi
	sed -E "/^[0-9]+ passed, /d
	    s/^((ok|not ok|skip) - .*)\)( #.*)?$/\1, as $as)\3/
	    t
	    s/^((ok|not ok|skip) - [^#]*[^# ])/\1 (as $as)/" \
	    "$work/out" | tee -a "$work/$row.lines"
}

count()
{
	grep -c "^$2 - " "$work/$1.lines" 2>/dev/null
}

# Is there such a test? A fuzzer has no sentence.
stands()
{
	[[ -f $tree/$1 ]] && { [[ -z $2 ]] ||
	    grep -qF -e "case \"$2\"" -e "{ \"$2\"," "$tree/$1"; }
}

# What runs the cases of a file: a topic, or a program of unit tests.
runner()
{
	local path=$tree/$1 unit

	unit=$(dirname "${MAYFLY:-$tree/build/mayfly}")/unit/$(basename "$1" .c)
	case $1 in
	tests/unit/*) [[ ! -x $unit ]] || echo "$unit" ;;
	tests/http/*)
		grep -lE "http/${1##*/}|HTTP_DIR/${1##*/}" \
		    "$tree"/tests/serve_*.sh | head -n 1
		;;
	tests/vm/* | tests/fuzz/*) ;;
	*) ! grep -qx t_done "$path" || echo "$path" ;;
	esac
}

# Runs the cases of a file that some row names, as each caller it is for.
run_elsewhere()
{
	local path=$1 with flavours pattern

	with=$(runner "$path")
	[[ -n $with ]] || return
	pattern=$(list_elsewhere | sed -n "s|^[A-Z0-9]* $path ||p" |
	    sed 's/[^a-zA-Z0-9 ,_]/./g' | paste -sd '|')
	if [[ $with != *.sh ]]; then
		"$with" >"$work/elsewhere" 2>&1 </dev/null
		cat "$work/elsewhere"
		return
	fi
	flavours=" $(sed -n 's/^# as: //p' "$with") "
	for as in "${callers[@]}"; do
		[[ $flavours == *" $as "* || ($flavours == "  " &&
		    $as == root) ]] || continue
		AS=$as T_UID=$(next_uid "$as") CASE="^($pattern)$" \
		    bash "$with" 2>&1 </dev/null | sed -E "/^[0-9]* passed, /d
		    s/^((ok|not ok|skip) - [^#]*[^# ])/\1 (as $as)/"
	done
}

# Looks for the tests that stand elsewhere, and runs them.
try_elsewhere()
{
	local row path sentence
	local -A known=()

	while read -r row path sentence; do
		is_wanted "$row" - || continue
		if ! stands "$path" "$sentence"; then
			echo "not ok - $row: there is no \"$sentence\" in $path" |
			    tee -a "$work/$row.lines"
			continue
		fi
		if [[ -z ${known[$path]:-} ]]; then
			known[$path]=1
			: >"$work/results"
			[[ -n ${ATTACK_WHOLE:-} ]] ||
			    run_elsewhere "$path" >"$work/results"
			cp "$work/results" "$work/results.${path//\//_}"
		fi
		grep -F -- " - $sentence" "$work/results.${path//\//_}" \
		    >"$work/result" || echo "$row" >>"$work/elsewhere.rows"
		sed "s/ - /&$row: /" "$work/result" | tee -a "$work/$row.lines"
		# What a failed one says stands indented below it.
		! grep -q '^not ok' "$work/result" ||
		    sed -n 's/^\t/&/p' "$work/results.${path//\//_}" | head -n 20
	done < <(list_elsewhere)
}

print_table()
{
	local row what ok red skipped other

	printf '\n%-4s %8s %10s %6s %8s %10s  %s\n' row attacks contained \
	    red skipped elsewhere threat
	while IFS='|' read -r row what; do
		is_wanted "$row" - || [[ -e $work/$row.lines ]] || continue
		if list_rows | grep -q "^$row|-|"; then
			((absent += 1))
			printf '%-4s %47s %s\n' "$row" 'not applicable ' "$what"
			continue
		fi
		other=$(grep -cx "$row" "$work/elsewhere.rows" 2>/dev/null)
		[[ -e $work/$row.lines || $other != 0 ]] || continue
		ok=$(count "$row" ok)
		red=$(count "$row" 'not ok')
		skipped=$(count "$row" skip)
		printf '%-4s %8d %10d %6d %8d %10d  %s\n' "$row" \
		    $((ok + red)) "$ok" "$red" "$skipped" "$other" "$what"
		passed=$((passed + ok))
		failed=$((failed + red))
		skips=$((skips + skipped))
		others=$((others + other))
		classes=$((classes + 1))
	done < <(list_rows | awk -F '|' '!seen[$1]++ { print $1 "|" $3 }')
	printf '\n%d attacks in %d classes, %d contained; %s\n' \
	    $((passed + failed)) "$classes" "$passed" \
	    "$others more stand in other suites; $absent classes not applicable"
}

if [[ -z ${ATTACK_BIN:-} ]]; then
	export ATTACK_BIN=$work/bin
	attack_compile_all "$here" "$ATTACK_BIN" || exit 2
fi
passed=0 failed=0 skips=0 classes=0 absent=0 others=0
ran=' '
while IFS='|' read -r row script _; do
	[[ $script != - && $script != tests/* ]] || continue
	is_wanted "$row" "$script" || continue
	# Two rows can share a script: it counts for the first.
	if [[ $ran == *" $script "* ]]; then
		echo "$row" >>"$work/elsewhere.rows"
		continue
	fi
	ran+="$script "
	for as in "${callers[@]}"; do
		# Whom it is for stands in its head.
		! grep -q '^# as: ' "$here/$script.sh" ||
		    grep -qE "^# as: (.* )?$as( |\$)" "$here/$script.sh" ||
		    continue
		run_row "$row" "$script" "$as"
	done
done < <(list_rows)
try_elsewhere
print_table
echo "$passed passed, $failed failed, $skips skipped"
((failed == 0 && passed > 0))
