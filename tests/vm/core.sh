#!/bin/bash
# A crash inside does not start the program that reads the host's core dumps.
# One is installed here, where the machine is the tests' own.
# in: alone

# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"

[[ $EUID == 0 && -n ${IN:-} ]] ||
    t_give_up "this is for a machine of its own: use guest.sh"

PATTERN=/proc/sys/kernel/core_pattern
before=$(<$PATTERN)
printf '#!/bin/sh\ncat >/dev/null\necho started >>%q\n' "$T_ROOT/started" \
    >"$T_ROOT/handler"
chmod 0755 "$T_ROOT/handler"
echo "|$T_ROOT/handler" >$PATTERN
# shellcheck disable=SC2016 # for the shell that is started there
CRASH='kill -SEGV $$'

if testcase "the handler is started for a crash outside"; then
	sh -c "$CRASH"
	await "it is started" test -s "$T_ROOT/started"
	rm -f "$T_ROOT/started"
fi

if testcase "it is not started for a crash inside, whoever calls"; then
	mkdir -m 0777 state
	for as in root plain; do
		for user in 0 1000; do
			setpriv --reuid "$as" --regid "$as" --clear-groups \
			    env HOME=/nonexistent XDG_STATE_HOME="$PWD/state" \
			    "$MAYFLY" run --user "$user" -- sh -c "$CRASH" \
			    </dev/null >out 2>err
			status=$?
			expect_status 139
		done
	done
	# It would be by now.
	sleep 1
	check "it was started" test ! -e "$T_ROOT/started"
fi

echo "$before" >$PATTERN
t_done
