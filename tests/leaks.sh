# shellcheck shell=bash
#
# What a sandbox could leave on the host. t.sh sources this file and compares
# two listings around every case; a line that is new is a leak.
#
# A process counts when its program is the mayfly under test or when its uid
# can only be one of a sandbox: whatever has kept a namespace alive shows as
# that namespace as well, so that one missed by uid is still seen.

# Topics change directory.
LEAKS_LIST=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/leaks.pl

# The processes that are the mayfly under test, by the name it was called by:
# it may run from a copy of itself in memory.
leaks_mayflies()
{
	grep -lsE "^${T_PROGRAMS:-$T_ROOT/bin/}" /proc/[0-9]*/cmdline |
	    cut -d / -f 3 | grep -vxF "$(leaks_staying)"
}

# The one of them that may come and go, with a mount namespace, and is no leak.
leaks_staying()
{
	:
}

# Everything that counts; of files only those without an owner, or all. A list
# that cannot be had is like no other.
leaks_list()
{
	{
		perl "$LEAKS_LIST" "$1" \
		    "$((EUID == 0 ? T_UID : 0))" "${T_PROGRAMS:-$T_ROOT/bin/}" \
		    "$(leaks_staying)" "${T_RUN_DIRS[@]}" ||
		    echo "no list $RANDOM$RANDOM"
	} | sort -u
}

# The state to compare with, kept in a file outside every case's directory.
leaks_baseline()
{
	leaks_list all >"$T_ROOT/leaks.before"
}

# Prints what is new. The kernel removes network namespaces in the background,
# so it is asked again for five seconds before it is believed.
leaks_new()
{
	local tries

	for ((tries = 0; tries < 100; tries++)); do
		leaks_list orphaned >"$T_ROOT/leaks.after"
		comm -13 "$T_ROOT/leaks.before" "$T_ROOT/leaks.after" \
		    >"$T_ROOT/leaks.new"
		[[ -s $T_ROOT/leaks.new ]] || return 0
		if grep -qE '^(file|cgroup) ' "$T_ROOT/leaks.new"; then
			t_as "$MAYFLY" reap >/dev/null 2>&1
		fi
		sleep 0.05
	done
	cat "$T_ROOT/leaks.new"
}
