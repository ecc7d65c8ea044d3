#!/bin/bash
# --bind and --ro-bind: the caller's files inside, with the caller's rights.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

OTHER=$((T_UID == 0 ? 12345 : T_UID))

# A directory of an ordinary user's, with a file.
make_tree()
{
	mkdir "$1"
	echo content >"$1/file"
	chown -R "$OTHER:$OTHER" "$1" 2>/dev/null
	chmod 755 "$1"
	chmod 644 "$1/file"
}

if testcase "--ro-bind shows a directory at DST, or else where it was"; then
	make_tree tree
	run --ro-bind "$PWD/tree:/given" -- cat /given/file
	expect_status 0
	expect_out content
	run --ro-bind "$PWD/tree" -- cat "$PWD/tree/file"
	expect_status 0
	expect_out content
fi

if testcase "a bind can be a single file"; then
	make_tree tree
	run --ro-bind "$PWD/tree/file:/etc/given" -- cat /etc/given
	expect_status 0
	expect_out content
	run --ro-bind "$PWD/tree/file" -- cat "$PWD/tree/file"
	expect_out content
fi

if testcase "a relative SRC is taken from where mayfly is called"; then
	make_tree tree
	run --ro-bind tree:/given -- cat /given/file
	expect_status 0
	expect_out content
fi

if testcase "several binds, also within each other, are all there"; then
	make_tree one
	make_tree two
	echo second >two/file
	chmod 644 two/file
	run --ro-bind "$PWD/one:/a" --ro-bind "$PWD/two:/b" \
	    --ro-bind "$PWD/two:/a/b/c" -- cat /a/file /b/file /a/b/c/file
	# /a/b is not there and cannot be made in a read-only tree.
	expect_status 125
	mkdir -p one/b
	chmod 755 one/b
	run --ro-bind "$PWD/one:/a" --ro-bind "$PWD/two:/b" \
	    --ro-bind "$PWD/two:/a/b" -- cat /a/file /b/file /a/b/file
	expect_status 0
	expect_out $'content\nsecond\nsecond'
fi

if testcase "nothing can be written through --ro-bind"; then
	make_tree tree
	chmod 777 tree
	chmod 666 tree/file
	for user in 0 1000; do
		run --ro-bind "$PWD/tree:/given" --user "$user" -- sh -c '
		    echo x >/given/new; echo x >>/given/file
		    rm -f /given/file; chmod 777 /given/file; touch /given/file
		    mount -o remount,rw /given; cat /given/file'
		expect_out content
	done
	check "the tree was changed" test "$(ls -A tree)" = file
	check "the file was changed" test "$(cat tree/file)" = content
fi

if testcase "a file only root may read is not readable in a bound tree" &&
    require "this needs root" [ "$EUID" -eq 0 ]; then
	make_tree tree
	echo secret >tree/secret
	chmod 600 tree/secret
	chown 0:0 tree tree/secret
	for user in 0 1000; do
		run --user "$user" --ro-bind "$PWD/tree:/given" -- \
		    sh -c 'cat /given/secret; cp /given/secret /tmp/s
		    cat /given/file'
		expect_out content
	done
fi

if [[ $AS != root ]] &&
    testcase "a bound file its caller cannot read is not readable inside"
then
	secret=/etc/shadow
	if ((EUID == 0)); then
		# The smallest Debian has no such file.
		secret=$PWD/secret
		echo secret >"$secret"
		chmod 600 "$secret"
	fi
	run --ro-bind "$secret:/given" -- cat /given
	expect_no_out
	check_not "it was read" test "$status" -eq 0
fi

if testcase "a SRC below a directory its caller cannot enter is refused" &&
    require "this needs root" [ "$EUID" -eq 0 ]; then
	if [[ $AS == root ]]; then
		OUTSIDE=(setpriv --reuid 54320 --regid 54320 --clear-groups
		    -- env "XDG_STATE_HOME=$PWD/state" "$MAYFLY")
		mkdir -m 777 state
	else
		OUTSIDE=("${T_AS[@]}" "$MAYFLY")
	fi
	mkdir -p locked/tree
	echo secret >locked/tree/file
	chmod 644 locked/tree/file
	chown 0:0 locked
	chmod 700 locked
	"${OUTSIDE[@]}" run --ro-bind "$PWD/locked/tree:/given" -- \
	    cat /given/file </dev/null >out 2>err
	status=$?
	expect_status 125
	expect_no_out
	expect_err_has locked/tree
fi

if testcase "--bind writes as the owner of SRC"; then
	make_tree tree
	run --bind "$PWD/tree:/given" -- sh -c '
	    echo new >/given/new; echo more >>/given/file
	    mkdir /given/dir; echo x >/given/dir/x; stat -c %u:%g /given/new'
	expect_status 0
	expect_out 0:0
	check "new is not there" test "$(cat tree/new)" = new
	check "file was not written" \
	    cmp tree/file <(printf 'content\nmore\n')
	for path in tree/new tree/dir tree/dir/x tree/file; do
		check "$path is not the owner's" \
		    test "$(stat -c %u "$path")" = "$OTHER"
	done
fi

if testcase "--bind writes as the owner of SRC as another user as well"; then
	make_tree tree
	run --user 1000 --bind "$PWD/tree:/given" -- sh -c '
	    echo new >/given/new; stat -c %u /given/new'
	expect_status 0
	expect_out 1000
	check "new is not the owner's" \
	    test "$(stat -c %u tree/new)" = "$OTHER"
fi

