#!/bin/bash
# Project quotas hold a session to its size: of ext4, which the guest's own
# disk is, and of XFS.
# in: root
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"

STATE=$T_ROOT/state
id=''

# quota NUMBER: KB allowed and held, inodes allowed and held by a project.
quota()
{
	"$PYTHON" -c '
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
b = ctypes.create_string_buffer(72)
fd = os.open(sys.argv[1], os.O_RDONLY)
# quotactl_fd, Q_GETQUOTA of PRJQUOTA; XFS has no number that was never used.
if libc.syscall(443, fd, 0x800007 << 8 | 2, int(sys.argv[2]), b) and \
	ctypes.get_errno() != 2:
    sys.exit(os.strerror(ctypes.get_errno()))
q = struct.unpack("8QI", b.raw[:68])
print(q[0], q[2] // 1024, q[3], q[5])' "$STATE" "$1"
}

# set_limits KB: of the first 64 numbers, which are tried first.
set_limits()
{
	"$PYTHON" -c '
import ctypes, os, struct, sys
libc = ctypes.CDLL(None)
fd = os.open(sys.argv[1], os.O_RDONLY)
for n in range(1879048192, 1879048192 + 64):
    # Q_SETQUOTA, QIF_LIMITS
    b = struct.pack("8QI4x", int(sys.argv[2]), 0, 0, 0, 0, 0, 0, 0, 5)
    assert libc.syscall(443, fd, 0x800008 << 8 | 2, n, b) == 0
' "$STATE" "$1"
}

project()
{
	lsattr -pd "$1" | awk '{ print $1 }'
}

session()
{
	mayfly session "$@" </dev/null >out 2>err
	status=$?
}

create()
{
	session create --ttl none "$@"
	id=$(cat out)
	[[ $status == 0 && $id =~ ^[a-z0-9]{26}$ ]] ||
	    fail "no session was made: $status"
	number=$(project "$STATE/sessions/$id/upper")
}

inside()
{
	session run "$id" "$@"
}

reap()
{
	mayfly reap </dev/null >out 2>err
	status=$?
}

delete()
{
	session delete "$id"
	expect_status 0
}

# Nothing is left, of a number least of all.
expect_clean()
{
	reap
	expect_status 0
	check "there is trash" test -z "$(ls -A "$STATE/trash")"
	for one in "$@"; do
		check "project $one is left: $(quota "$one")" \
		    test "$(quota "$one")" = '0 0 0 0'
	done
}

[[ $(mayfly doctor --json | jq -r '.findings[] |
    select(.name == "session_disk").level') == ok ]] ||
    t_give_up "there are no project quotas here: use guest.sh"

if testcase "a session is a project, and the result says that a quota holds it"
then
	create
	check "its number is $number" test "$number" -ge 1879048192
	check "the parts differ" test "$number" = \
	    "$(project "$STATE/sessions/$id/work")"
	check "the record is of it as well" test \
	    "$(lsattr -p "$STATE/sessions/$id/meta" | awk '{ print $1 }')" = 0
	inside --json -- sh -c 'mkdir -p /a/b; echo x >/a/b/c'
	expect_json '.enforced.session_disk == "quota"'
	check "a file is not of it" test \
	    "$(lsattr -p "$STATE/sessions/$id/upper/a/b/c" |
		awk '{ print $1 }')" = "$number"
	check "it has $(quota "$number")" grep -qE '^5242880 [0-9]+ 327680 ' \
	    <(quota "$number")
	inside --session_disk 8192 -- df -Pk /
	expect_out_has '^[^ ]+ +8192 '
	run --json -- true
	expect_json '.enforced.session_disk == "none"'
	delete
	expect_clean "$number"
fi

# fill WHAT PROGRAM: until a call fails with the quota's errno, by how much it
# was too late, and whether it can be undone.
fill()
{
	local kb inodes

	create
	inside --json --session_disk 8192 --time 600000 --wall 600000 \
	    --fsize 1000000 --nofile 60 -- perl -e "sub end { print 0 + \$! }
	    $2"
	expect_status 0
	expect_json '.reason == "exit" and .enforced.session_disk == "quota"'
	# EDQUOT, and of XFS ENOSPC
	expect_json '.stdout | IN("122", "28")'
	sync -f "$STATE"
	read -r _ kb _ inodes < <(quota "$number")
	((kb > 8100 || inodes > 1000)) || [[ $1 == *nameless* ]] ||
	    fail "$1: only $kb KB, $inodes files"
	((kb <= 8192 + 64 && inodes <= 1024)) ||
	    fail "$1: $kb KB of 8192 and $inodes files of 1024"
	# Again and again, from the first moment of a run on.
	for _ in 1 2 3; do
		inside --session_disk 8192 --fsize 1000000 -- perl -e '
		    for (1 .. 9) { open F, ">>", "/tmp/more$_";
			syswrite F, "x" x 65536 }'
	done
	sync -f "$STATE"
	read -r _ kb _ inodes < <(quota "$number")
	((kb <= 8192 + 512 && inodes <= 1028)) ||
	    fail "$1: later $kb KB of 8192 and $inodes files of 1024"
	[[ -z ${T_TIMES:-} ]] || echo "# $1: $kb KB of 8192, $inodes of 1024"
	inside --session_disk 8192 -- sh -c 'rm -rf /tmp/* /f; echo x >/g &&
	    cat /g'
	[[ $(<out) == x ]] || fail "$1: it cannot be emptied: $(<err)"
	delete
	expect_clean "$number"
}

fill_all()
{
	fill bytes 'open F, ">", "/f"; 1 while syswrite F, "x" x 65536; end'
	fill "empty files" '1 while open F, ">", "/tmp/" . $i++; end'
	fill "files of a byte" 'do { open F, ">", "/tmp/" . $i++ or end, exit }
	    while syswrite F, "x"; end'
	fill directories '1 while mkdir "/tmp/" . $i++; end'
	fill links '1 while symlink "x" x 1000, "/tmp/" . $i++; end'
	# fsetxattr(2), a block each
	fill attributes 'do { open F, ">", "/tmp/" . $i++ or end, exit;
	    $v = $i . "x" x 3000; $n = "user.x" } while
	    !syscall(190, fileno F, $n, $v, length $v, 0); end'
	# every other block, which takes blocks to find blocks
	fill holes 'open F, ">", "/f"; do { sysseek F, 8192 * $i++, 0 }
	    while syswrite F, "x"; end'
	# fallocate(2)
	fill reservations 'open F, ">", "/f"; 1 while
	    !syscall(285, fileno F, 0, 65536 * $i++, 65536); end'
	fill "nameless files" 'do { open $f[$i], ">", "/f" or end, exit;
	    unlink "/f" } while syswrite $f[$i++], "x" x 400000; end'
}

if testcase "nothing fills a session beyond session_disk"; then
	fill_all
fi

if testcase "a page that is mapped is no way round the quota"; then
	create
	inside --session_disk 8192 --fsize 1000000 -- "$PYTHON" -c '
import mmap
f = open("/f", "w+b")
f.truncate(64 << 20)
m = mmap.mmap(f.fileno(), 64 << 20)
for i in range(0, 64 << 20, 4096):
    m[i] = 1'
	expect_status $((128 + 7))
	sync -f "$STATE"
	read -r _ kb _ < <(quota "$number")
	((kb <= 8192 + 64)) || fail "$kb KB are there"
	delete
	expect_clean "$number"
fi

if testcase "the limit is that of the run, or else of the session"; then
	create --session_disk 4096
	for words in 4096: 2048:--session_disk=2048 4096:; do
		# shellcheck disable=SC2086 # no word where there is no option
		inside ${words#*:} -- true
		expect_status 0
		check "it is $(quota "$number")" \
		    grep -q "^${words%:*} " <(quota "$number")
	done
	delete
	expect_clean "$number"
fi

if testcase "of a file that is sparse only what there is counts"; then
	create
	inside --session_disk 8192 --fsize 10000000 -- perl -e '
	    open F, ">", "/f"; truncate F, 9 << 30 or die;
	    link "/f", "/f$_" or die for 1 .. 100'
	expect_status 0
	delete
	expect_clean "$number"
fi

if testcase "sessions made at once have a number each"; then
	for _ in {1..24}; do
		mayfly session create >>made 2>>refused </dev/null &
	done
	wait
	check "not 24 were made: $(head -n 1 refused)" \
	    test "$(wc -l <made)" = 24
	while read -r id; do
		project "$STATE/sessions/$id/upper"
	done <made >numbers
	check "a number was given twice" test -z "$(sort numbers | uniq -d)"
	check "one has none" test -z "$(grep -vxE '1879[0-9]{6}' numbers)"
	while read -r id; do
		delete
	done <made
	# shellcheck disable=SC2046 # each is a word
	expect_clean $(<numbers)
fi

# More than are removed at once.
if testcase "what is in the trash has its number until it has gone"; then
	create
	old=$number
	inside -- sh -c 'for i in $(seq 300); do echo x >/tmp/$i; done'
	delete
	check "nothing is in the trash" test -n "$(ls "$STATE/trash")"
	read -r _ _ limit inodes < <(quota "$old")
	check "only $inodes inodes are left" test "$inodes" -gt 200
	check "it has a limit still: $limit" test "$limit" = 0
	for _ in {1..20}; do
		create
		check "the number was given away" test "$number" != "$old"
		read -r _ _ _ inodes < <(quota "$number")
		check "it begins with $inodes inodes" test "$inodes" = 2
		echo "$id" >>made
	done
	while read -r id; do
		delete
	done <made
	expect_clean "$old"
fi

# What the unit leaves the reaper is no right over quotas.
if testcase "a number is free again when the reaper alone has removed all"; then
	create
	old=$number
	inside -- sh -c 'for i in $(seq 100); do echo x >/tmp/$i; done'
	session ttl "$id" 1
	sleep 2.1
	setpriv --bounding-set -all,+dac_override,+fowner -- "$MAYFLY" reap \
	    >out 2>err </dev/null
	check "it cannot be reaped" test $? = 0
	read -r _ kb _ inodes < <(quota "$old")
	check "it holds $kb KB" test "$kb:$inodes" = 0:0
	# Limits that are left keep nobody from it, and are his no longer.
	set_limits 4096
	create
	check "it has $number" test "$number" -lt $((1879048192 + 64))
	inside --session_disk 2048 -- true
	check "it has the limits of the one before" \
	    grep -q '^2048 ' <(quota "$number")
	delete
	set_limits 0
	expect_clean "$old" "$number"
fi

if testcase "nobody inside leaves the project, or changes its limits"; then
	create
	inside --json --session_disk 8192 -- "$PYTHON" -c '
import ctypes, fcntl, os, struct
libc = ctypes.CDLL(None, use_errno=True)
high = 1 << 32

def attempt(what, call):
    ctypes.set_errno(0)
    try:
        r = call()
    except OSError as e:
        r, error = -1, e.errno
    else:
        error = ctypes.get_errno()
    print(what, "went through" if r != -1 else os.strerror(error))

def ioctl(fd, number, arg):
    return libc.syscall(ctypes.c_long(16), fd, ctypes.c_ulong(number), arg)

for path in ("/tmp/f", "/tmp/d", "/"):
    if path == "/tmp/f":
        open(path, "w").close()
    elif path == "/tmp/d":
        os.mkdir(path)
    fd = os.open(path, os.O_RDONLY)
    attr = ctypes.create_string_buffer(28)
    assert ioctl(fd, 0x801c581f, attr) == 0
    flags, size, n, project, _, _ = struct.unpack("IIIIII", attr.raw[:24])
    for to in (0, 77):
        new = ctypes.create_string_buffer(
            struct.pack("IIIII", flags & ~0x200, size, n, to, 0), 28)
        for bits in (0, high):
            attempt("project", lambda: ioctl(fd, 0x401c5820 | bits, new))
        attempt("setattr", lambda: libc.syscall(
            ctypes.c_long(469), fd, b"", new, ctypes.c_long(28), 0x1000))
    # FS_IOC_SETFLAGS without FS_PROJINHERIT_FL
    word = ctypes.create_string_buffer(8)
    assert ioctl(fd, 0x80086601, word) == 0
    had = struct.unpack("Q", word.raw)[0]
    word = ctypes.create_string_buffer(struct.pack("Q", had & ~0x20000000), 8)
    if had & 0x20000000:
        attempt("inherit", lambda: ioctl(fd, 0x40086602, word))
    os.close(fd)
fd = os.open("/", os.O_RDONLY)
limits = ctypes.create_string_buffer(72)
attempt("quotactl", lambda: libc.syscall(
    ctypes.c_long(443), fd, 0x800008 << 8 | 2, project, limits))'
	expect_json '.exit_code == 0'
	jq -r .stdout out >said
	check "one goes through: $(cat said)" \
	    test -z "$(grep through said)"
	check "not all was tried: $(cat said)" test "$(wc -l <said)" -ge 19
	check "it has $(quota "$number")" grep -q '^8192 ' <(quota "$number")
	check "a file has left" test -z "$(lsattr -pR \
	    "$STATE/sessions/$id/upper" | awk -v n="$number" '
	    /^ *[0-9]/ && $1 != n')"
	delete
	expect_clean "$number"
fi

if testcase "a full session can be emptied, deleted and reaped"; then
	for how in empty delete reap; do
		create
		inside --session_disk 4096 --fsize 100000 -- perl -e '
		    for (1 .. 200) { open F, ">", "/tmp/$_" }
		    open F, ">", "/f"; 1 while syswrite F, "x" x 4096'
		inside --session_disk 4096 -- sh -c 'echo x >/tmp/more'
		((status != 0)) || fail "there is room"
		case $how in
		empty)
			inside --session_disk 4096 -- sh -c 'rm /f &&
			    echo x >/tmp/more'
			expect_status 0
			session env "$id" A=1
			expect_status 0
			delete
			;;
		delete) delete ;;
		reap)
			session ttl "$id" 1
			sleep 2.1
			;;
		esac
		expect_clean "$number"
	done
