#!/bin/bash
# The attack suite where cgroups hold the limits: what they are about, or with
# LONG=1 all of it. Its programs are compiled before: machine.sh.
# in: root

set -u

tree=$(cd "$(dirname "$0")/../.." && pwd)
if [[ ! -d $tree/build/attack ]]; then
	echo "skip - attack # its programs are not here: use guest.sh"
	echo "0 passed, 0 failed, 1 skipped"
	exit
fi
export ATTACK_BIN=$tree/build/attack ATTACK_WHOLE=1
if [[ -n ${LONG:-} ]]; then
	exec "$tree/tests/attack/run.sh" -a root -a user
fi
# shellcheck disable=SC2086 # rows
exec "$tree/tests/attack/run.sh" -a root -u 0 $ATTACK_ROWS
