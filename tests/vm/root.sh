#!/bin/bash
#
# Builds what guest.sh boots, into the directory given: Debian's kernel, a small
# initrd that finds the disk, and an ext4 root with systemd, no mayfly in it:
#
#	root.sh DIRECTORY [PACKAGE]...	with these packages as well
#
# Packages are kept beside them, so that a change here does not fetch them
# again.

set -u

SUITE=bookworm
# e2fsprogs, xfsprogs: disks of a test's own. iproute2: their networks. kmod:
# overlay is a module. systemd-container: systemd-nspawn.
PACKAGES=(busybox-static curl dbus dbus-user-session e2fsprogs iproute2 jq kmod
    libpam-systemd linux-image-cloud-amd64 make passwd perl procps psmisc
    python3 strace stress-ng systemd systemd-container systemd-sysv uidmap
    xfsprogs)

# Enough to mount the root; the rest of what that takes is in the kernel.
write_init()
{
	cat >"$1" <<-'END'
		#!/bin/busybox sh
		/bin/busybox mount -t devtmpfs dev /dev
		for module in /modules/*.ko; do
			/bin/busybox insmod "$module"
		done
		until [ -b /dev/vda ]; do /bin/busybox sleep 0.05; done
		/bin/busybox mount -t ext4 -o prjquota /dev/vda /root
		exec /bin/busybox switch_root /root /sbin/init
	END
	chmod 0755 "$1"
}

make_initrd()
{
	local root=$1 tree=$1/initrd module n=0

	mkdir -p "$tree"/{bin,dev,root,modules}
	cp "$root/bin/busybox" "$tree/bin/"
	write_init "$tree/init"
	for module in $(chroot "$root" modprobe --show-depends --all \
	    --set-version "$VERSION" virtio_pci virtio_blk quota_v2 |
	    sed -n 's/^insmod //p' | awk '!seen[$0]++'); do
		cp "$root$module" "$tree/modules/$((n++ + 10)).ko"
	done
	chroot "$root" sh -c 'cd initrd && busybox find . |
	    busybox cpio -o -H newc' >initrd 2>/dev/null
	rm -r "$tree"
}

# tester has a range of subordinate ids, plain has none; both may have
# services of their own without being logged in.
add_users()
{
	local root=$1

	chroot "$root" useradd --create-home --uid 1000 tester
	chroot "$root" useradd --create-home --uid 1001 plain
	echo tester:100000:65536 | tee "$root/etc/subuid" >"$root/etc/subgid"
	mkdir -p "$root/var/lib/systemd/linger"
	touch "$root/var/lib/systemd/linger/"{tester,plain}
}

# The tests come on a second disk, as a tar archive; ttyS1 takes what they
# print and nothing else.
add_service()
{
	local units=$1/etc/systemd/system

	cat >"$units/mayfly-tests.service" <<-'END'
		[Unit]
		Wants=systemd-user-sessions.service user@1000.service user@1001.service
		After=systemd-user-sessions.service user@1000.service user@1001.service
		SuccessAction=poweroff-force
		FailureAction=poweroff-force
		[Service]
		Type=oneshot
		WorkingDirectory=/opt
		ExecStartPre=/bin/tar -x -f /dev/vdb
		ExecStart=/bin/bash /opt/tests/vm/inside.sh
		StandardInput=tty
		StandardOutput=tty
		StandardError=tty
		TTYPath=/dev/ttyS1
	END
	ln -s ../mayfly-tests.service "$units/multi-user.target.wants/"
	# Nothing else is to run while tests measure.
	for unit in apt-daily.timer apt-daily-upgrade.timer fstrim.timer \
	    dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
	    docker-registry.service \
	    getty@tty1.service serial-getty@ttyS0.service \
	    systemd-timesyncd.service systemd-udevd.service \
	    systemd-udev-trigger.service systemd-journal-flush.service; do
		ln -sf /dev/null "$units/$unit"
	done
	echo mayfly-guest >"$1/etc/hostname"
	: >"$1/etc/fstab"
	: >"$1/etc/machine-id"
}

# mmdebstrap empties apt's archive: what it fetched is copied away and back.
build()
{
	local root=$PWD/root packages=$PWD/packages

	mkdir -p "$packages"
	mmdebstrap --variant=apt --mode=root --include="$(IFS=,; echo \
	    "${PACKAGES[*]}")" --skip=download/empty --skip=essential/unlink \
	    --setup-hook="mkdir -p \"\$1\"/var/cache/apt/archives &&
	    cp -n $packages/*.deb \"\$1\"/var/cache/apt/archives/ || true" \
	    --customize-hook="cp -u \"\$1\"/var/cache/apt/archives/*.deb \
	    $packages/ || true" \
	    --dpkgopt='path-exclude=/usr/share/doc/*' \
	    --dpkgopt='path-exclude=/usr/share/locale/*' \
	    --dpkgopt='path-exclude=/usr/lib/cni/*' \
	    "$SUITE" "$root" >build.log 2>&1 || return 1
	VERSION=$(basename "$root"/lib/modules/*)
	cp "$root/boot/vmlinuz-$VERSION" kernel || return 1
	make_initrd "$root" && add_users "$root" && add_service "$root" ||
	    return 1
	rm -rf "${root:?}"/boot/* "${root:?}"/usr/share/man
	rm -f root.ext4.new
	mke2fs -q -t ext4 -O quota,project -E quotatype=usrquota:prjquota \
	    -L mayfly -d "$root" root.ext4.new 2G >>build.log 2>&1 || return 1
	rm -rf "$root"
	mv root.ext4.new root.ext4
}

# Is that what apt complained of?
is_offline()
{
	grep -qE "resolv(e|ing) |Could ?n[o']t connect|Network is unreachable|$(
	    )Connection (timed out|failed|refused)" build.log
}

if (($# < 1)) || ! mkdir -p "$1" || ! cd "$1"; then
	echo "usage: root.sh DIRECTORY [PACKAGE]..."
	exit 64
fi
PACKAGES+=("${@:2}")
for program in mmdebstrap mke2fs; do
	if [[ -z $(type -P "$program") ]]; then
		echo "root.sh: $program is missing"
		exit 1
	fi
done
rm -rf root
if ! build; then
	rm -rf root
	if is_offline; then
		echo "root.sh: there is no network: the guest is made of" \
		    "Debian's packages, and they cannot be fetched"
	fi
	echo "root.sh: the root was not built; see $1/build.log"
	grep '^E:' build.log || tail -n 5 build.log
	exit 1
fi
