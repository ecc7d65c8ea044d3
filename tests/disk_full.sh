#!/bin/bash
# A disk that is full, has no inodes left or cannot be written is told as such,
# and what is on it can be deleted.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"
# shellcheck source=tests/disks.sh
. "$T_TREE/tests/disks.sh"
FIXTURES=$T_ROOT/fixtures
mkdir -m 0755 "$FIXTURES"
# shellcheck source=tests/images/registry.sh
. "$T_TREE/tests/images/registry.sh"

# Takes what is left of the disk, its last block and its last inode.
fill_disk()
{
	dd if=/dev/zero of="$DISK/filler" bs=64k 2>/dev/null
	dd if=/dev/zero of="$DISK/filler.2" bs=512 2>/dev/null
	sync -f "$DISK"
	dd if=/dev/zero of="$DISK/filler.3" bs=512 2>/dev/null
}

fill_inodes()
{
	mkdir "$DISK/many"
	(cd "$DISK/many" && seq 100000 | xargs touch) 2>/dev/null
}

# Names in the trash until its directory has no room for one more.
fill_trash()
{
	local name i

	for ((i = 0; i < 10000; i++)); do
		printf -v name 'filler-%036d' "$i"
		(: >"$STATE/trash/$name") || break
	done 2>/dev/null
	((i < 10000)) || fail "there is room for all names"
}

# What cannot be done is refused with its reason; what is there stays.
expect_refused()
{
	expect_status 125
	expect_err_has "^mayfly: $1: .*$2"
}

if testcase "on a full disk nothing is begun, it is told, and all is deleted" &&
    disk 100M -b 1024 -O ^has_journal; then
	create
	first=$id
	inside -- sh -c 'mkdir /d; for i in 1 2 3 4 5; do echo x >/d/$i; done'
	create
	fill_disk
	session create
	expect_refused state 'only 0 KB are free.*No space left'
	inside -- true
	expect_refused state 'only 0 KB are free.*No space left'
	export MAYFLY_MIN_FREE=0
	session create
	expect_refused state 'No space left'
	inside -- sh -c 'echo x >/f'
	((status != 0)) || fail "a file was written"
	expect_err_has 'No space left'
	session env "$id" A=1
	expect_refused state 'No space left'
	unset MAYFLY_MIN_FREE
	fill_trash
	session delete "$first"
	expect_status 0
	session show "$first"
	expect_status 125
	session show "$id"
	expect_status 0
	rm -f "$STATE"/trash/filler*
	delete
	rm "$DISK"/filler*
	create
	inside -- true
	expect_status 0
	delete
	expect_clean
	no_disk
fi

if testcase "an image for which there is no room is none, and that is told" &&
    disk 100M -b 1024; then
	fixture_base
	head -c 60000000 /dev/urandom >big
	cp "$BASE" big.tar
	tar -rf big.tar big
	layout oci big '{"Env": ["PATH=/bin"]}' "$PWD/big.tar"
	chmod -R a+rX .
	t_as "$MAYFLY" image import "$BASE" small </dev/null >out 2>err ||
	    fail "no image was made: $(<err)"
	head -c 50000000 /dev/zero >"$DISK/filler"
	for source in "import $PWD/big.tar" "pull oci:$PWD/oci:big"; do
		# shellcheck disable=SC2086 # a verb and its word
		MAYFLY_MIN_FREE=0 t_as "$MAYFLY" image $source big \
		    </dev/null >out 2>err
		status=$?
		expect_status 125
		expect_no_out
		expect_err_has '^mayfly: (layer|skopeo|images): '
		expect_err_has '[Nn]o space left'
		check "there are images: $(ls "$STATE/images")" test \
		    "$(ls "$STATE/images")" = small
		check "there are layers" test "$(find "$STATE/layers" \
		    -mindepth 2 -maxdepth 2 | wc -l)" = 1
		check "there is trash" test -z "$(ls -A "$STATE/trash")"
	done
	# To the last block, where not even a directory can be made.
	fill_disk
	MAYFLY_MIN_FREE=0 t_as "$MAYFLY" image import "$BASE" other \
	    </dev/null >out 2>err
	status=$?
	expect_status 125
	expect_err_has '[Nn]o space left'
	t_as "$MAYFLY" image import "$BASE" other </dev/null >out 2>err
	status=$?
	expect_refused state 'only .* KB are free.*No space left'
	rm "$DISK"/filler*
	run --image small -- cat /etc/group
	expect_out_has staff
	t_as "$MAYFLY" image import "$BASE" other </dev/null >out 2>err ||
	    fail "no image was made: $(<err)"
	for name in small other; do
		t_as "$MAYFLY" image delete "$name" >out 2>err ||
		    fail "$name cannot be deleted: $(<err)"
	done
	reap
	expect_status 0
	check "layers stay" test -z "$(find "$STATE/layers" -mindepth 2)"
	no_disk
