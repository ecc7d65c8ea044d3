#!/bin/bash
# Project quotas hold a session to its size, on ext4, which the guest's own disk
# is.
# in: root
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"
# shellcheck source=tests/vm/project.sh
. "$(dirname "$0")/project.sh"

# The directories that the first snapshot makes for all later ones.
(
	id=$("$MAYFLY" session create)
	taken=$("$MAYFLY" session snapshot "$id")
	"$MAYFLY" snapshot delete "$taken"
	"$MAYFLY" session delete "$id"
) </dev/null >/dev/null 2>&1

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

# What was written before counts no longer: a snapshot of it is another's to
# keep. How much that is, is told.
if testcase "a snapshot's files are counted, and a session's limit begins anew"
then
	create --session_disk 8192
	FILL='perl -e "open F, q(>), shift; syswrite F, q(x) x 65536 for 1 .. 96"'
	for name in a b; do
		inside -- sh -c "$FILL /$name"
		sync -f "$STATE"
		old=$number
		take
		check "the layer is not of project $old" test \
		    "$(project "$STATE/layers/id/$layer")" = "$old"
		check "the number is that of the layer" \
		    test "$number" != "$old"
		read -r most kb files held < <(quota "$old")
		check "$kb KB and $held files of it are counted" \
		    test "$kb" -ge 6144 -a "$kb" -le 6400 -a "$held" -ge 2
		check "it has limits still: $most $files" \
		    test "$most:$files" = 0:0
		mayfly snapshot show "$taken" --json </dev/null >shown
		echo "$old $taken" >>made
	done
	expect_json '.size_kb | . >= 12288 and . <= 12800' shown
	inside --json -- sh -c "ls /a /b; $FILL /c; $FILL /d; ls -l /d |
	    cut -d ' ' -f 5"
	expect_json '.enforced.session_disk == "quota"'
	sync -f "$STATE"
	read -r most kb _ < <(quota "$number")
	check "$kb KB of $most are in the session" \
	    test "$most" = 8192 -a "$kb" -gt 8000 -a "$kb" -le $((8192 + 64))
	last=$number
	session fork "$id"
	expect_status 0
	child=$(<out)
	number=$(project "$STATE/sessions/$child/upper")
	check "a fork has the project of $last" test "$number" != "$last"
	session run "$child" -- sh -c "$FILL /e && ls /a /b /c"
	expect_status 0
	check "the limit of a fork is another: $(quota "$number")" \
	    grep -q '^8192 ' <(quota "$number")
	session delete "$child"
	delete
	while read -r old taken; do
		mayfly snapshot delete "$taken" </dev/null
	done <made
	# shellcheck disable=SC2046 # each is a word
	expect_clean "$number" "$last" $(cut -d ' ' -f 1 made)
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

t_done