if testcase "what is another's in a bound tree stays the other's" &&
    require "this needs root" [ "$EUID" -eq 0 ]; then
	make_tree tree
	echo theirs >tree/theirs
	chown 23456:23456 tree/theirs
	chmod 600 tree/theirs
	echo root >tree/root
	chown 0:0 tree/root
	chmod 600 tree/root
	run --bind "$PWD/tree:/given" -- sh -c '
	    cat /given/theirs /given/root
	    echo x >>/given/theirs; echo x >>/given/root
	    chown 0:0 /given/theirs; chmod 666 /given/root
	    chown 5:5 /given/file'
	expect_no_out
	check "theirs has changed" \
	    test "$(stat -c %u:%a:%s tree/theirs)" = 23456:600:7
	check "root has changed" \
	    test "$(stat -c %u:%a:%s tree/root)" = 0:600:5
	check "file was given away" \
	    test "$(stat -c %u tree/file)" = "$OTHER"
fi

if [[ $AS == root ]] &&
    testcase "root's SRC cannot be bound for writing without --bind-root"
then
	make_tree tree
	chown 0:0 tree
	run --bind "$PWD/tree:/given" -- echo started
	expect_status 64
	expect_no_out
	expect_err_has bind-root
	run --bind "$PWD/tree:/given" --bind-root -- sh -c '
	    echo x >/given/new'
	expect_status 0
	check "new is not root's" test "$(stat -c %u tree/new)" = 0
	run --bind-root --bind "$PWD/tree:/given" -- sh -c 'rm /given/new'
	expect_status 0
	check_not "new is still there" test -e tree/new
fi

if testcase "a bound tree is nosuid and nodev"; then
	make_tree tree
	for option in --bind --ro-bind; do
		run "$option" "$PWD/tree:/given" -- \
		    awk '$5 == "/given" { print $6 }' /proc/self/mountinfo
		expect_out_has nosuid
		expect_out_has nodev
	done
fi

if testcase "mounts below SRC are no way around nosuid and read-only" &&
    require "this needs root" [ "$EUID" -eq 0 ]; then
	make_tree tree
	mkdir tree/below
	mount -t tmpfs -o mode=777 tmpfs tree/below
	run --ro-bind "$PWD/tree:/given" -- sh -c '
	    echo x >/given/below/new; awk "\$5 ~ \"^/given\" {
	    print \$6 }" /proc/self/mountinfo'
	check_not "it was written" test -e tree/below/new
	check "a mount lacks nosuid" \
	    test -z "$(grep -v nosuid out)"
	check "a mount lacks nodev" test -z "$(grep -v nodev out)"
	umount tree/below
fi

# Tries every call that takes a mode; prints those that got a bit set.
SETID='use Fcntl;
	$d = shift; mkdir "$d/d" or die;
	sub try { my ($name, $path) = @_;
		print "$name\n" if ((stat $path)[2] // 0) & 06000 }
	for $m (04755, 02755, 06777) {
		open F, ">$d/a"; close F; chmod $m, "$d/a";
		try("chmod", "$d/a");
		open F, ">$d/b"; chmod $m, *F; try("fchmod", "$d/b");
		sysopen F, "$d/c$m", O_CREAT | O_WRONLY, $m;
		try("open", "$d/c$m");
		umask 0; mkdir "$d/e$m", $m; try("mkdir", "$d/e$m");
		chmod $m, "$d/d"; try("chmod dir", "$d/d");
		chmod $m | 1 << 20, "$d/a"; try("chmod high", "$d/a");
	} print "tried\n"'

if testcase "setuid and setgid bits cannot be set with a writable bind"; then
	make_tree tree
	for user in 0 1000; do
		run --user "$user" --bind "$PWD/tree:/given" -- sh -c '
		    rm -rf /given/*; exec perl -e "$1" /given' sh "$SETID"
		expect_out tried
	done
	check "the host has a setuid file" \
	    test -z "$(find tree -perm /6000 ! -type d)"
fi

if testcase "without a writable bind setuid bits can be set, for tar and dpkg"
then
	run -- sh -c 'echo x >/tmp/f; chmod 4755 /tmp/f; stat -c %a /tmp/f'
	expect_status 0
	expect_out 4755
fi

if testcase "a SRC that does not exist is an error by name"; then
	for option in --bind --ro-bind; do
		run "$option" /no/such/source:/given -- echo started
		expect_status 125
		expect_no_out
		expect_err_has /no/such/source
	done
fi

if testcase "a DST that is not a clean absolute path is wrong usage"; then
	make_tree tree
	for dst in relative /a/../../b /.. .. ''; do
		run --ro-bind "$PWD/tree:$dst" -- echo started
		[[ $status == 64 || $status == 125 ]] ||
		    fail "DST '$dst' gave $status"
		expect_no_out
	done
fi

if testcase "a bind cannot hide what the sandbox rests on"; then
	make_tree tree
	for dst in / /proc /proc/self /dev /dev/null /dev/pts; do
		run --ro-bind "$PWD/tree:$dst" -- echo started
		[[ $status == 64 || $status == 125 ]] ||
		    fail "DST $dst gave $status"
	done
fi

if testcase "a link in SRC does not lead out of the sandbox"; then
	make_tree tree
	echo outside >outside
	chmod 644 outside
	ln -s "$PWD/outside" tree/link
	ln -s "../../../../../../../..$PWD/outside" tree/up
	ln -s ../outside tree/beside
	run --ro-bind "$PWD/tree:/given" -- \
	    cat /given/link /given/up /given/beside
	check_not "status is 0" test "$status" -eq 0
	expect_no_out
fi

if testcase "what a run wrote in a bind stays, and the rest goes"; then
	make_tree tree
	run --bind "$PWD/tree:/given" -- sh -c 'echo 1 >/given/a; echo 1 >/b'
	expect_status 0
	run --bind "$PWD/tree:/given" -- sh -c 'cat /given/a; cat /b'
	expect_out 1
fi

t_done
