#!/bin/bash
# The facts about the kernel that the sandbox is built on. None of them calls
# mayfly: when one fails, the design has to change and not a line of code.
# as: root
# shellcheck disable=SC2016 # programs in single quotes are for other shells

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

((EUID == 0)) || t_give_up "this needs root"

# At least this version of Linux?
is_linux()
{
	local major minor

	IFS=.- read -r major minor _ < <(uname -r)
	((major > $1 || major == $1 && minor >= $2))
}

# Names for raw system calls, the same numbers on x86-64 and arm64, and a
# function that dies with the name of what failed.
CALLS='use Fcntl; use POSIX;
	sub call { my ($name, $n, @a) = @_;
		my $r = syscall($n, @a); die "$name: $!\n" if $r == -1; $r }
	sub open_tree { call "open_tree", 428, -100, $_[0], 1 | 02000000 }
	sub move_mount { call "move_mount", 429, $_[0], my $e = "", -100,
		$_[1], 4 }
	sub fsopen { call "fsopen", 430, $_[0], 0 }
	sub fsstring { syscall 431, $_[0], 1, $_[1], $_[2], 0 }
	sub idmap { my $attr = pack "QQQQ", 0x100000, 0, 0, $_[1];
		call "mount_setattr", 442, $_[0], my $e = "", 0x1000, $attr,
		length $attr }
	'

if testcase "fsconfig takes strings of 255 bytes and not of 256"; then
	check "255 are refused" perl -e "$CALLS"'
	    $f = fsopen($t = "tmpfs"); ($k, $v) = ("source", "x" x 255);
	    exit(fsstring($f, $k, $v) == 0 ? 0 : 1)'
	check "256 are taken" perl -e "$CALLS"'
	    $f = fsopen($t = "tmpfs"); ($k, $v) = ("source", "x" x 256);
	    exit(fsstring($f, $k, $v) == -1 && $! == EINVAL ? 0 : 1)'
fi

if testcase "mount(2) with short relative names takes 30 layers"; then
	mkdir layers layers/{0..30} layers/upper layers/work layers/all
	for i in {0..30}; do echo "$i" >"layers/$i/file$i"; done
	case $(uname -m) in
	x86_64) mount=165 ;;
	*) mount=40 ;;
	esac
	mount -t tmpfs tmpfs layers/upper
	mkdir layers/upper/{u,w}
	check "the mount is refused" unshare --mount sh -c '
	    cd layers && perl -e "$1" '"$mount"' && cat all/file0 all/file30' \
	    sh 'chdir "."; $l = "lowerdir=" . join(":", 0 .. 30) .
	    ",upperdir=upper/u,workdir=upper/w"; ($s, $d) = ("overlay", "all");
	    exit(syscall(shift(@ARGV) + 0, $s, $d, $s, 0, $l) != 0)'
	umount layers/upper
fi

if testcase "a new procfs is refused where the old one is masked" &&
    require "another procfs lies below this root" masks_count; then
	check "it is refused without a mask" unshare --mount --pid --fork \
	    --mount-proc unshare --user --map-root-user --mount --pid --fork \
	    mount -t proc proc /proc
	check_not "it is not refused with one" unshare --mount --pid --fork \
	    --mount-proc sh -c 'mount -t tmpfs -o ro tmpfs /proc/driver &&
	    exec unshare --user --map-root-user --mount --pid --fork \
	    mount -t proc proc /proc'
	check_not "subset=pid is no way around" unshare --mount --pid --fork \
	    --mount-proc sh -c 'mount -t tmpfs -o ro tmpfs /proc/driver &&
	    exec unshare --user --map-root-user --mount --pid --fork \
	    mount -t proc -o subset=pid proc /proc'
fi

# A tree, an overlay of it with a tmpfs as its upper directory, and what
# removes a directory of the tree.
OVERLAY='mount -t tmpfs tmpfs t && mkdir t/u t/w &&
    mount -t overlay overlay \
	-o "lowerdir=lower,upperdir=t/u,workdir=t/w$1" all &&
    rm -rf all/dir && mkdir all/dir && touch all/dir/new &&
    test ! -e all/dir/old'

if testcase "rm -rf DIR && mkdir DIR works over tmpfs, mounted as root"; then
	mkdir -p lower/dir t all
	touch lower/dir/old
	check "it does not" unshare --mount sh -c "$OVERLAY" sh ''
fi

if testcase "in a user namespace it works over tmpfs from Linux 6.6"; then
	mkdir -p lower/dir t all
	touch lower/dir/old
	if is_linux 6 6; then
		check "it does not" unshare --user --map-root-user --mount \
		    sh -c "$OVERLAY" sh ,userxattr
	else
		check_not "it works already" unshare --user --map-root-user \
		    --mount sh -c "$OVERLAY" sh ,userxattr
	fi
fi

