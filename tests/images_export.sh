#!/bin/bash
# Images and sessions are written as others take them, whole or with a word
# that says why not; and what is taken in again is the same.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/images/lib.sh
. "$(dirname "$0")/images/lib.sh"

for program in skopeo umoci; do
	[[ -n $(type -P "$program") ]] || t_give_up "there is no $program"
done
fixture_base
fixture_tree
"$PYTHON" "$MAKE_IMAGE" content "$FIXTURES"
OCI=$FIXTURES/oci
SAYS='{"Env": ["PATH=/bin", "A=two words", "B=\u00e4=1"], "User": "0:50",
    "WorkingDir": "/opt", "Entrypoint": ["sh", "-c"], "Cmd": ["echo $A"]}'
layout "$OCI" all "$SAYS" "$BASE" "$FIXTURES"/l[1-3].tar
layout "$OCI" small "$PLAIN" "$BASE"

# The archive of a session in a file.
export_session()
{
	mayfly session export "$id" </dev/null >"$1" 2>err
	status=$?
	expect_status 0
	expect_no_err
}

# What runs have written since becomes a layer.
freeze()
{
	session snapshot "$id"
	expect_status 0
	mayfly snapshot delete "$(cat out)" </dev/null >deleted 2>err
}

# What umoci makes of an image of a layout.
unpacked()
{
	local rootless=()

	((EUID == 0)) || rootless=(--rootless)
	umoci unpack "${rootless[@]}" --image "$1" bundle >unpacked 2>&1 ||
	    fail "umoci: $(tail -n 1 unpacked)"
	tree_of bundle/rootfs
	rm -rf bundle
}

expect_same()
{
	diff "$1" "$2" >differs || fail "it differs: $(head -n 5 differs)"
}

# What the first snapshot makes for all later ones is no leak.
(
	cd "$T_ROOT" || exit
	create
	freeze
	session delete "$id"
	rm -f out err deleted
)
collect

if testcase "an exported image is to others what the image was"; then
	made all pull "oci:$OCI:all" all
	mayfly image export all oci:copy:new </dev/null >out 2>err
	status=$?
	expect_status 0
	expect_no_out
	expect_no_err
	unpacked "$OCI:all" >want
	unpacked copy:new >got
	check "there are only $(wc -l <want) files" \
	    test "$(wc -l <want)" -gt 90
	# A caller with one id has but one owner.
	[[ $AS != user ]] || sed -Ei 's/^([^ ]* [0-7]*) [0-9:]*/\1 0:0/' want
	expect_same want got
	skopeo --insecure-policy copy -q oci:copy:new \
	    docker-archive:copy.tar:copy:new >copied 2>&1 ||
	    fail "skopeo: $(tail -n 1 copied)"
	skopeo inspect --config oci:copy:new >config.json
	check "another configuration: $(jq -c .config config.json)" jq -e '
	    .os == "linux" and (.rootfs.diff_ids | length) == 4 and
	    .config == {User: "0:50", WorkingDir: "/opt",
		Env: ["PATH=/bin", "A=two words", "B=ä=1"],
		Cmd: ["sh", "-c", "echo $A"]}' config.json
	# Taken in again it is the same, and by other ways as well.
	made again pull oci:copy:new again
	made archive pull docker-archive:copy.tar archive
	image show all
	grep -E '^(size_kb|cwd|user|env|command) ' out >want
	for name in again archive; do
		image show "$name"
		grep -E '^(size_kb|cwd|user|env|command) ' out >got
		expect_same want got
	done
	tree_in all >want
	tree_in again >got
	expect_same want got
	# The same tree is the same archive.
	image export again oci:second
	expect_status 0
	for one in copy second; do
		find "$one/blobs" -size +4k -printf '%f\n' | sort >"$one.layers"
	done
	check "there are no layers" test -s copy.layers
	expect_same copy.layers second.layers
	check "not others' to read" test \
	    "$(stat -c %a second/blobs/sha256 second/index.json | xargs)" = \
	    "755 644"
	forget
fi

