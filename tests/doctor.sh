#!/bin/bash
# The doctor tells what this machine offers, lacks, and what that costs.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for other shells

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

# doctor [COMMAND...]: as the test user, started by the command; leaves the
# report in out and as JSON in json, and status.
doctor()
{
	local code

	t_as timeout -s KILL "$T_PATIENCE" "$@" "$MAYFLY" doctor --json \
	    </dev/null >json 2>err
	code=$?
	t_as timeout -s KILL "$T_PATIENCE" "$@" "$MAYFLY" doctor \
	    </dev/null >out 2>>err
	status=$?
	[[ $code == "$status" ]] ||
	    fail "status is $status, and $code with --json"
}

# found NAME FILTER: what jq says of the finding.
found()
{
	jq -r --arg name "$1" \
	    ".findings[] | select(.name == \$name) | $2" json
}

# expect_level NAME ok|warn|fail
expect_level()
{
	local level

	level=$(found "$1" .level)
	[[ $level == "$2" ]] ||
	    fail "$1 is '$level', not $2: $(found "$1" .found)"
}

# expect_says NAME FIELD PATTERN
expect_says()
{
	found "$1" ".$2" | grep -qE -e "$3" ||
	    fail "$2 of $1 does not have /$3/: $(found "$1" ".$2")"
}

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

if testcase "it exits 0 where a command can be run and 1 where none can"; then
	run -- true
	ran=$status
	doctor
	expect_no_err
	if [[ $ran == 0 ]]; then
		expect_status 0
		expect_level sandbox ok
		expect_out_has '^A sandbox can run here'
	else
		expect_status 1
		expect_level sandbox fail
		expect_out_has '^No sandbox can run here'
	fi
	expect_json ".ok == ($status == 0)" json
fi

if testcase "every finding says what is there, and what a lack costs"; then
	doctor
	expect_json '.findings | length > 20' json
	expect_json '[.findings[].name] | length == (unique | length)' json
	expect_json 'all(.findings[]; .name | test("^[a-z0-9_.-]+$"))' json
	expect_json 'all(.findings[]; .found != "")' json
	expect_json 'all(.findings[] | select(.level == "ok");
	    .cost == "" and .remedy == "")' json
	expect_json 'all(.findings[] | select(.level != "ok")
	    | select(.found | startswith("not tried") | not);
	    .cost != "" and .remedy != "")' json
	expect_json '[.findings[].level] - ["ok", "warn", "fail"] == []' json
fi

if testcase "the text has the same findings, one line each, aligned"; then
	doctor
	check "names or levels differ" cmp \
	    <(grep -E '^(ok|warn|fail) ' out | awk '{ print $1, $2 }') \
	    <(jq -r '.findings[] | "\(.level) \(.name)"' json)
	columns=$(sed -nE 's/^((ok|warn|fail) +[^ ]+ +).*/\1/p' out |
	    awk '{ print length($0) }' | sort -u | wc -l)
	check "the columns are not aligned" test "$columns" = 1
	check "a line is longer than 80" test -z "$(grep -E '.{81}' out)"
	check "a lack has no 'do' line" test "$(grep -c '^      do ' out)" = \
	    "$(jq '[.findings[] | select(.remedy != "")] | length' json)"
fi

if testcase "wrong usage names the option and prints nothing"; then
	for word in --jsn --json=1 -x extra --; do
		mayfly doctor "$word" </dev/null >out 2>err
		status=$?
		expect_status 64
		expect_no_out
		expect_err_has "'$word'"
	done
fi

if testcase "a report that cannot be written is an error"; then
	for option in '' --json; do
		# shellcheck disable=SC2086 # no word where there is no option
		t_as "$MAYFLY" doctor $option >/dev/full 2>err
		status=$?
		expect_status 125
		expect_err_has stdout
	done
fi

