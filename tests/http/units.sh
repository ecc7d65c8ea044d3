# shellcheck shell=bash
#
# The server is one that systemd starts: the units as `make install` has left
# them, with the configuration, the tokens and the log where an administrator
# has them. Part of lib.sh, which sources it where WAY is systemd or resident.
#
# shellcheck disable=SC2034 # lib.sh and the topics read what is set here

UNITS_CONF=/etc/mayfly/mayfly.conf.d/tests.conf
# The pair of units, and what it is that has a connection.
UNITS_SOCKET=mayfly.socket
[[ $WAY == systemd ]] || UNITS_SOCKET=mayfly-serve.socket
UNITS_DROP_IN=/run/systemd/system/$UNITS_SOCKET.d

units_arrange()
{
	[[ -d /run/systemd/system && -x /usr/local/bin/mayfly ]] ||
	    t_give_up "mayfly is not installed under systemd: use guest.sh"
	# The program that is installed, and what it finds by itself.
	MAYFLY=/usr/local/bin/mayfly
	T_PROGRAMS='/usr/local/(bin/mayfly|libexec/mayfly-activator)'
	unset MAYFLY_STATE_DIR
	HTTP_STATE=/var/lib/mayfly
	HTTP_TCP=127.0.0.1:8080
	HTTP_SOCKET=/run/mayfly/api.sock
	T_RUN_DIRS=(/run/mayfly)
	# The machine is the tests' own.
	HTTP_NET=1
	busybox ip address add 10.77.0.1/24 dev lo 2>/dev/null
	busybox ip address add ::1/128 dev lo 2>/dev/null
	journal_take
	mkdir -p "${UNITS_CONF%/*}"
	# Also between the servers of two cases; who says otherwise is read later.
	echo 'pool = 0' >"${UNITS_CONF%/*}/pool.conf"
	systemctl start "$UNITS_SOCKET"
}

# The processes that serve connections are ours, and the resident server is not:
# it comes and goes as systemd likes.
leaks_staying()
{
	[[ $WAY != resident ]] ||
	    systemctl show -P MainPID mayfly-serve.service
}

units_kill()
{
	if [[ $WAY == resident ]]; then
		systemctl kill --kill-who=main -s KILL mayfly-serve.service
	else
		serving | xargs -r kill -KILL
		systemctl restart "$UNITS_SOCKET"
	fi
}

# What differs from the server before is in files. The configuration is read at
# each request; other addresses are a drop-in's.
units_start()
{
	local n=${#SERVERS[@]}

	journal_take
	HTTP_LOG=$T_ROOT/log$n
	: >"$HTTP_LOG"
	SERVERS+=(0)
	printf '%s\n' "MAYFLY_POOL=$MAYFLY_POOL" "$@" |
	    sed -n 's/^MAYFLY_//p' |
	    awk -F = '{ print tolower($1) " = " substr($0, length($1) + 2) }' \
	    >"$UNITS_CONF"
	[[ -z ${HTTP_ADDRESS:-} ]] || units_listen
}

units_listen()
{
	HTTP_TCP=$HTTP_ADDRESS:$((8080 + ${#SERVERS[@]}))
	mkdir -p "$UNITS_DROP_IN"
	cat >"$UNITS_DROP_IN/tests.conf" <<-END
		[Socket]
		ListenStream=
		ListenStream=$HTTP_TCP
		ListenStream=$HTTP_SOCKET
	END
	units_restart
}

units_restart()
{
	systemctl daemon-reload
	[[ $WAY == systemd ]] || systemctl stop mayfly-serve.service 2>/dev/null
	systemctl restart "$UNITS_SOCKET"
}

# The lines of what it has served are its own: all of it has ended.
units_stop()
{
	poll 200 eval '[[ -z $(serving) ]]'
	journal_take
	rm -f "$UNITS_CONF"
	if [[ -d $UNITS_DROP_IN ]]; then
		rm -r "$UNITS_DROP_IN"
		HTTP_TCP=127.0.0.1:8080
		units_restart
	fi
	HTTP_LOG=$T_ROOT/log$((${#SERVERS[@]} - 2))
}

# Adds to the log what mayfly has written to the journal since the last time.
# journalctl cannot be asked for a cursor and an identifier: it passes over one
# line more.
journal_take()
{
	journalctl --sync
	journalctl -q --all -o json --cursor-file="$T_ROOT/cursor" |
	    jq -r 'select(.SYSLOG_IDENTIFIER == "mayfly") | .MESSAGE |
	    if type == "array" then implode else . end' >>"$HTTP_LOG"
}