fi

if testcase "where all of the state is somebody's project it works as well"
then
	mkdir other
	chattr +P -p 4711 other
	STATE=$PWD/other
	export MAYFLY_STATE_DIR=$STATE
	create
	check "its number is $number" test "$number" -ge 1879048192
	inside --time 60000 --session_disk 8192 -- perl -e 'chdir "/root";
	    for (1 .. 60) { mkdir "d"; chdir "d"; open F, ">", "f" }'
	expect_status 0
	session ttl "$id" 1
	sleep 2.1
	expect_clean "$number"
	STATE=$T_ROOT/state
	export MAYFLY_STATE_DIR=$STATE
	chattr -P -p 0 other
fi

# The numbers up to the nth that have something, or limits.
numbers_in_use()
{
	local n

	for ((n = 1879048192; n < 1879048192 + $1; n++)); do
		[[ $(quota $n) == '0 0 0 0' ]] || echo "$n: $(quota $n)"
	done
}

if testcase "no number is lost with who is killed"; then
	for ((i = 0; i < 48; i++)); do
		id=$(mayfly session create --ttl none </dev/null 2>err)
		case $((i % 3)) in
		0) words=(create --ttl 1) ;;
		1) words=(run "$id" -- touch /x) ;;
		2) words=(delete "$id") ;;
		esac
		timeout -s KILL "0.0$((RANDOM % 90 + 10))" "$MAYFLY" session \
		    "${words[@]}" </dev/null >/dev/null 2>&1
		mayfly session delete "$id" </dev/null >/dev/null 2>&1
	done
	sleep 2.1
	for one in "$STATE"/sessions/*; do
		[[ ! -e $one ]] || mayfly session delete "${one##*/}" 2>err
	done
	reap
	check "there is trash" test -z "$(ls -A "$STATE/trash")"
	numbers_in_use 64 >left
	check "numbers are in use: $(<left)" test ! -s left
