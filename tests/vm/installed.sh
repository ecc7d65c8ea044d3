# shellcheck shell=bash
#
# Verbs for an installed mayfly: ask it, begin a run that lasts, find who is
# who. Part of activation.sh, which sources it.
# shellcheck disable=SC2034 # for the topic

TCP=http://127.0.0.1:8080
SOCKET=/run/mayfly/api.sock
DROPINS=/run/systemd/system
CGROUP=/sys/fs/cgroup
MAKE=(make -s --no-print-directory -C "$T_TREE" -o all)
# mayfly is the one that is installed, with the state of its units.
MAYFLY=/usr/local/bin/mayfly
T_PROGRAMS='/usr/local/(bin/mayfly|libexec/mayfly-activator)'
T_RUN_DIRS=(/run/mayfly)
unset MAYFLY_STATE_DIR

# A container has what the machine around it gives; the virtual machine has all.
is_container()
{
	systemd-detect-virt -cq
}

has_controllers()
{
	! is_container || grep -qw memory "$CGROUP/cgroup.controllers"
}

# Has PID 1 the capability with this number?
has_capability()
{
	! is_container || ((0x$(sed -n 's/^CapBnd:\t//p' /proc/1/status) >> \
	    $1 & 1))
}

# ask CURL-ARGUMENT...; leaves the body in out, the status code in code.
ask()
{
	code=$(curl -sS -m 60 -o out -w '%{http_code}' "$@" 2>err)
	status=$?
}

ask_json()
{
	ask -H 'Content-Type: application/json' "$@"
}

expect_code()
{
	[[ $code == "$1" ]] || fail "the status is '$code', not $1: $(<err)"
}

# A run over TCP of a command for sh: post COMMAND [MEMBER,]
post()
{
	ask_json -d "$(jq -n --arg c "$1" "{${2:-} command: \$c}")" "$TCP/run"
}

# The processes of what is installed, not of the program under test.
processes()
{
	find /proc/[0-9]*/exe -maxdepth 0 -lname '/usr/local/bin/mayfly' \
	    -printf '%h\n' 2>/dev/null | cut -d / -f 3
}

no_processes()
{
	[[ -z $(processes) ]]
}

connections()
{
	systemctl list-units --no-legend --plain --all 'mayfly@*.service' |
	    cut -d ' ' -f 1
}

# All of the last connection is gone, the unit too.
quiet()
{
	no_processes && [[ -z $(connections) ]]
}

expect_quiet()
{
	await "no process and no unit of a connection is left" quiet ||
	    detail "$(processes | tr '\n' ' ')$(connections)"
}

# Connects so many times, from an address for each fifty, and says nothing until
# there is a file `reset`; sets pid.
hold()
{
	(
		ulimit -n $(($1 + 100))
		exec "$PYTHON" "$T_TREE/tests/http/client.py" hold \
		    "${TCP#http://}" "$1" </dev/null 9>&-
	) >said 2>&1 &
	pid=$!
	poll 200 test -e up || fail "not all connect: $(<said)"
}

# Begins a run that lasts, in the background, and finds who is who. The request
# is over when $pid is.
begin()
{
	: >out
	curl -sS -m 60 -N -H 'Accept: application/x-ndjson' \
	    -H 'Content-Type: application/json' \
	    -d "{${3:-} \"command\": \"echo up; exec sleep 1000\",
		\"wall\": 600000}" \
	    "${1:-$TCP}/run" >out 2>err 9>&- &
	pid=$!
	await "the command runs" grep -q '"up' out || return
	unit=$(connections | head -n 1)
	broker=$(systemctl show -P MainPID "${2:-$unit}")
	command=$(pgrep -xf 'sleep 1000')
	init=$(parent "$command")
	[[ $(parent "$init") != "$broker" ]] || return 0
	# Of a server's many processes.
	broker=$(parent "$init")
}

# The cgroup of what begin has begun has the limits asked for, and the unit none
# that would hold before them.
expect_limits()
{
	local dir line name value

	dir=$CGROUP$(sed -n 's/^0:://p' "/proc/$init/cgroup")
	for line in "memory.max $((65536 * 1024))" "memory.swap.max 0" \
	    "memory.oom.group 1" "pids.max 13" "cpu.max 50000 100000" \
	    "../pids.max max" "../memory.max max" "../cpu.max max 100000"; do
		read -r name value <<<"$line"
		[[ -e $dir/$name || $name != memory.swap.max ]] || continue
		check "$name is $(<"$dir/$name")" \
		    test "$(<"$dir/$name")" = "$value"
	done
	check "there is a limit on the disk: $(cat "$dir"/io.max 2>&1)" \
	    test ! -s "$dir/io.max"
	check "others are in it: $(xargs <"$dir/cgroup.procs")" \
	    test "$(sort "$dir/cgroup.procs" | xargs)" = \
	    "$(printf '%s\n' "$init" "$command" | sort | xargs)"
}

LIMITS='"mem": 65536, "nproc": 12, "cpus": 0.5,'

parent()
{
	sed -n 's/^PPid:\t//p' "/proc/$1/status"
}

# The broker's other child, which is no sandbox.
front()
{
	pgrep -P "$broker" | grep -vx "$init"
}

# What is left of a run that was killed, after one reap: leaks.sh itself reaps
# when it finds something, and a session's files are none of its business.
left_after_reap()
{
	# Nobody needs it so often, and systemd would not start it.
	systemctl reset-failed mayfly-reaper.service 2>/dev/null
	systemctl start mayfly-reaper.service || echo "the reaper failed"
	find /var/lib/mayfly/trash -mindepth 1
	find "$CGROUP/mayfly.slice" -mindepth 1 -type d 2>/dev/null
	poll 40 eval '[[ -z $(new_since_baseline) ]]' || new_since_baseline
}

new_since_baseline()
{
	leaks_list orphaned | comm -13 "$T_ROOT/leaks.before" -
}

no_unit_failed()
{
	[[ -z $(systemctl list-units --failed --no-legend 'mayfly*' |
	    grep -v mayfly-tests) ]]
}

drop_in()
{
	mkdir -p "$DROPINS/$1.d"
	cat >"$DROPINS/$1.d/test.conf"
	systemctl daemon-reload
}

no_drop_in()
{
	rm -r "$DROPINS/$1.d"
	systemctl daemon-reload
}

# What an identifier has written to the journal since mark_journal. journalctl
# itself cannot be asked for both: with a filter it passes over one line more.
mark_journal()
{
	journalctl --sync
	cursor=$(journalctl -q -n 1 -o json | jq -r .__CURSOR)
}

journal()
{
	journalctl --sync
	journalctl -q -o json --after-cursor="$cursor" |
	    jq -r --arg who "$1" \
	    'select(.SYSLOG_IDENTIFIER == $who) | .MESSAGE'
}
