#!/bin/bash
# The doctor names what the place that it is started in lacks, and the way out.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for other shells

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"
# shellcheck source=tests/findings.sh
. "$T_TREE/tests/findings.sh"

# A filter such as a container's: the calls give an errno. ERRNO NR[,NR]...
FILTER='
import ctypes, os, struct, sys
calls = [int(n) for n in sys.argv[2].split(",")]
code = [(0x20, 0, 0, 0)]
for i, n in enumerate(calls):
    code.append((0x15, len(calls) - i, 0, n))
code += [(6, 0, 0, 0x7fff0000), (6, 0, 0, 0x50000 | int(sys.argv[1]))]
text = ctypes.create_string_buffer(
    b"".join(struct.pack("HBBI", *c) for c in code))
program = ctypes.create_string_buffer(
    struct.pack("HxxxxxxQ", len(code), ctypes.addressof(text)))
libc = ctypes.CDLL(None)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
    sys.exit("the filter cannot be loaded")
os.execv(sys.argv[3], sys.argv[3:])
'
EPERM=1
ENOSYS=38

# Numbers of system calls of both architectures, or of one each.
case $(uname -m) in
x86_64)
	UNSHARE=272 PIVOT_ROOT=155 SECCOMP=317
	;;
aarch64)
	UNSHARE=97 PIVOT_ROOT=41 SECCOMP=277
	;;
esac
CLONE3=435 FSOPEN=430

if testcase "without user namespaces it names the setting"; then
	doctor unshare -Ur sh -c \
	    'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' sh
	expect_status 1
	expect_level user_namespaces fail
	expect_says user_namespaces found 'user.max_user_namespaces is 0'
	expect_says user_namespaces remedy 'user.max_user_namespaces='
	expect_says namespaces found 'not tried: see user_namespaces'
	expect_level sandbox fail
fi

if testcase "behind a container's filter it names the container option" &&
    require "there is no python3" have python3; then
	for call in "$ENOSYS $CLONE3" "$EPERM $CLONE3" "$EPERM $UNSHARE"; do
		# shellcheck disable=SC2086 # two words
		doctor "$PYTHON" -c "$FILTER" $call
		expect_status 1
		expect_level user_namespaces fail
		expect_says user_namespaces found 'seccomp'
		expect_says user_namespaces remedy 'seccomp=unconfined'
	done
fi

if testcase "each missing call is found at its own check" &&
    require "there is no python3" have python3; then
	while read -r call name; do
		doctor "$PYTHON" -c "$FILTER" "$EPERM" "$call"
		expect_status 1
		expect_level "$name" fail
		expect_level sandbox fail
	done <<-END
	$FSOPEN mount_api
	$PIVOT_ROOT pivot_root
	$SECCOMP seccomp
	END
fi

if ((EUID == 0)) &&
    testcase "a masked /proc is told, with the container option"; then
	# In a PID namespace of its own, as a container has.
	unshare --mount --pid --fork --mount-proc --kill-child sh -c '
	    for f in keys interrupts; do
		mount --bind /dev/null /proc/$f || exit 1
	    done; exec "$@"' sh "${T_AS[@]}" "$MAYFLY" doctor --json \
	    </dev/null >json 2>err
	status=$?
	if [[ $AS == root ]] || ! masks_count; then
		expect_status 0
		expect_level proc ok
	else
		expect_status 1
		expect_level proc fail
		expect_says proc found 'masked in 2 places, such as /proc/keys'
		expect_says proc remedy 'systempaths=unconfined'
		expect_says proc remedy 'unmask=ALL'
	fi
fi

if [[ $AS == root ]] && testcase "root without the capabilities is told"; then
	doctor setpriv --bounding-set -sys_admin,-chown \
	    --inh-caps -sys_admin,-chown
	expect_level caller warn
	expect_says caller found 'cap_sys_admin cap_chown'
	expect_says caller remedy 'cap-add'
fi

if testcase "in a user namespace with one id it agrees with run"; then
	t_as unshare -Ur "$MAYFLY" run -- true </dev/null >out 2>err
	ran=$?
	doctor unshare -Ur
	expect_says caller found 'in a user namespace'
	expect_status $((ran != 0))
	[[ $ran == 0 ]] || expect_level host_ids fail
fi

# in_cgroup SCRIPT: as root in a cgroup of its own, which is the top of a
# cgroup namespace; cgroup v2 is mounted where it belongs, and as it is: its
# options are those of the whole machine.
in_cgroup()
{
	unshare --mount sh -c '
	    how=$(findmnt -nt cgroup2 -o FS-OPTIONS | head -n 1)
	    umount -l /sys/fs/cgroup
	    mount -t cgroup2 -o "${how:-rw}" cgroup2 /sys/fs/cgroup || exit 99
	    own=$(sed -n "s/^0:://p" /proc/self/cgroup)
	    dir=/sys/fs/cgroup$own/t-doctor.$$
	    mkdir "$dir" || exit 99
	    (
		echo 0 >"$dir/cgroup.procs" || exit 99
		'"$1"'
	    )
	    code=$?
	    find "$dir" -depth -type d -exec rmdir {} +
	    exit $code' sh "$T_UID" "${T_AS[@]}" "$MAYFLY" doctor --json \
	    </dev/null >json 2>err
	status=$?
	[[ $status != 99 ]] || skip "no cgroup can be made here"
	[[ $status != 99 ]]
}

if ((EUID == 0)) && testcase "a delegated cgroup is tried, and left empty" &&
    in_cgroup 'chown "$1" "$dir" "$dir"/cgroup.*; shift
	case $1 in setpriv) exec "$@" ;; *) exec unshare --cgroup --mount sh -c "
	    umount -l /sys/fs/cgroup
	    mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec \"\$@\"" sh "$@"
	esac'; then
	expect_status 0
	expect_level cgroup ok
	expect_level cgroup_delegation ok
	expect_level cgroup_kill ok
	expect_says cgroup_kill found 'was ended'
	missing=$(found cgroup_controllers .found)
	if [[ $missing == *memory* ]]; then
		expect_level memory_peak \
		    "$([[ $missing == missing* ]] && echo warn || echo ok)"
	fi
	expect_says sandbox found 'time by cgroup'
fi

if ((EUID == 0)) && testcase "a cgroup that is not delegated is told" &&
    in_cgroup 'shift; exec "$@"'; then
	expect_status 0
	expect_level cgroup_delegation warn
	expect_says cgroup_delegation remedy 'Delegate=yes'
	expect_says cgroup_kill found 'not tried'
fi

# The shell stays in the cgroup that is delegated.
if ((EUID != 0)) && systemctl --user show -P Version >/dev/null 2>&1 &&
    testcase "a user is told how a user gets a cgroup of its own"; then
	systemd-run --quiet --user --scope -p Delegate=yes bash -c \
	    '"$0" doctor --json; exit' "$MAYFLY" </dev/null >json 2>err
	expect_level cgroup_delegation warn
	expect_says cgroup_delegation found 'other processes'
	expect_says cgroup_delegation remedy 'systemd-run --user --scope'
fi

t_done
