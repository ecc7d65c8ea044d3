#!/bin/bash
# The attack suite where cgroups hold the limits: what they are about, or with
# LONG=1 all of it, or these ROWS. Its programs are compiled before: machine.sh.
# in: root

set -u

tree=$(cd "$(dirname "$0")/../.." && pwd)
if [[ ! -d $tree/build/attack ]]; then
	echo "skip - attack # its programs are not here: use guest.sh"
	echo "0 passed, 0 failed, 1 skipped"
	exit
fi
export ATTACK_BIN=$tree/build/attack ATTACK_WHOLE=1
# Much of it waits: both callers side by side.
if [[ -n ${LONG:-} ]]; then
	export T_PATIENCE=600
	work=$(mktemp -d)
	# shellcheck disable=SC2086 # rows
	"$tree/tests/attack/run.sh" -a user ${ROWS:-} >"$work/user" 2>&1 &
	# shellcheck disable=SC2086 # rows
	"$tree/tests/attack/run.sh" -a root ${ROWS:-} 2>&1 | tee "$work/root" |
	    sed -u '/^[0-9]* passed, /d'
	wait
	sed '/^[0-9]* passed, /d' "$work/user"
	tail -qn 1 "$work"/* | awk '
	    /^[0-9]+ passed, / { p += $1; f += $3; s += $5; n++ }
	    END { print p + 0 " passed, " f + 2 - n " failed, " s + 0 " skipped" }'
	rm -r "$work"
	exit
fi
# shellcheck disable=SC2086 # rows
exec "$tree/tests/attack/run.sh" -a root -u 0 $ATTACK_ROWS
