#!/bin/sh
#
# What `make install` and `make uninstall` do where systemd runs, beside the
# files; each step only where there is the program for it:
#
#	live.sh install SYSUSERS.D TMPFILES.D
#	live.sh stop
#	live.sh uninstall

set -u

has()
{
	command -v "$1" >/dev/null
}

# Is systemd PID 1, and not only installed?
is_running()
{
	[ -d /run/systemd/system ] && has systemctl
}

# A template is stopped instance by instance.
stop()
{
	systemctl -q disable --now mayfly.socket mayfly-serve.socket \
	    mayfly-reaper.timer
	systemctl stop mayfly-serve.service mayfly-reaper.service \
	    'mayfly@*.service' mayfly.slice
}

# A unit that failed would be listed on.
forget()
{
	systemctl daemon-reload
	systemctl reset-failed 'mayfly@*' mayfly.socket mayfly-serve.socket \
	    mayfly-serve.service mayfly-reaper.service mayfly-reaper.timer \
	    2>/dev/null
	return 0
}

# Does anything hold a lock on the file? Without it the next sandbox would take
# the same ids. A file of a container next door can have the same inode number,
# and its locks are in the list as well.
is_locked()
{
	device=$((0x$(stat -c %D "$1")))
	grep -q " $(printf '%02x:%02x:%s' $((device >> 8 & 0xfff)) \
	    $((device & 0xff | device >> 12 & 0xfff00)) \
	    "$(stat -c %i "$1")") " /proc/locks
}

# All that is below is root's.
[ "$(id -u)" = 0 ] || exit 0

case ${1:-} in
install)
	! has systemd-sysusers || systemd-sysusers "$2/mayfly.conf" || exit
	! has systemd-tmpfiles ||
	    systemd-tmpfiles --create "$3/mayfly.conf" || exit
	! is_running || systemctl daemon-reload
	;;
stop)
	! is_running || stop
	;;
uninstall)
	rm -f /run/mayfly/api.sock
	for file in /run/mayfly/ids /run/mayfly/runs /run/mayfly/pulls; do
		[ ! -e "$file" ] || is_locked "$file" || rm -f "$file"
	done
	rmdir /run/mayfly/empty /run/mayfly 2>/dev/null
	! is_running || forget
	;;
*)
	echo "usage: live.sh install SYSUSERS.D TMPFILES.D | stop | uninstall" >&2
	exit 64
	;;
esac
