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
# Environment: what lib.sh and t.sh read.

set -u

here=$(cd "$(dirname "$0")" && pwd)
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

# One script as one caller; its lines say for whom they are.
run_row()
{
	local row=$1 script=$2 as=$3

	ATTACK_ALONE=1 AS=$as T_UID=$((55000 + ${#row} * 100 + RANDOM % 90)) \
	    ATTACK_UIDS="${users[*]}" \
	    bash "$here/$script.sh" >"$work/out" 2>&1 </dev/null
	if ! tail -n 1 "$work/out" | grep -q ' skipped$'; then
		echo "not ok - $row: broken off" >>"$work/out"
		sed -n 's/^/\t/; $!p' "$work/out" | tail -n 5
	fi
	sed -E "/^[0-9]+ passed, /d
	    s/^(ok|not ok|skip) - .*[^)]$/& (as $as)/
	    s/^((ok|not ok|skip) - .*)\)( #.*)?$/\1, as $as)\3/" \
	    "$work/out" | tee -a "$work/$row.lines"
}

count()
{
	grep -c "^$2 - " "$work/$1.lines" 2>/dev/null
}

print_table()
{
	local row script what ok red skipped

	printf '\n%-4s %8s %10s %6s %8s  %s\n' row attacks contained \
	    red skipped threat
	while IFS='|' read -r row script what; do
		if [[ $script == - ]]; then
			is_wanted "$row" - || continue
			((absent += 1))
			printf '%-4s %35s %s\n' "$row" \
			    'not applicable ' "$what"
			continue
		fi
		[[ -e $work/$row.lines ]] || continue
		ok=$(count "$row" ok)
		red=$(count "$row" 'not ok')
		skipped=$(count "$row" skip)
		printf '%-4s %8d %10d %6d %8d  %s\n' "$row" $((ok + red)) \
		    "$ok" "$red" "$skipped" "$what"
		passed=$((passed + ok))
		failed=$((failed + red))
		skips=$((skips + skipped))
		classes=$((classes + 1))
	done < <(list_rows)
	printf '\n%d attacks in %d classes, %d contained; %s\n' \
	    $((passed + failed)) "$classes" "$passed" \
	    "$absent classes not applicable"
}

if [[ -z ${ATTACK_BIN:-} ]]; then
	export ATTACK_BIN=$work/bin
	attack_compile_all "$here" "$ATTACK_BIN" || exit 2
fi
passed=0 failed=0 skips=0 classes=0 absent=0
ran=' '
while IFS='|' read -r row script _; do
	[[ $script != - ]] || continue
	is_wanted "$row" "$script" || continue
	# Two rows can share a script.
	[[ $ran != *" $script "* ]] || continue
	ran+="$script "
	for as in "${callers[@]}"; do
		run_row "$row" "$script" "$as"
	done
done < <(list_rows)
print_table
echo "$passed passed, $failed failed, $skips skipped"
((failed == 0 && passed > 0))
