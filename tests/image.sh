#!/bin/bash
# The image `host`: what a sandbox sees of this machine, and what it does not.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

# Where the topic has a mount namespace of its own the host's files get a
# marker, so that a trace of them inside is recognized.
MARKER=marker-of-the-host-file
PRIVATE="passwd group shadow gshadow hosts hostname resolv.conf nsswitch.conf
    machine-id fstab issue motd environment ssh/sshd_config"
marked=

mark_etc()
{
	local file copy

	mkdir "$T_ROOT/etc"
	for file in $PRIVATE; do
		[[ -f /etc/$file ]] || continue
		copy=$T_ROOT/etc/${file##*/}
		# What t.sh has put there is a copy already.
		if mountpoint -q "/etc/$file"; then
			copy=/etc/$file
		else
			cp -p "/etc/$file" "$copy"
			mount --bind "$copy" "/etc/$file" || continue
		fi
		case $file in
		passwd) echo "$MARKER:x:70000:70000::/:/bin/sh" >>"$copy" ;;
		group) echo "$MARKER:x:70000:" >>"$copy" ;;
		*) echo "# $MARKER" >>"$copy" ;;
		esac
		marked+=" $file"
	done
}

# Two files more in /usr, for this topic only.
mark_usr()
{
	mkdir "$T_ROOT/usr"
	mount -t tmpfs tmpfs "$T_ROOT/usr"
	mkdir "$T_ROOT/usr/upper" "$T_ROOT/usr/work"
	if mount -t overlay overlay /usr -o "lowerdir=/usr,$(
	    )upperdir=$T_ROOT/usr/upper,workdir=$T_ROOT/usr/work"; then
		echo open >"/usr/share/open.$MARKER"
		echo secret >"/usr/share/secret.$MARKER"
		chmod 0600 "/usr/share/secret.$MARKER"
	fi
	umount -l "$T_ROOT/usr"
}

if ((EUID == 0 && $$ == 1)); then
	mark_etc
	mark_usr
fi

if testcase "the host's own files of /etc are not inside" &&
    require "this needs root and a mount namespace" [ -n "$marked" ]; then
	run -- grep -rs "$MARKER" /etc
	expect_status 1
	expect_no_out
	run -- perl -e 'print getpwnam(shift) ? "there" : "none", "\n"' \
	    "$MARKER"
	expect_out none
fi

if testcase "passwd and group are generated and have root and nobody"; then
	run -- cat /etc/passwd
	expect_out_has '^root:[^:]*:0:0:'
	expect_out_has '^nobody:[^:]*:65534:65534:'
	check_not "they are the host's" cmp -s out /etc/passwd
	run -- cat /etc/group
	expect_out_has '^root:[^:]*:0:'
	expect_out_has '^nogroup:[^:]*:65534:'
fi

if testcase "a user a program is run as has a name"; then
	run -- perl -e 'print scalar getpwuid($<), "\n"'
	expect_out root
	run --user 1000 -- perl -e 'print scalar getpwuid($<), "\n"'
	expect_status 0
	expect_out_has '^[a-z]'
fi

if testcase "there is no shadow file"; then
	run -- sh -c 'cat /etc/shadow /etc/gshadow /etc/sudoers'
	expect_no_out
fi

if testcase "hosts knows localhost and resolv.conf no server"; then
	run -- cat /etc/hosts
	expect_out_has '^127\.0\.0\.1[[:space:]]+localhost'
	run -- sh -c 'grep -i nameserver /etc/resolv.conf'
	expect_no_out
fi

if testcase "the host name is not the host's"; then
	run -- perl -MPOSIX -e 'print +(POSIX::uname())[1], "\n"'
	expect_status 0
	check_not "it is the host's" test "$(cat out)" = "$(uname -n)"
	check "it is empty" test -s out
fi

if testcase "what programs need of /etc is shown from the host"; then
	for path in ld.so.cache services protocols localtime alternatives \
	    ssl/certs/ca-certificates.crt; do
		[[ -e /etc/$path ]] || continue
		run -- test -r "/etc/$path"
		((status == 0)) || fail "/etc/$path is not there"
	done
	run -- awk 'BEGIN { print "hi" }'
	expect_out hi
fi

if testcase "/usr is the host's and cannot be written"; then
	run -- sh -c 'ls /usr/bin'
	check "it is not the host's" cmp out <(ls /usr/bin)
	run -- sh -c 'touch /usr/trace /usr/bin/trace; echo x >>/usr/bin/env
	    rm -f /usr/bin/env; mv /usr /usr2; chmod 777 /usr/bin
	    [ -x /usr/bin/env ] && [ ! -e /usr/trace ] && echo intact'
	expect_out intact
	check_not "the host has a trace" test -e /usr/trace
fi

if testcase "the usual links to /usr are there"; then
	run -- sh -c '/bin/sh -c "echo bin"; /sbin/ldconfig -V >&2; ls -d /lib'
	expect_status 0
	expect_out $'bin\n/lib'
fi

if testcase "a file that only root may read is not readable inside" &&
    require "this needs root and an overlay" [ -e /usr/share/open.$MARKER ]
then
	run -- cat "/usr/share/open.$MARKER"
	expect_out open
	run -- cat "/usr/share/secret.$MARKER"
	check_not "it was read" test "$status" -eq 0
	expect_no_out
	run -- sh -c 'chmod 666 "$1"; cp "$1" /tmp/copy' sh \
	    "/usr/share/secret.$MARKER"
	check_not "it was read" test "$status" -eq 0
	run -- stat -c '%u %g' "/usr/share/secret.$MARKER"
	expect_out '65534 65534'
