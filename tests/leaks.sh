# shellcheck shell=bash
#
# What a sandbox could leave on the host. t.sh sources this file and compares
# two listings around every case; a line that is new is a leak.
#
# A process counts when its program is the mayfly under test or when its uid
# can only be one of a sandbox: whatever has kept a namespace alive shows as
# that namespace as well, so that one missed by uid is still seen.

leaks_processes()
{
	cat /proc/[0-9]*/status 2>/dev/null | awk \
	    -v own="$((EUID == 0 ? T_UID : 0))" '
		$1 == "Name:" { name = $2 }
		$1 == "Pid:" { pid = $2 }
		$1 == "Uid:" && ($2 >= 65536 || ($2 == own && own != 0)) {
			print "process " pid " " name " of uid " $2
		}'
	leaks_mayflies | sed 's/$/ is mayfly/; s/^/process /'
}

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

leaks_namespaces()
{
	readlink /proc/[0-9]*/ns/{mnt,pid,net,user,ipc,uts,cgroup} \
	    2>/dev/null | sort -u |
	    grep -vxF "$(readlink "/proc/$(leaks_staying)/ns/mnt")" |
	    sed 's/^/namespace /'
}

leaks_mounts()
{
	cut -d ' ' -f 1,5,10- /proc/self/mountinfo | sed 's/^/mount /'
}

# Segments, semaphores and queues live in the IPC namespace the case runs in.
leaks_ipc()
{
	find /dev/shm /dev/mqueue -mindepth 1 -printf 'shared memory %p\n' \
	    2>/dev/null
	awk 'FNR > 1 { print FILENAME " id " $2 }' \
	    /proc/sysvipc/{shm,sem,msg} 2>/dev/null
}

# A file that can be locked has no living owner. One that cannot belongs to
# another mayfly, running beside this test, and is no leak of ours.
leaks_files()
{
	local path

	find "${T_RUN_DIRS[@]}" -mindepth 1 2>/dev/null |
	    while IFS= read -r path; do
		if [[ $1 == all || ! (-f $path || -d $path) ]] ||
		    flock -n -x "$path" true 2>/dev/null; then
			echo "file $path"
		fi
	done
	# A container that another topic boots has cgroups of its own.
	find /sys/fs/cgroup -path '*/payload' -prune -o -name 'mayfly*' \
	    -type d ! -name mayfly-self \
	    ! -name '*.service' ! -name '*.slice' ! -name '*.scope' \
	    ! -name '*.socket' ! -name '*.timer' \
	    -printf 'cgroup %p\n' 2>/dev/null
}

# Everything that counts; of files only those without an owner, or all.
leaks_list()
{
	{
		leaks_processes
		leaks_namespaces
		leaks_mounts
		leaks_ipc
		leaks_files "$1"
	} | sort -u
}

# The state to compare with, kept in a file outside every case's directory.
leaks_baseline()
{
	leaks_list all >"$T_ROOT/leaks.before"
}

# Prints what is new. The kernel removes network namespaces in the background,
# so it is asked again for two seconds before it is believed.
leaks_new()
{
	local tries

	for ((tries = 0; tries < 40; tries++)); do
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