fi

# with_disk TYPE OPTIONS MKFS...: a disk of the case's own, with the state on it.
with_disk()
{
	mkdir disk
	truncate -s 320M image
	"${@:3}" image >mkfs 2>&1 && mount -t "$1" -o "loop,$2" image disk &&
	    mkdir disk/state || {
		fail "there is no disk: $(<mkfs)"
		return 1
	}
	STATE=$PWD/disk/state
	export MAYFLY_STATE_DIR=$STATE
	mayfly session list >/dev/null
}

without_disk()
{
	STATE=$T_ROOT/state
	export MAYFLY_STATE_DIR=$STATE
	umount disk
}

if testcase "quotas that are counted and hold nobody are no quotas" &&
    with_disk ext4 defaults mke2fs -q -F -t ext4 -O project,quota \
	-E quotatype=prjquota; then
	mayfly doctor --json >json
	expect_json '.findings[] | select(.name == "session_disk") |
	    .level == "warn" and (.remedy | test("prjquota"))' json
	create
	inside --json -- true
	expect_json '.enforced.session_disk == "sampled"'
	inside --json --session_disk 8192 --fsize 100000 -- perl -e '
	    open F, ">", "/f"; 1 while syswrite F, "x" x 65536'
	expect_json '.reason == "disk"'
	delete
	reap
	# Made without, and a quota comes later.
	create
	inside -- sh -c 'echo x >/f'
	umount disk
	mount -o loop,prjquota image disk || fail "no quota came"
	inside --json -- cat /f
	expect_json '.enforced.session_disk == "sampled" and .stdout == "x\n"'
	delete
	create
	inside --json -- true
	expect_json '.enforced.session_disk == "quota"'
	delete
	expect_clean "$number"
	without_disk
fi

if testcase "XFS holds a session as ext4 does" &&
    with_disk xfs prjquota mkfs.xfs -q; then
	mayfly doctor --json >json
	expect_json '.findings[] | select(.name == "session_disk") |
	    .level == "ok"' json
	fill_all
	without_disk
fi

t_done