if testcase "it says who calls and which ids his sandboxes have"; then
	doctor
	case $AS in
	root)
		expect_says caller found '^root'
		expect_level host_ids ok
		expect_says host_ids found '1024 ranges of 65536 from 1879048192'
		;;
	subuid)
		expect_says caller found "^user $T_UID"
		expect_level host_ids ok
		expect_says host_ids found '^65536 from 2000027648'
		;;
	user)
		expect_says caller found "^user $T_UID"
		expect_level host_ids warn
		expect_says host_ids found '^one: '
		;;
	esac
fi

# As in a container, whose kernel's modules are another machine's files.
if [[ $AS == root && -n ${T_ENTERED:-} && -e /proc/modules &&
    -d /lib/modules ]] &&
    testcase "where modules are not shown none is said to be kept out"; then
	mount -t tmpfs tmpfs /lib/modules
	doctor
	umount /lib/modules
	expect_says kernel_modules found 'not shown here$|^loaded'
fi

if testcase "limits that are too low for any command are named as that"; then
	doctor env MAYFLY_DEFAULT_NOFILE=3
	expect_status 1
	expect_level sandbox fail
	expect_says sandbox remedy "^Raise .* default_nofile or "
fi

if testcase "it says what images are made with, and what is lost without"; then
	doctor
	[[ ! -x $MAYFLY-rootfs ]] || expect_level images ok
	for program in skopeo mmdebstrap buildah; do
		path=$(type -P "$program")
		if [[ $path == /usr/* ]]; then
			expect_level "$program" ok
			expect_says "$program" found "^$path\$"
		else
			expect_says "$program" level '^(ok|warn)$'
		fi
	done
	if [[ $AS == root && -n ${T_ENTERED:-} && -x $MAYFLY-rootfs &&
	    ! -e /usr/local/libexec/mayfly-rootfs ]]; then
		mkdir none
		for program in skopeo mmdebstrap debootstrap buildah; do
			[[ ! -e /usr/bin/$program ]] ||
			    mount --bind /dev/null "/usr/bin/$program"
		done
		mv "$MAYFLY-rootfs" none
		doctor
		mv none/* "$(dirname "$MAYFLY")"
		expect_says images found '^mayfly-rootfs: .*: No such file'
		expect_says images remedy 'Install mayfly-rootfs'
		expect_level skopeo warn
		expect_says skopeo cost 'cannot be pulled'
		expect_says skopeo remedy 'apt-get install skopeo'
		expect_says buildah cost 'from-dockerfile'
		for program in skopeo mmdebstrap debootstrap buildah; do
			umount "/usr/bin/$program" 2>/dev/null
		done
	fi
fi

if testcase "it says what holds sessions to their size"; then
	doctor
	id=$(mayfly session create </dev/null)
	mayfly session run "$id" --json -- true </dev/null >ran 2>err
	mayfly session delete "$id" </dev/null 2>err
	if [[ $(jq -r .enforced.session_disk ran) == quota ]]; then
		expect_level session_disk ok
		expect_says session_disk found 'project quotas of /'
	else
		expect_level session_disk warn
		expect_says session_disk cost 'looked at'
		case $AS in
		root) expect_says session_disk remedy 'option prjquota' ;;
		*) expect_says session_disk found '^only root' ;;
		esac
	fi
	doctor env MAYFLY_STATE_DIR=/nonexistent/state
	expect_says session_disk level '^(ok|warn)$'
	check "it has made the directory" test ! -e /nonexistent
fi

if [[ $AS == root ]] &&
    testcase "ranges that /etc/subuid or /etc/subgid gave away are told"; then
	for file in subuid subgid; do
		# The end of one range and the whole of the next.
		echo "other:1879113727:65537" >given
		mount --bind given "/etc/$file"
		doctor
		umount "/etc/$file"
		expect_status 0
		expect_level host_ids warn
		expect_says host_ids found '^2 of 1024 .*/etc/subuid or'
	done
	# From the last range but one on, and far beyond them all.
	echo "other:1946025984:2000000000" >given
	mount --bind given /etc/subuid
	doctor
	umount /etc/subuid
	expect_level host_ids warn
	expect_says host_ids found '^2 of 1024 '
	echo "other:1879048192:67108864" >given
	mount --bind given /etc/subuid
	doctor
	umount /etc/subuid
	expect_status 1
	expect_level host_ids fail
	expect_says host_ids remedy 'uid_base'
fi

if [[ $AS == subuid ]] &&
    testcase "a range that newuidmap does not grant is a failure"; then
	check "newuidmap is not there" have newuidmap
	# Without new privileges it cannot.
	doctor setpriv --no-new-privs
	expect_status 1
	expect_level host_ids fail
	expect_says host_ids remedy 'newuidmap'
fi

if testcase "a configuration that is not understood is a failure"; then
	doctor env MAYFLY_UID_BASE=x
	expect_status 1
	expect_level config fail
	expect_says config found "uid_base: 'x'"
	expect_level kernel ok
fi

if testcase "kernel settings are the kernel's, and judged"; then
	doctor
	for name in $(jq -r '.findings[].name | select(test("[.]"))' json); do
		[[ $name != kernel.core_p* ]] || continue
		path=/proc/sys/${name//.//}
		if [[ ! -e $path ]]; then
			expect_says "$name" found 'this kernel has none'
			continue
		fi
		expect_says "$name" found "^$(t_as cat "$path")(,|$)"
	done
	for name in fs.protected_symlinks fs.protected_hardlinks \
	    fs.protected_fifos fs.protected_regular kernel.dmesg_restrict \
	    kernel.kptr_restrict kernel.unprivileged_bpf_disabled \
	    kernel.perf_event_paranoid kernel.yama.ptrace_scope \
	    kernel.io_uring_disabled dev.tty.legacy_tiocsti \
	    vm.unprivileged_userfaultfd debug.exception-trace; do
		expect_says "$name" level '^(ok|warn)$'
	done
fi

# with_setting NAME VALUE: the report where the kernel shows this value.
with_setting()
{
	echo "$2" >value
	mount --bind value "/proc/sys/${1//.//}" || return
	doctor
	umount "/proc/sys/${1//.//}"
}

if ((EUID == 0)) &&
    testcase "each setting warns below the value that is wanted"; then
	while read -r name bad good; do
		[[ -e /proc/sys/${name//.//} ]] || continue
		with_setting "$name" "$bad"
		expect_level "$name" warn
		expect_says "$name" remedy "^sysctl -w $name=[0-9]+$"
		with_setting "$name" "$good"
		expect_level "$name" ok
	done <<-END
	fs.protected_symlinks 0 1
	fs.protected_hardlinks 0 1
	fs.protected_fifos 1 2
	fs.protected_regular 1 2
	kernel.dmesg_restrict 0 1
	kernel.kptr_restrict 1 2
	kernel.unprivileged_bpf_disabled 0 1
	kernel.perf_event_paranoid 2 3
	kernel.yama.ptrace_scope 0 1
	kernel.io_uring_disabled 1 2
	dev.tty.legacy_tiocsti 1 0
	vm.unprivileged_userfaultfd 1 0
	debug.exception-trace 1 0
	END
fi

if ((EUID == 0)) && testcase "a program that reads core dumps is told"; then
	with_setting kernel.core_pattern core
	expect_level kernel.core_pattern ok
	with_setting kernel.core_pattern '|/usr/bin/crash-reader %p'
	expect_level kernel.core_pattern warn
	expect_says kernel.core_pattern found '/usr/bin/crash-reader %p'
	expect_json 'any(.findings[]; .name == "kernel.core_pipe_limit")' json
	for at in @ @@; do
		with_setting kernel.core_pattern "$at/run/crash-reader"
		expect_level kernel.core_pattern warn
		expect_says kernel.core_pattern found '/run/crash-reader'
		expect_says kernel.core_pattern remedy '^sysctl -w kernel.core'
	done
fi

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

if testcase "it ends at once, also when nothing reads its report"; then
	t_as timeout -s KILL 20 "$MAYFLY" doctor </dev/null 2>err | true
	check "it took 20 seconds" test "${PIPESTATUS[0]}" != 137
	t_as timeout -s KILL 20 "$MAYFLY" doctor <&- >&- 2>&-
	status=$?
	expect_status 0 1
fi

t_done
