# shellcheck shell=bash
#
# What a machine for the tests is made of: sourced by what starts one. See
# guest.sh for the environment.
# shellcheck disable=SC2034 # for whoever sources it

VM=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TREE=$(cd "$VM/../.." && pwd)
MAYFLY=${MAYFLY:-$TREE/build/mayfly}
CACHE=${VM_CACHE:-${XDG_CACHE_HOME:-/var/cache}/mayfly-vm}
PATIENCE=${VM_PATIENCE:-1800}
passed=0 failed=0
# What images are tried with, which makes the guest's root a third larger.
IMAGE_PACKAGES=(bzip2 docker-registry libarchive13 skopeo umoci xz-utils zstd)
# Of the attack suite, what cgroups have to do with.
ATTACK_ROWS='C2 C6'

# shellcheck source=tests/attack/compile.sh
. "$TREE/tests/attack/compile.sh"

die()
{
	echo "$(basename "$0"): $*"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
}

# The cache is good for as long as what builds it is the same. Topics that need
# more have a root of their own.
prepare_root()
{
	local more=()

	if [[ " $* " == *" images "* ]]; then
		CACHE+=/images
		more=("${IMAGE_PACKAGES[@]}")
	fi
	mkdir -p "$CACHE" || die "$CACHE cannot be made"
	exec 8>"$CACHE/lock"
	flock 8
	if [[ ! -e $CACHE/root.ext4 ]] || ! cmp -s "$VM/root.sh" \
	    "$CACHE/root.sh"; then
		rm -f "$CACHE"/{root.sh,accel}
		echo "building the guest's root in $CACHE"
		"$VM/root.sh" "$CACHE" "${more[@]}" ||
		    die "there is no root to boot"
		cp "$VM/root.sh" "$CACHE/root.sh"
	fi
	exec 8>&-
}

# /dev/kvm may be there and do nothing: the kernel has to get as far as
# missing its root, which takes a second.
choose_accel()
{
	local said=$CACHE/accel

	[[ -n $(type -P qemu-system-x86_64) ]] ||
	    die "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
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
	local name names=()

	for name in CASE FAULTS MUST_WORK T_TIMES WAY LONG ROWS STRESSORS; do
		[[ -n ${!name:-} ]] || continue
		echo "export $name=${!name@Q}"
		names+=("$name")
	done
	echo "export ATTACK_ROWS=${ATTACK_ROWS@Q}"
	echo "PASSED_ON=(${names[*]})"
	echo "passed=$passed failed=$failed skipped=0"
	echo "TOPICS=(${*@Q})"
}

# The guest has no compiler.
compile_attacks()
{
	local tests=$TREE/tests/attack row

	rm -rf "$SCRATCH/tree/build/attack"
	if [[ -n ${LONG:-} ]]; then
		attack_compile_all "$tests" "$SCRATCH/tree/build/attack"
		return
	fi
	mkdir "$SCRATCH/tree/build/attack"
	for row in $ATTACK_ROWS; do
		attack_compile "$(sed -n "s/^$row | \([a-z0-9_]*\) | .*/\1/p" \
		    "$tests/rows" | head -n 1)" "$tests" \
		    "$SCRATCH/tree/build/attack" || return
	done
}

compile_tools()
{
	cp "$(dirname "$MAYFLY")/inject" "$SCRATCH/tree/build" &&
	    cc -O2 -D_GNU_SOURCE -static -o "$SCRATCH/tree/build/tree" \
	    "$TREE/tests/images/tree.c"
}

make_disk()
{
	mkdir -p "$SCRATCH/tree/build" || die "no scratch directory"
	cp "$MAYFLY" "$(dirname "$MAYFLY")/mayfly-rootfs" \
	    "$SCRATCH/tree/build" || die "run make first"
	if (($# == 0)) || [[ " $* " == *" attack "* ]]; then
		compile_attacks || die "an attack does not compile"
	fi
	[[ " $* " != *" suites "* ]] || cp -r "$(dirname "$MAYFLY")/unit" \
	    "$SCRATCH/tree/build/unit" || die "run make check T=unit first"
	[[ " $* " != *" images "* ]] || compile_tools ||
	    die "run make check T=faults_snapshots first"
	[[ " $* " != *" bench "* ]] || cc -O2 -D_GNU_SOURCE -static \
	    -o "$SCRATCH/tree/build/http" "$TREE/tests/bench/http.c" ||
	    die "tests/bench/http.c does not compile"
	write_orders "$@" >"$SCRATCH/tree/orders"
	# Whole blocks of a disk: tar pads to 10 KB.
	tar -C "$SCRATCH/tree" -cf "$SCRATCH/disk" . \
	    -C "$TREE" Makefile man tests units || die "no disk was made"
}

boot()
{
	nice qemu-system-x86_64 -accel "$ACCEL" -cpu max \
	    -smp "${VM_CPUS:-2}" -m "${VM_MEM:-1024}" -nodefaults \
	    -display none -no-reboot -kernel "$CACHE/kernel" \
	    -initrd "$CACHE/initrd" \
	    -append "console=ttyS0 panic=-1 loglevel=4 ${VM_APPEND:-}" \
	    -drive "file=$CACHE/root.ext4,if=virtio,format=raw,snapshot=on" \
	    -drive "file=$SCRATCH/disk,if=virtio,format=raw,readonly=on" \
	    -serial "file:$SCRATCH/console" "$@"
}

SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/mayfly-vm.XXXXXX") || exit 1
trap 'rm -rf --one-file-system "$SCRATCH"' EXIT
