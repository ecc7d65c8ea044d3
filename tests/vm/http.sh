#!/bin/bash
# Everything that the server promises over HTTP, of connections that systemd
# accepts: the topics of `mayfly serve`, with the units instead.
# in: container

# systemd has to know the processes by their numbers.
export T_ENTERED=1
# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"
# shellcheck source=tests/vm/installed.sh
. "$(dirname "$0")/installed.sh"

[[ $EUID == 0 && -d /run/systemd/system ]] ||
    t_give_up "this needs root and systemd: use guest.sh"

# Adds what a topic's last line says to the sums.
fold()
{
	if [[ $1 =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]
	then
		((t_passed += BASH_REMATCH[1]))
		((t_failed += BASH_REMATCH[2]))
		((t_skipped += BASH_REMATCH[3]))
	else
		echo "not ok - it has no last line: $1"
		((t_failed += 1))
	fi
}

"${MAKE[@]}" install >"$T_ROOT/installed" 2>&1 &&
    systemctl -q enable --now mayfly.socket ||
    t_give_up "it cannot be installed: $(<"$T_ROOT/installed")"
post true
for topic in "$T_TREE"/tests/serve_*.sh; do
	echo "# $(basename "$topic" .sh)"
	WAY=systemd HTTP_TCP=127.0.0.1:8080 HTTP_SOCKET=$SOCKET AS=root \
	    MUST_WORK='' T_ENTERED='' bash "$topic" </dev/null \
	    >"$T_ROOT/results" 2>&1
	sed '$d' "$T_ROOT/results"
	fold "$(tail -n 1 "$T_ROOT/results")"
	rm -f /etc/mayfly/mayfly.conf.d/tests.conf
done
"${MAKE[@]}" uninstall >"$T_ROOT/installed" 2>&1
t_done