fi

if testcase "the root directory holds what it must and nothing else"; then
	echo secret >here
	run -- ls -A /
	expect_status 0
	# What leads to /usr is as on the host.
	wanted=$({
		printf '%s\n' dev etc home proc root run tmp usr var
		for name in bin sbin lib lib32 lib64 libx32; do
			[[ ! -e /$name ]] || echo "$name"
		done
	} | sort)
	check "it differs: $(diff <(echo "$wanted") <(sort out) | xargs)" \
	    test "$(sort out)" = "$wanted"
	run -- ls "$PWD"
	check_not "the host's /tmp is there" test "$status" -eq 0
fi

if testcase "/tmp, /var/tmp, /dev/shm and HOME can be written by any user"
then
	for user in 0 1000; do
		run --user "$user" -- sh -c '
		    for d in /tmp /var/tmp /dev/shm "$HOME"; do
		    echo x >$d/f && cat $d/f; done'
		expect_status 0
		expect_out $'x\nx\nx\nx'
	done
fi

if testcase "root inside can write the root directory"; then
	run -- sh -c 'mkdir /job && echo x >/job/f && cat /job/f'
	expect_status 0
	expect_out x
fi

if testcase "a directory can be removed and made again"; then
	run -- sh -c 'for d in /home /srv /opt /mnt /media /var/tmp /root; do
	    [ -d $d ] || continue; mkdir -p $d/a/b; echo x >$d/a/f
	    rm -rf $d/a && mkdir $d/a && rmdir $d/a || exit 1; done'
	expect_status 0
	run -- sh -c 'rm -rf /srv /opt && mkdir /srv /opt && echo made'
	expect_out made
fi

if testcase "there is no /sys"; then
	run -- sh -c 'ls -A /sys 2>/dev/null'
	expect_no_out
fi

if testcase "/proc shows the sandbox's processes only"; then
	run -- sh -c 'cd /proc; echo [0-9]*'
	expect_status 0
	check "there are others" test "$(wc -w <out)" -le 3
	run -- perl -e 'print "$$\n"'
	check "its id is not a small one" test "$(cat out)" -le 10
fi

if testcase "/proc gives away nothing of the kernel and its keys"; then
	run -- perl -e '
	    for (qw(kcore kmsg kallsyms keys key-users timer_list
	    sched_debug interrupts latency_stats slabinfo pagetypeinfo
	    vmallocinfo kpagecount kpageflags kpagecgroup config.gz
	    acpi scsi asound driver mtrr)) {
		    my @f = -d "/proc/$_" ? glob("/proc/$_/*") : ();
		    open F, "<", "/proc/$_" or next unless -d _;
		    print "$_ " if @f || (!-d "/proc/$_" &&
			sysread F, $b, 1);
	    }'
	expect_status 0
	expect_no_out
fi

if testcase "/proc/sys and what else in /proc acts on the host is read-only"
then
	run -- perl -e '
	    @w = ("sysrq-trigger", "sys/kernel/hostname", "sys/vm/drop_caches",
	    "sys/kernel/core_pattern", "sys/kernel/modprobe",
	    "sys/kernel/ns_last_pid", "sys/net/ipv4/ip_forward",
	    "irq/default_smp_affinity", "sys/user/max_user_namespaces",
	    "sys/fs/binfmt_misc/register", "fs/nfsd", "bus/pci");
	    for (@w) { print "$_ " if open F, "+<", "/proc/$_" }'
	expect_no_out
fi

if testcase "/dev has the few devices programs need and no other"; then
	run -- ls -A /dev
	expect_status 0
	for name in null zero full random urandom tty ptmx pts shm fd stdin \
	    stdout stderr; do
		check "there is no /dev/$name" grep -qx "$name" out
	done
	check "there is something else" test -z "$(grep -vxE \
	    'null|zero|full|random|urandom|tty|ptmx|pts|shm|fd|stdin|stdout|stderr' \
	    out)"
	run -- sh -c 'echo x >/dev/null; head -c 3 /dev/zero | wc -c
	    head -c 5 /dev/urandom | wc -c; echo x >/dev/full || echo full'
	expect_out $'3\n5\nfull'
	run -- perl -e '@s = stat "/dev/null"; print -c _ ? $s[6] : 0, "\n"'
	expect_out 259
fi

if testcase "/dev/stdout and process substitution work"; then
	run -- bash -c 'echo a >/dev/stdout; cat <(echo b); cat /dev/fd/0'
	expect_status 0
	expect_out $'a\nb'
fi

if testcase "every mount is nosuid, and nodev unless it has our devices"
then
	run -- cat /proc/self/mountinfo
	expect_status 0
	check "one is not nosuid" \
	    test -z "$(awk '$6 !~ /nosuid/ { print $5 }' out)"
	# What hides a file in /proc is a device of ours as well.
	check "one is not nodev" test -z "$(awk '$6 !~ /nodev/ &&
	    $4 !~ "^/dev(/|$)|/null$" && $5 !~ "^/dev(/|$)" { print $5 }' out)"
	check "one is propagated" test -z "$(awk '$7 != "-"' out)"
fi

if testcase "the umask is 022"; then
	(umask 077; run -- sh -c 'umask'; echo "$status" >code)
	expect_out 0022
fi

if testcase "the command runs at normal priority and is killed first"; then
	run -- cat /proc/self/oom_score_adj
	check "oom_score_adj is not 1000" test "$(cat out)" = 1000
	run -- nice
	check "niceness is below 0" test "$(cat out)" -ge 0
fi

t_done