fi

if testcase "the reaper removes on a full disk as well" &&
    disk 100M -b 1024 -O ^has_journal; then
	for _ in 1 2 3 4 5; do
		create --ttl 1
		inside -- sh -c 'mkdir -p /d/d/d; echo x >/d/d/x'
	done
	fill_disk
	fill_trash
	sleep 2.1
	reap
	expect_status 0
	check "sessions stay" test -z "$(ls "$STATE/sessions")"
	reap
	check "trash stays" test -z "$(ls "$STATE/trash")"
	no_disk
fi

if testcase "a deletion that was broken off on a full disk goes on" &&
    disk 100M; then
	create
	inside -- sh -c 'echo x >/f'
	rm "$STATE/sessions/$id/meta"
	session show "$id"
	expect_status 125
	session list
	expect_no_out
	mayfly reap --dry-run >out 2>err
	expect_out_has "^would remove session $id$"
	reap
	expect_out_has "^removed session $id$"
	expect_clean
	no_disk
fi

if testcase "a session that is used on a full disk does not grow old there" &&
    disk 100M -b 1024; then
	create --ttl 4
	inside -- sh -c 'echo x >/f'
	fill_disk
	for _ in 1 2 3 4; do
		sleep 1.5
		MAYFLY_MIN_FREE=0 t_as "$MAYFLY" session run "$id" -- \
		    sh -c 'cat /f; rm -f /tmp/none' </dev/null >out 2>err ||
		    fail "it was not run: $(<err)"
	done
	reap
	session show "$id"
	expect_status 0
	delete
	expect_clean
	no_disk
fi

if testcase "without inodes nothing is begun, it is told, and all is deleted" &&
    disk 100M -N 4096; then
	create
	inside -- sh -c 'echo x >/f'
	expect_status 0
	fill_inodes
	session create
	expect_refused state 'only 0 inodes are free.*No space left'
	inside -- true
	expect_refused state 'only 0 inodes are free.*No space left'
	export MAYFLY_MIN_FREE=0
	session create
	expect_refused state 'No space left'
	session env "$id" A=1
	expect_refused state 'No space left'
	inside -- cat /f
	if [[ $status != 0 ]]; then
		expect_refused session 'nothing can be written.*No space left'
	fi
	unset MAYFLY_MIN_FREE
	delete
	reap
	expect_status 0
	rm -rf "$DISK/many"
	expect_clean
	no_disk
fi

if testcase "a disk that cannot be written is told, and refuses to delete" &&
    disk 100M; then
	create
	inside -- sh -c 'echo x >/f'
	session create --ttl 1
	sleep 2.1
	poll 100 eval 'mount -o remount,ro "$DISK" 2>/dev/null' ||
	    fail "it cannot be made read-only"
	session create
	expect_refused state 'Read-only file system'
	inside -- cat /f
	expect_refused state 'Read-only file system'
	session env "$id" A=1
	expect_refused state 'Read-only file system'
	session delete "$id"
	expect_refused state 'Read-only file system'
	session show "$id"
	expect_status 0
	session list
	expect_out_has "^$id "
	reap
	expect_status 125
	expect_err_has '^mayfly: reap: .* stays: Read-only file system$'
	mount -o remount,rw "$DISK"
	inside -- cat /f
	expect_out x
	delete
	expect_clean
	no_disk
fi

t_done
