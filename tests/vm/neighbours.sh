#!/bin/bash
# A noisy neighbour: others are answered while a stressor runs in a sandbox, and
# all is as before when it has gone. The table is that of
# tests/bench/neighbours.py, of connections that systemd accepts. LONG=1: all
# stressors; STRESSORS: those.
# in: alone

# systemd has to know the processes by their numbers.
export T_ENTERED=1
# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"

[[ $EUID == 0 && -d /run/systemd/system && -n $(type -P stress-ng) ]] ||
    t_give_up "this needs root, systemd and stress-ng: use guest.sh"

# shellcheck source=tests/vm/installed.sh
. "$(dirname "$0")/installed.sh"

"${MAKE[@]}" install >"$T_ROOT/installed" 2>&1
# What others have killed is not of this.
systemctl reset-failed 'mayfly*' 2>"$T_ROOT/reset"
systemctl -q start mayfly.socket
post true

seconds=2 some=(fork vm sockmany /sync-file)
[[ -z ${LONG:-} ]] || seconds=5 some=()
# shellcheck disable=SC2206 # words
[[ -z ${STRESSORS:-} ]] || some=($STRESSORS)

if testcase "others are answered, whatever a neighbour does, and it leaves no trace"
then
	python3 "$T_TREE/tests/bench/neighbours.py" 127.0.0.1:8080 "$seconds" \
	    "${some[@]}" >out 2>err
	status=$?
	expect_status 0
	# For whoever reads the results.
	sed '/^$/d' out
	systemctl list-units --failed --plain --no-legend 'mayfly*' >failed
	check "a unit failed: $(head -n 1 failed)" test ! -s failed
fi

systemctl stop mayfly.socket
"${MAKE[@]}" uninstall >"$T_ROOT/installed" 2>&1
t_done