if testcase "an overlay of idmapped mounts keeps plain ids on disk"; then
	mkdir -p lower/dir upper/u upper/w all
	echo old >lower/file
	echo old >lower/gone
	chown 0:0 lower/file
	# The process that holds the user namespace with 65,536 ids.
	unshare --user sh -c 'echo up; exec sleep 60' >up &
	holder=$!
	await "the user namespace" test -s up
	echo "0 1000000 65536" >"/proc/$holder/uid_map"
	echo "0 1000000 65536" >"/proc/$holder/gid_map"
	cat >mount.pl <<-'E'
	my ($holder, @paths) = @ARGV;
	sysopen my $ns, "/proc/$holder/ns/user", O_RDONLY or die "ns: $!\n";
	for my $path (@paths) {
		my $tree = open_tree($path);
		idmap($tree, fileno $ns);
		move_mount($tree, $path);
	}
	E
	unshare --mount sh -c 'perl -e "$1" "$2" lower upper &&
	    exec nsenter --user="/proc/$2/ns/user" --setuid 0 --setgid 0 \
	    unshare --mount sh -c "$3"' sh "$CALLS$(cat mount.pl)" "$holder" '
	    mount -t overlay overlay all -o userxattr,$(
	    )lowerdir=lower,upperdir=upper/u,workdir=upper/w &&
	    stat -c %u all/file && echo new >all/new && chown 33:44 all/new &&
	    chown 7:8 all/file && rm all/gone && rm -rf all/dir &&
	    mkdir all/dir && test ! -e all/gone' >out 2>err
	status=$?
	kill "$holder"
	wait "$holder" 2>/dev/null
	expect_status 0
	expect_out 0
	check "a new file has other ids on disk" \
	    test "$(stat -c %u:%g upper/u/new)" = 33:44
	check "a changed file has other ids on disk" \
	    test "$(stat -c %u:%g upper/u/file)" = 7:8
	check "there is no whiteout" test -c upper/u/gone
	check "the layer was changed" test "$(stat -c %u lower/file)" = 0
fi

if testcase "an idmapped directory of root's would be root's inside"; then
	# Why the host's directories are never idmapped.
	mkdir host
	echo secret >host/secret
	chmod 600 host/secret
	unshare --user sh -c 'echo up; exec sleep 60' >up &
	holder=$!
	await "the user namespace" test -s up
	echo "0 1000000 65536" >"/proc/$holder/uid_map"
	echo "0 1000000 65536" >"/proc/$holder/gid_map"
	check_not "unmapped it can be read" nsenter \
	    --user="/proc/$holder/ns/user" --setuid 0 --setgid 0 \
	    cat host/secret
	check "idmapped it cannot be read" unshare --mount sh -c '
	    perl -e "$1" "$2" host && exec nsenter \
	    --user="/proc/$2/ns/user" --setuid 0 --setgid 0 cat host/secret' \
	    sh "$CALLS"'($h, $p) = @ARGV;
	    sysopen $n, "/proc/$h/ns/user", O_RDONLY or die;
	    $t = open_tree($p); idmap($t, fileno $n); move_mount($t, $p)' \
	    "$holder"
	kill "$holder"
	wait "$holder" 2>/dev/null
fi

if testcase "RLIMIT_NPROC of a process does not bound its range of ids"; then
	# The limit counts by uid, unless the namespace itself was made
	# under it: mayfly sets it before the ids are mapped.
	unshare --user sh -c 'echo up; exec sleep 60' >up &
	holder=$!
	await "the user namespace" test -s up
	echo "0 1000000 65536" >"/proc/$holder/uid_map"
	echo "0 1000000 65536" >"/proc/$holder/gid_map"
	nsenter --user="/proc/$holder/ns/user" --setuid 0 --setgid 0 \
	    bash -c 'ulimit -u 20; exec perl -MPOSIX -e "$1"' bash '
	    for ($n = 0; $n < 60; $n++) {
		    defined($p = fork) or last; push @p, $p;
		    $p or (POSIX::setuid(1000 + $n), sleep(60), exit);
		    select undef, undef, undef, 0.01;
	    }
	    kill 9, @p; print "$n\n"' >out 2>err
	kill "$holder"
	wait "$holder" 2>/dev/null
	read -r count <out
	((${count:-0} > 20)) || fail "it is bound: ${count:-no} processes"
fi

if testcase "no user namespace can be made in a chroot"; then
	mkdir new
	mount --rbind / new
	check_not "one can" chroot new unshare --user true
	umount -l new
fi

if testcase "a network namespace has low ports and a silent lo"; then
	unshare --net perl -MIO::Socket::INET -e '
	    IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => 1)
	    or print "$!\n"' >out 2>err
	expect_out "Network is unreachable"
fi

if testcase "what a process mounts in its own namespace ends with it"; then
	mkdir here
	{
		unshare --mount sh -c 'mount -t tmpfs tmpfs here &&
		    echo x >here/file && kill -9 $$'
	} 2>/dev/null
	check "the mount is still there" test -z "$(ls -A here)"
fi

t_done
