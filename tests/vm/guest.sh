#!/bin/bash
#
# Runs topics in a virtual machine with systemd as PID 1, cgroup v2 alone and
# Linux 6.1:
#
#	guest.sh [TOPIC]...	all of tests/vm, or these of it or of tests/; with
#			none, whether this script notices a guest that fails
#	guest.sh --shell	a root shell there; `poweroff` leaves
#	guest.sh --container TOPIC...	the same root in systemd-nspawn: it
#			boots in a second, with the cgroups and the kernel of
#			this machine
#
# The program and the tests are those of this tree. Nothing that the guest does
# to its disk is kept. Fails when a test does, when the guest hangs, and when
# its last line is not the sum of what passed.
#
# Environment:
#	MAYFLY		the program under test (build/mayfly of the tree)
#	VM_CACHE	where the guest's root is kept
#	VM_PATIENCE	seconds until a guest counts as hung (1800)
#	VM_CPUS, VM_MEM	what it has (2, and 1024 MB)
#	VM_APPEND	more words for its kernel
#	CASE, MUST_WORK, T_TIMES	as for every topic (t.sh)
#	WAY		the one way in that http.sh takes
#	STRESSORS	those of neighbours.sh
#	FAULTS		how many there are of each kind (faults/lib.sh)
#	LONG		1: topics that have a long form are to take it
#	ROWS		of the attack suite, with LONG=1 (all)

set -u

# shellcheck source=tests/vm/machine.sh
. "$(dirname "${BASH_SOURCE[0]}")/machine.sh"

shell()
{
	boot -chardev stdio,id=here,signal=off -serial chardev:here
}

# What starts the tests where there is no serial line.
write_service()
{
	cat >"$SCRATCH/service" <<-'END'
		[Unit]
		SuccessAction=poweroff-force
		FailureAction=poweroff-force
		[Service]
		Type=oneshot
		WorkingDirectory=/opt
		ExecStartPre=/bin/tar -x -f /disk
		ExecStart=/bin/bash /opt/tests/vm/inside.sh
		StandardOutput=append:/results
		StandardError=append:/results
	END
}

# systemd-nspawn puts a container's cgroups below the one it is started in, where
# two containers would have the same: each is given one of its own.
enter_cgroup()
{
	mkdir "$GUEST_CGROUP" && echo "$BASHPID" >"$GUEST_CGROUP/cgroup.procs"
}

leave_cgroup()
{
	[[ ! -d $GUEST_CGROUP ]] ||
	    find "$GUEST_CGROUP" -depth -type d -exec rmdir {} \;
}

# The mount ends with the namespace it is made in, and nothing of this machine
# is writable there but the file of results. Session directories cannot be on
# the overlay that the root is.
contain()
{
	mount -o loop,ro,noload "$CACHE/root.ext4" "$SCRATCH/root" || return
	enter_cgroup || return
	SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --boot \
	    --register=no --keep-unit --machine="mayfly-$$" \
	    --directory="$SCRATCH/root" --volatile=overlay \
	    --tmpfs=/var/lib/mayfly --private-network --console=pipe \
	    --bind-ro="$SCRATCH/disk:/disk" --bind="$SCRATCH/results:/results" \
	    --bind-ro="$SCRATCH/service:$1"
}

run_in_container()
{
	local code

	((EUID == 0)) || die "systemd-nspawn needs root"
	mkdir "$SCRATCH/root"
	: >"$SCRATCH/results"
	write_service
	GUEST_CGROUP=$(findmnt -nr -t cgroup2 -o TARGET | head -n 1)$(
	    sed -n 's/^0:://p' /proc/self/cgroup)/guest-${SCRATCH##*.}
	export -f contain enter_cgroup
	export CACHE SCRATCH GUEST_CGROUP
	timeout -k 5 "$PATIENCE" unshare --mount bash -c 'contain "$@"' bash \
	    /etc/systemd/system/mayfly-tests.service \
	    </dev/null >"$SCRATCH/console" 2>&1
	code=$?
	leave_cgroup
	cat "$SCRATCH/results"
	conclude "$code"
}

# The last line of the results says whether all went well.
conclude()
{
	local last

	last=$(tail -n 1 "$SCRATCH/results")
	if [[ $last =~ ^[0-9]+\ passed,\ ([0-9]+)\ failed,\ [0-9]+\ skipped$ &&
	    $1 == 0 ]]; then
		((BASH_REMATCH[1] == 0))
		return
	fi
	tail -n 20 "$SCRATCH/console" | cat -v
	(($1 != 124)) || die "the guest hung: $PATIENCE seconds"
	die "the guest ended before its last line ($1)"
}

# A guest of its own that goes wrong is to be told from one that goes well.
# check_itself SENTENCE COMPLAINT VARIABLE=VALUE...
check_itself()
{
	local sentence=$1 complaint=$2 said

	shift 2
	if said=$(env "$@" "$0" core) ||
	    ! grep -qE "^guest.sh: $complaint" <<<"$said" ||
	    [[ ${said##*$'\n'} != '0 passed, 1 failed, 0 skipped' ]]; then
		echo "not ok - $sentence"
		echo "${said//$'\n'/$'\n\t'}"
		((failed += 1))
		return
	fi
	echo "ok - $sentence"
	((passed += 1))
}

check_guests()
{
	echo '== guest.sh'
	check_itself 'a guest that hangs is a failure' 'the guest hung' \
	    VM_PATIENCE=4
	check_itself 'a guest that ends before its last line is a failure' \
	    'the guest ended before its last line' \
	    VM_APPEND=systemd.unit=poweroff.target
	cut_power
}

# Twice only; make prove does it more often.
cut_power()
{
	local said

	echo '== powercut.sh'
	said=$("$VM/powercut.sh" 2)
	echo "${said%$'\n'*}"
	if [[ ${said##*$'\n'} =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
		((passed += BASH_REMATCH[1], failed += BASH_REMATCH[2]))
	else
		echo "not ok - powercut.sh has no last line"
		((failed += 1))
	fi
}

run_topics()
{
	export -f boot
	export ACCEL CACHE SCRATCH
	timeout -k 5 "$PATIENCE" bash -c 'exec 2>&1
	    boot -serial stdio </dev/null' | tee "$SCRATCH/results"
	conclude "${PIPESTATUS[0]}"
}

way=machine
case ${1:-} in
--container | --shell)
	way=${1#--}
	;;
esac
[[ $way != container ]] || shift
prepare_root "$@"
[[ $way == container ]] || choose_accel
(($# > 0)) || check_guests
make_disk "$@"
case $way in
container) run_in_container ;;
machine) run_topics ;;
shell) shell ;;
esac
