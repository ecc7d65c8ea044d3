#!/bin/bash
# The doctor tells what this machine offers, lacks, and what that costs.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for other shells

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"
# shellcheck source=tests/findings.sh
. "$T_TREE/tests/findings.sh"

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

if testcase "it ends at once, also when nothing reads its report"; then
	t_as timeout -s KILL 20 "$MAYFLY" doctor </dev/null 2>err | true
	check "it took 20 seconds" test "${PIPESTATUS[0]}" != 137
	t_as timeout -s KILL 20 "$MAYFLY" doctor <&- >&- 2>&-
	status=$?
	expect_status 0 1
fi

t_done