if testcase "without a tag the layout has the image's"; then
	made plain pull "oci:$OCI:small" plain
	made tagged:1.0 pull "oci:$OCI:small" tagged:1.0
	mkdir empty
	chown "$T_UID" empty 2>/dev/null
	while read -r name target tag; do
		image export "$name" "$target"
		expect_status 0
		dir=${target#oci:}
		umoci list --layout "${dir%:*}" >out 2>&1
		expect_out "$tag"
	done <<-'END'
		plain oci:a latest
		plain oci:./empty/ latest
		tagged:1.0 oci:b 1.0
		tagged:1.0 oci:c:x x
	END
	forget
fi

if testcase "an image that cannot be exported is told, and nothing stays"; then
	made one pull "oci:$OCI:small" one
	mkdir full
	touch full/x file
	ln -s /tmp link
	refused 64 "'dir' is not of the form oci:DIR" export one dir
	refused 64 'is not of the form' export one oci:
	refused 64 "'a:b' can be no tag" export one oci:dir:a:b
	refused 64 "'' can be no tag" export one oci:dir:
	refused 64 'usage: mayfly image export NAME' export one
	refused 125 "there is no image 'none'" export none oci:dir
	refused 125 '^mayfly: export: full: Directory not empty' \
	    export one oci:full
	refused 125 '^mayfly: export: file: Not a directory' export one oci:file
	refused 125 '^mayfly: export: link: ' export one oci:link
	refused 125 '^mayfly: export: /: ' export one oci:/
	refused 125 '^mayfly: export: none/dir: No such file' \
	    export one oci:none/dir
	# In a layer's archive such a name would be no file.
	mkdir -p tree/d
	touch tree/d/.wh.f
	made named import-dir tree named
	refused 125 '^mayfly: export: ' export named oci:named
	expect_err_has "'d/.wh.f': in a layout such a name says what is removed"
	rm -r tree
	check "something was made" test -z "$(find . -mindepth 1 \
	    ! -path './full*' ! -name file ! -name link ! -name out \
	    ! -name err)"
	forget
fi

if [[ $AS == root ]] && testcase "a layout for which there is no room is none" &&
    require "no tmpfs can be mounted" test -n "${T_ENTERED:-}"; then
	made one pull "oci:$OCI:small" one
	mkdir small
	mount -t tmpfs -o size=1m tmpfs small
	refused 125 '^mayfly: export: small/x: No space left on device' \
	    export one oci:small/x
	check "something stays: $(ls -A small)" test -z "$(ls -A small)"
	umount small
	forget
fi

if [[ $AS == root ]] &&
    testcase "an export that is told to stop leaves nothing beside the layout" &&
    require "strace cannot be used here" can_delay; then
	made one pull "oci:$OCI:small" one
	# A blob is given its name, and nothing runs that would hear of it.
	slowly renameat 3 image export one oci:dir </dev/null >out 2>err &
	await "a blob" eval \
	    '[[ -n $(find . -path "./dir.*.new/*" -name partial -size +9k) ]]'
	sleep 1
	kill -TERM "$(pgrep -P "$(pgrep -P $!)")"
	wait $!
	check "there stays $(echo dir*)" test -z "$(compgen -G 'dir.*')"
	rm -rf dir
	forget
fi

if testcase "a session's archive is its root, and import takes it back"; then
	made all pull "oci:$OCI:all" all
	create --image all --session_disk 1000000
	freeze
	# Each way in which one layer can change another, in three of them.
	inside --user 0 -- sh -c 'rm /kept/b; rm -r /opaque; mkdir /opaque
	    echo x >/opaque/z; rm -r /gone; echo file >/gone; mkdir /new
	    rm /to-directory/file; rmdir /to-directory; ln -s new /to-directory
	    chmod 4711 /bits/none; mkfifo /new/fifo; touch -d @5 /new/old'
	expect_status 0
	freeze
	inside --user 0 -- sh -c 'rm -r /names; ln /new/old /new/hard
	    echo again >/kept/b; rm /gone; mkdir /gone; echo >/gone/x
	    dd if=/dev/zero of=/new/sparse bs=1 count=1 seek=5000000
	    rm /hard/2; echo >/new/.wh.hard; echo >/new/.wh..wh..opq'
	expect_status 0
	[[ $AS == user ]] ||
	    inside --user 0 -- sh -c 'chown -R 7:8 /new; chown 65535 /kept'
	export_session root.tar
	check "it is no archive" tar -tf root.tar
	made back import root.tar back
	mayfly session run "$id" --user 0 --ro-bind "$TREE:/tree" \
	    --output 100000000 --time 60000 -- /tree / /dev /proc /tree \
	    /etc/hosts /etc/resolv.conf </dev/null 2>err | plain_list >want
	tree_in back >got
	check "there are only $(wc -l <want) files" \
	    test "$(wc -l <want)" -gt 90
	# A second name of which the first was replaced counts no more.
	sed -Ei 's/^(\/hard\/.) (1[0-7]*) ([0-9:]*) [0-9]/\1 \2 \3/' want got
	expect_same want got
	check "the holes take room: $(du -k "$(find "$STATE/layers" \
	    -path '*/new/sparse' -size +4000k | tail -n 1)")" test "$(find \
	    "$STATE/layers" -path '*/new/sparse' -size +4000k -printf '%k\n' |
	    sort -n | tail -n 1)" -lt 100
	# Of a session nothing has changed, and it goes on.
	inside -- cat /gone/x
	expect_status 0
	session delete "$id"
	forget
