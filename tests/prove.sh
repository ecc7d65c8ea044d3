#!/bin/bash
#
# Runs everything that proves a promise of SPECIFICATION.md, and prints for each
# promise how many of its tests passed, failed and were skipped, and each part's
# own figures:
#
#	prove.sh [PART]...	parts are targets of the Makefile (all below)
#
# What a part prints is kept as PROVE_DIR/PART. With PROVE_AGAIN=1 nothing is
# run, and the table is made of what is there. Fails unless every promise has
# a test that passed and none that failed.

set -u

TREE=$(cd "$(dirname "$0")/.." && pwd)
DIR=${PROVE_DIR:-$TREE/build/prove}
SPEC=$TREE/SPECIFICATION.md
PARTS=(check check-vm check-guest faults overshoot neighbours powercut mutate
    fuzz check-sanitized)
(($# == 0)) || PARTS=("$@")

# Each part ends with a line `N passed, N failed, N skipped`.
run_part()
{
	local began=$SECONDS status

	make -C "$TREE" --no-print-directory "$1" >"$DIR/$1" 2>&1
	status=$?
	printf '%s: %s (%d s, exit status %d)\n' "$1" \
	    "$(tail -n 1 "$DIR/$1")" "$((SECONDS - began))" "$status"
}

# The tables that a part printed, with what stands above them.
show_figures()
{
	awk -v part="$1" '
	    /^\|/ {
		    if (!n++) print "\n## " part "\n"
		    if (last !~ /^\|/) print last "\n"
		    print
	    }
	    { if ($0 != "") last = $0 }' "$DIR/$1"
}

# "ok" or "not ok" or "skip", a tab, the sentence as it stands in the source:
# topics add for whom it was, and how long it took.
collect_results()
{
	sed -nE 's/^(ok|not ok|skip) - (.*)$/\1\t\2/p' "${PARTS[@]/#/$DIR/}" |
	    sed -E 's/ #.*//; s/ \([0-9]+ ms\)$//
	    s/,? as (root|user|subuid)\)$/)/; s/ \((as [a-z]+|user [0-9]+|)\)$//'
}

# A pattern for a sentence; what the shell puts into it may be anything.
pattern_of()
{
	sed -E 's/\$\{?[a-z_A-Z]+\}?/\x01/g; s/[][\.*^$+?(){}|\\]/\\&/g
	    s/\x01/.*/g' <<<"$1"
}

# One promise's line, when all its tests are counted.
judge()
{
	local mark=proven

	promises=$((promises + 1))
	if ((failed > 0)); then
		mark=BROKEN
	elif ((passed == 0)); then
		mark='not shown'
	fi
	[[ $mark == proven ]] || unproven=$((unproven + 1))
	printf '| %s | %s | %d | %d | %d | %s |\n' "$number" "$title" \
	    "$passed" "$failed" "$skipped" "$mark"
}

count()
{
	grep -cE "^$1"$'\t'"$2"'( \(.*\))?$' "$DIR/results"
}

show_promises()
{
	local line sentence number='' title

	echo '| | promise | passed | failed | skipped | |'
	echo '|---|---|--:|--:|--:|---|'
	while IFS= read -r line; do
		case $line in
		'### '* | '## '*)
			[[ -z $number ]] || judge
			number='' passed=0 failed=0 skipped=0
			[[ $line == '### '* ]] || continue
			line=${line#\#\#\# }
			number=${line%%. *} title=${line#*. }
			;;
		'    Test: '*)
			sentence=${line#*\"}
			sentence=$(pattern_of "${sentence%\"}")
			((passed += $(count ok "$sentence")))
			((failed += $(count 'not ok' "$sentence")))
			((skipped += $(count skip "$sentence")))
			;;
		esac
	done <"$SPEC"
	[[ -z $number ]] || judge
}

mkdir -p "$DIR" || exit 2
promises=0 unproven=0
if [[ ${PROVE_AGAIN:-} != 1 ]]; then
	for part in "${PARTS[@]}"; do
		run_part "$part"
	done
fi
collect_results >"$DIR/results"
for part in "${PARTS[@]}"; do
	show_figures "$part"
done
echo
echo '## Promises'
echo
show_promises >"$DIR/promises"
cat "$DIR/promises"
echo
broken=0
for part in "${PARTS[@]}"; do
	tail -n 1 "$DIR/$part" | grep -qE '^[0-9]+ passed, 0 failed' && continue
	echo "$part has failures, or no last line"
	broken=$((broken + 1))
done
echo "$((promises - unproven)) passed, $((unproven + broken)) failed, 0 skipped"
((unproven + broken == 0))
