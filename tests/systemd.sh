#!/bin/bash
# Under real systemd, in a container: tests/vm/activation.sh, without what this
# machine cannot give to a container.
# as: root

# systemd-nspawn makes the namespaces.
export T_ENTERED=1
# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

[[ -n $(type -P systemd-nspawn) ]] || t_give_up "there is no systemd-nspawn"
[[ -n $(type -P mmdebstrap) ]] || t_give_up "there is no mmdebstrap"

"$T_TREE/tests/vm/guest.sh" --container activation \
    >"$T_ROOT/results" 2>&1
grep -q '^== activation' "$T_ROOT/results" ||
    t_give_up "no container boots here: $(tail -n 2 "$T_ROOT/results" |
	head -n 1)"
sed '$d; /^== /d; /^[0-9]* passed,/d' "$T_ROOT/results"
if [[ $(tail -n 1 "$T_ROOT/results") =~ \
    ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
	t_passed=${BASH_REMATCH[1]}
	t_failed=${BASH_REMATCH[2]}
	t_skipped=${BASH_REMATCH[3]}
else
	echo "not ok - the container has no last line"
	t_failed=1
fi
t_done