fi

if testcase "of the image host only what runs have written is exported"; then
	create
	export_session empty.tar
	check "there is $(tar -tf empty.tar | xargs)" \
	    test "$(tar -tf empty.tar)" = ./
	inside -- sh -c 'echo mine >/root/f; mkdir -p /opt/a; rm /etc/group
	    ln -s /etc/passwd /root/link; echo x >/tmp/x'
	expect_status 0
	freeze
	inside -- sh -c 'rm /tmp/x; echo more >/root/g'
	export_session root.tar
	tar -tf root.tar | LC_ALL=C sort >names
	check "there is $(xargs <names)" test "$(xargs <names)" = \
	    "./ etc/ opt/ opt/a/ root/ root/f root/g root/link tmp/"
	check "the link leads somewhere" \
	    test "$(tar -xOf root.tar root/f)" = mine
	session delete "$id"
	collect
fi

if testcase "an archive that cannot be written whole is a failure"; then
	create
	inside -- sh -c 'head -c 9000000 /dev/urandom >/root/f'
	mayfly session export "$id" </dev/null 2>err |
	    head -c 100000 >part
	check "a reader that goes is none" test "${PIPESTATUS[0]}" = 125
	expect_err_has '^mayfly: stdout: output was lost: Broken pipe$'
	mayfly session export "$id" </dev/null >/dev/full 2>err
	check "a full disk is none" test $? = 125
	expect_err_has '^mayfly: stdout: .*No space left on device$'
	mayfly session export "$id" </dev/null 2>err >&-
	check "a closed output is none" test $? = 125
	expect_err_has '^mayfly: stdout: it is closed$'
	# Nothing of that is the session's end.
	inside -- cat /root/f
	expect_status 0
	session delete "$id"
fi

if [[ $AS == root ]] &&
    testcase "an archive that would lack attributes is a failure" &&
    require "tmpfs has no attributes here" has_tmpfs_attributes; then
	mkdir tmpfs
	mount -t tmpfs tmpfs tmpfs
	export MAYFLY_STATE_DIR=$PWD/tmpfs/state
	create
	inside -- "$PYTHON" -c '
import os
for i in range(300):
    os.setxattr("/root", "user.%0240d" % i, b"")'
	expect_status 0
	mayfly session export "$id" </dev/null >root.tar 2>err
	check "it is none" test $? = 125
	expect_err_has "attributes of 'root': Argument list too long"
	export MAYFLY_STATE_DIR=$STATE
	umount tmpfs
fi

if testcase "an archive is not shown on a terminal"; then
	create
	"$PYTHON" - "${T_AS[@]}" "$MAYFLY" session export "$id" >out 2>err <<-'END'
		import os, pty, sys
		pid, fd = pty.fork()
		if pid == 0:
		    os.execvp(sys.argv[1], sys.argv[1:])
		said = b""
		try:
		    while data := os.read(fd, 4096):
		        said += data
		except OSError:
		    pass
		print(said.decode().strip())
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
	status=$?
	expect_status 64
	expect_out_has 'the output is an archive, and no text for a terminal'
	session delete "$id"
fi

if testcase "who exports a session waits for its run, and is told it is busy"
then
	create
	hold_session
	expect_busy export
	release_session
	session export aaaaaaaaaaaaaaaaaaaaaaaaaa
	expect_status 125
	expect_err_has 'there is no session'
	session export
	expect_status 64
	session export "$id" more
	expect_status 64
	# Reading takes no room on a disk that has none.
	MAYFLY_MIN_FREE=1000000000000 t_as "$MAYFLY" session export "$id" \
	    </dev/null >root.tar 2>err
	check "there has to be room" test $? = 0
	check "it is not there" test "$(tar -xOf root.tar root/f)" = end
	session delete "$id"
fi

if [[ $AS == root ]] && testcase "who deletes a session ends its export"; then
	create
	inside -- sh -c 'head -c 9000000 /dev/urandom >/root/f'
	mkfifo slow
	exec 9<>slow
	t_as "$MAYFLY" session export "$id" </dev/null >slow 2>err2 &
	exporting=$!
	await "it writes" test "$(head -c 1000 <&9 | wc -c)" = 1000
	session delete "$id"
	expect_status 0
	wait "$exporting"
	check "it goes on" test $? = 125
	exec 9>&-
fi

t_done
