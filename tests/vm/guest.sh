#!/bin/bash
#
# Runs topics in a virtual machine with systemd as PID 1, cgroup v2 alone and
# Linux 6.1:
#
#	guest.sh [TOPIC]...	all of tests/vm, or these of it or of tests/
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
#	CASE, MUST_WORK, T_TIMES	as for every topic (t.sh)
#	WAY	the one way in that http.sh takes

set -u

VM=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TREE=$(cd "$VM/../.." && pwd)
MAYFLY=${MAYFLY:-$TREE/build/mayfly}
CACHE=${VM_CACHE:-${XDG_CACHE_HOME:-/var/cache}/mayfly-vm}
PATIENCE=${VM_PATIENCE:-1800}

die()
{
	echo "guest.sh: $*"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
}

# The cache is good for as long as what builds it is the same.
prepare_root()
{
	mkdir -p "$CACHE" || die "$CACHE cannot be made"
	exec 8>"$CACHE/lock"
	flock 8
	if [[ ! -e $CACHE/root.ext4 ]] || ! cmp -s "$VM/root.sh" \
	    "$CACHE/root.sh"; then
		rm -f "$CACHE"/{root.sh,accel}
		echo "building the guest's root in $CACHE"
		"$VM/root.sh" "$CACHE" || die "there is no root to boot"
		cp "$VM/root.sh" "$CACHE/root.sh"
	fi
	exec 8>&-
}

# /dev/kvm may be there and do nothing: the kernel has to get as far as
# missing its root, which takes a second.
choose_accel()
{
	local said=$CACHE/accel

	if [[ ! -s $said || $said -ot /proc/1 ]]; then
		echo tcg,thread=multi >"$said"
		if [[ -w /dev/kvm ]] && timeout -k 1 10 qemu-system-x86_64 \
		    -accel kvm -cpu host -m 256 -nodefaults -display none \
		    -no-reboot -serial stdio -kernel "$CACHE/kernel" \
		    -append 'console=ttyS0 panic=-1' </dev/null 2>&1 |
		    grep -q 'Kernel panic'; then
			echo kvm >"$said"
		fi
	fi
	ACCEL=$(<"$said")
}

# What inside.sh is to do, as shell words.
write_orders()
{
	local name

	for name in CASE MUST_WORK T_TIMES WAY; do
		[[ -z ${!name:-} ]] || echo "export $name=${!name@Q}"
	done
	echo "TOPICS=(${*@Q})"
}

make_disk()
{
	mkdir -p "$SCRATCH/tree/build" || die "no scratch directory"
	cp "$MAYFLY" "$SCRATCH/tree/build/mayfly" || die "run make first"
	# The guest has no compiler.
	[[ " $* " != *" bench "* ]] || cc -O2 -D_GNU_SOURCE -static \
	    -o "$SCRATCH/tree/build/http" "$TREE/tests/bench/http.c" ||
	    die "tests/bench/http.c does not compile"
	write_orders "$@" >"$SCRATCH/tree/orders"
	# Whole blocks of a disk: tar pads to 10 KB.
	tar -C "$SCRATCH/tree" -cf "$SCRATCH/disk" build orders \
	    -C "$TREE" Makefile man tests units || die "no disk was made"
}

boot()
{
	nice qemu-system-x86_64 -accel "$ACCEL" -cpu max \
	    -smp "${VM_CPUS:-2}" -m "${VM_MEM:-1024}" -nodefaults \
	    -display none -no-reboot -kernel "$CACHE/kernel" \
	    -initrd "$CACHE/initrd" \
	    -append "console=ttyS0 panic=-1 loglevel=4" \
	    -drive "file=$CACHE/root.ext4,if=virtio,format=raw,snapshot=on" \
	    -drive "file=$SCRATCH/disk,if=virtio,format=raw,readonly=on" \
	    -serial "file:$SCRATCH/console" "$@"
}

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
if [[ $way != container && -z $(type -P qemu-system-x86_64) ]]; then
	die "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
fi
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/mayfly-vm.XXXXXX") || exit 1
trap 'rm -rf --one-file-system "$SCRATCH"' EXIT
prepare_root
[[ $way == container ]] || choose_accel
make_disk "$@"
case $way in
container) run_in_container ;;
machine) run_topics ;;
shell) shell ;;
esac
