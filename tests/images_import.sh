#!/bin/bash
# Images are made of archives and directories, are listed, shown and deleted;
# what is none is refused, and leaves nothing.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/images/lib.sh
. "$(dirname "$0")/images/lib.sh"

fixture_base

if testcase "an archive becomes an image, however it is packed"; then
	gzip -k <"$BASE" >root.tar.gz
	zstd -q <"$BASE" >root.tar.zst
	xz -0 <"$BASE" >root.tar.xz
	bzip2 -1 <"$BASE" >root.tar.bz2
	cp "$BASE" root.tar
	for kind in tar tar.gz tar.zst tar.xz tar.bz2; do
		made "${kind//./-}" import "root.$kind" "${kind//./-}"
		run_in "${kind//./-}" -- sh -c 'id -u; stat -c %a /tmp /root'
		expect_out $'0\n1777\n700'
	done
	mayfly image import - piped <root.tar.zst >out 2>err
	expect_out piped
	cat root.tar.gz | mayfly image import - piped-gz >out 2>err
	expect_out piped-gz
	run_in piped-gz -- cat /etc/group
	expect_out_has '^staff:x:50:app$'
	check "there are not seven" test "$(names | wc -l)" = 7
	forget
fi

if testcase "who writes an archive into a pipe is read to the end"; then
	# More than a pipe holds, as by tar --blocking-factor.
	{ cat "$BASE"; head -c 3000000 /dev/zero; } |
	    mayfly image import - piped >out 2>err
	codes="${PIPESTATUS[*]}"
	check "the codes are $codes" test "$codes" = '0 0'
	expect_out piped
	run_in piped -- true
	expect_status 0
	forget
fi

if testcase "a directory becomes an image, with all that its files are"; then
	fixture_tree
	mkdir root
	tar -C root -xf "$BASE"
	mkdir -m 0711 root/d
	echo x >root/d/f
	ln root/d/f root/hard
	ln -s /nowhere root/soft
	mkfifo -m 0604 root/fifo
	touch -d @1234567890.5 root/d/f root/d
	[[ $AS != root ]] || chown -R 1000:1001 root/d
	[[ $AS == root ]] || chown -R --no-dereference "$T_UID:$T_UID" root
	# Sockets and devices are none of an image's.
	"$PYTHON" -c 'import socket; socket.socket(
	    socket.AF_UNIX).bind("root/socket")'
	made dir import-dir root dir
	rm root/socket
	tree_of root >want
	tree_in dir >got
	[[ $AS == root ]] ||
	    sed -Ei "s/ $T_UID:$T_UID( |\$)/ 0:0\1/" want
	diff want got >differs || fail "it differs: $(head -n 5 differs)"
	# It is a copy.
	echo changed >root/d/f
	run_in dir -- cat /hard
	expect_out x
	forget
fi

if [[ $AS == root ]] &&
    testcase "a directory whose owners no image can have is refused" &&
    require "no overlay can be mounted" test -n "${T_ENTERED:-}"; then
	mkdir -p root/d
	tar -C root -xf "$BASE"
	echo x >root/d/f
	ln -s f root/d/link
	mkdir -m 0 root/d/closed
	chown -hR 65534:65534 root/d
	made nobody import-dir root nobody
	run_in nobody -- stat -c %u:%g /d /d/f /d/link /d/closed
	expect_out $'65534:65534\n65534:65534\n65534:65534\n65534:65534'
	for file in f link closed; do
		for owner in 65536:0 0:100000; do
			chown -h "$owner" "root/d/$file"
			refused 125 '^mayfly: layer: ' import-dir root bad
			expect_err_has "^mayfly-rootfs: 'd/$file' belongs to an id"
		done
		chown -h 65535:65535 "root/d/$file"
	done
	made edge import-dir root edge
	# Here everybody would be nobody.
	mkdir upper work merged
	mount -t overlay -o lowerdir=root,upperdir=upper,workdir=work \
	    overlay merged
	refused 125 '^mayfly: layer: ' import-dir merged bad
	expect_err_has "^mayfly-rootfs: '.*' belongs to .*cannot map owners"
	tar -C merged -cf - . | mayfly image import - merged >out 2>err
	expect_out merged
	umount merged
	run_in merged -- stat -c %u:%g /d/f /etc/group
	expect_out $'65535:65535\n0:0'
	forget
fi

if testcase "a sparse file takes no room, and has its holes"; then
	mkdir d
	perl -e 'open F, ">", "d/sparse"; syswrite F, "begin";
	    seek F, 40 << 20, 0; syswrite F, "middle"; truncate F, 80 << 20'
	for format in posix gnu oldgnu; do
		tar -C d -S --format="$format" -cf sparse.tar .
		made "$format" import sparse.tar "$format"
		file=$(find "$STATE/layers" -name sparse)
		check "$format: another file" cmp -s d/sparse "$file"
		check "$format: it takes $(du -k "$file")" \
		    test "$(du -k "$file" | cut -f 1)" -lt 1000
		image show "$format"
		expect_out_has '^size_kb +[0-9]{1,3}$'
		image delete "$format"
		collect
	done
	forget
fi

if testcase "the list says what there is, and what it takes"; then
	image list
	expect_status 0
	expect_no_out
	made one import "$BASE" one
	made two:2.0 import "$BASE" two:2.0
	image list
	expect_status 0
	check "not in order" test "$(awk 'NR > 1 { print $1 }' out | xargs)" = \
	    "one two:2.0"
	size=$(awk '$1 == "one" { print $3 }' out)
	check "$size KB" test "$((size * 1024))" -gt 1000000
	check "not its own" test "$(awk '$1 == "one" { print $4 }' out)" = \
	    "$size"
	image show two:2.0
	expect_status 0
	expect_out_has '^name +two:2.0$'
	expect_out_has '^digest +none$'
	expect_out_has "^size_kb +$size\$"
	expect_out_has '^cwd +/$'
	expect_out_has '^user +0$'
	expect_out_has "^created_at +$(date -u +%Y)-"
	expect_out_has "^layer +id/[a-z0-9]{26} $size\$"
	image delete one
	expect_status 0
	expect_no_out
	image show one
	expect_status 125
	expect_err_has "^mayfly: image: there is no image 'one'\$"
	run_in one -- true
	check "it can be run" test "$status" != 0
	run_in two:2.0 -- true
	expect_status 0
	forget
fi

if testcase "a list as JSON has the objects of the API"; then
	image list --json
	expect_status 0
	expect_json '. == []'
	made one import "$BASE" one
	made two:2.0 import "$BASE" two:2.0
	image list --json
	expect_status 0
	expect_json '[.[].name] == ["one", "two:2.0"] and
	    (.[0] | .digest == null and .size_kb > 1000 and
		.state == "ready" and (.layers | length) == 1)'
	jq -c '.[1]' out >want
	image show two:2.0 --json
	expect_status 0
	check "another object" cmp -s <(jq -c . out) want
	for name in none ../one ''; do
		image show "$name" --json
		expect_status 125
		expect_err_has "there is no image '"
		expect_no_out
	done
	mayfly image list --json >/dev/full 2>err </dev/null
	check "a full disk is none" test $? = 125
	refused 64 "unknown option '--json'" delete one --json
	refused 64 "value too much" list --json=1
	forget
fi

if testcase "a new image of an old name takes its place"; then
	made same import "$BASE" same
	mkdir -p d/etc
	echo new >d/etc/new
	tar -C d -cf new.tar .
	cat "$BASE" >both.tar
	tar --concatenate -f both.tar new.tar
	made same import both.tar same
	run_in same -- cat /etc/new
	expect_out new
	check "there are two" test "$(names)" = same
	forget
fi

if testcase "what a crash leaves of an image is put right"; then
	made kept import "$BASE" kept
	t_as sh -c "mkdir '$STATE/images/empty' '$STATE/images/half:1'
	    : >'$STATE/images/half:1/manifest.new'
	    : >'$STATE/images/kept/manifest.new'"
	# Somebody is making one.
	exec 8<"$STATE/images"
	flock -s 8
	collect
	check "there is $(names | xargs)" \
	    test "$(names | xargs)" = "empty half:1 kept"
	exec 8>&-
	collect
	check "there is $(names | xargs)" test "$(names)" = kept
	check "in it is $(ls "$STATE/images/kept")" \
	    test "$(ls "$STATE/images/kept")" = manifest
	run_in kept -- true
	expect_status 0
	forget
fi

if testcase "a name that none can have is refused by name"; then
	for name in '' . .. - a/b ../a A _a .a 'a b' a: a:b:c a@b "a:-/" \
	    "$(printf 'a%.0s' {1..65})" "a:$(printf 'b%.0s' {1..65})" é \
	    $'a\n' 'a*'; do
		refused 64 "can be no image's name: it is \[a-z" \
		    import "$BASE" "$name"
	done
	refused 64 "image's name.*'host'" import "$BASE" host
	for name in a 0 "$(printf 'a%.0s' {1..64})" a:B._- a..b; do
		made "$name" import "$BASE" "$name"
	done
	for verb in show delete; do
		for name in '' .. ../images /etc host nobody; do
			refused 125 '^mayfly: image: there is no image' \
			    "$verb" "$name"
		done
	done
	forget
fi

if testcase "wrong words are wrong usage, and say which"; then
	refused 64 'no verb' 
	refused 64 "there is no verb 'none'" none
	refused 64 'usage: mayfly image import' import
	refused 64 'usage: mayfly image import' import "$BASE"
	refused 64 "too much.*'c'" import "$BASE" b c
	refused 64 "unknown option '--what'" import --what "$BASE" b
	refused 64 "unknown option '--authfile" import --authfile=x "$BASE" b
	refused 64 'value is missing.*--authfile' pull x --authfile
	refused 64 "value too much.*--plain-http=1" pull --plain-http=1 x
	refused 64 'build needs --distro' build b
	for distro in x debian debian: other:1 'debian:a b' 'debian:../x'; do
		refused 64 "^mayfly: image: --distro: '" build b \
		    --distro "$distro"
	done
	refused 64 "--platform: '" pull oci:/ b --platform linux
	image --help
	expect_status 0
	expect_out_has 'mayfly image pull SOURCE'
	check "something was made" test -z "$(names)"
fi

if testcase "what is no archive is refused, and nothing of it stays"; then
	head -c 100000 /dev/urandom >noise
	yes text | head -c 100000 >text
	: >empty
	mkdir directory
	printf 'x%.0s' {1..511} >short
	zip=$'PK\003\004'
	printf '%s%0500d' "$zip" 0 >zip
	for file in noise text short zip empty; do
		refused 125 '^mayfly: (layer|archive): ' import "$file" bad
		expect_err_has '^mayfly-rootfs: .*archive'
	done
	refused 125 '^mayfly: source: .*none' import none bad
	refused 125 '^mayfly: .*directory' import directory bad
	refused 125 '^mayfly: source: none: No such file or directory$' \
	    import-dir none bad
	refused 125 '^mayfly: source: .*[Nn]ot a directory' \
	    import-dir noise bad
	check "something was made" test -z "$(names)"
	check "a layer stays" test "$(layers)" = 0
fi

if testcase "an archive that is cut short or damaged is refused"; then
	gzip -1 <"$BASE" >root.tar.gz
	zstd -q <"$BASE" >root.tar.zst
	xz -0 <"$BASE" >root.tar.xz
	for file in root.tar.gz root.tar.zst root.tar.xz "$BASE"; do
		size=$(stat -c %s "$file")
		# In the middle of a file, and in the middle of a header.
		for part in $((size / 2)) 5000 700; do
			head -c "$part" "$file" >./cut
			refused 125 '^mayfly: layer: ' import cut bad
			expect_err_has '^mayfly-rootfs: the archive is damaged'
		done
		[[ $file != "$BASE" ]] || continue
		for at in $((size / 2)) $((size - 10)); do
			{
				head -c "$at" "$file"
				printf '\125\252\125'
				tail -c +"$((at + 4))" "$file"
			} >damaged
			refused 125 '^mayfly: layer: ' import damaged bad
			expect_err_has '^mayfly-rootfs: the archive is damaged'
		done
	done
	# Of what cannot be made smaller the checksum alone tells.
	mkdir d
	head -c 300000 /dev/urandom >d/noise
	tar -C d -czf noise.tar.gz .
	{
		head -c 150000 noise.tar.gz
		printf '\125\252\125'
		tail -c +150004 noise.tar.gz
	} >damaged
	refused 125 '^mayfly: layer: ' import damaged bad
	expect_err_has '^mayfly-rootfs: the archive is damaged'
	check "something was made" test -z "$(names)"
	check "a layer stays" test "$(layers)" = 0
fi

if testcase "no image is larger than max_image"; then
	mkdir d
	head -c 30000000 /dev/zero >d/zeros
	tar -C d -czf bomb.tar.gz .
	export MAYFLY_MAX_IMAGE=20000
	refused 125 '^mayfly: layer: ' import bomb.tar.gz bad
	expect_err_has 'more than max_image allows: 20000 KB'
	refused 125 '^mayfly: layer: ' import-dir d bad
	# Also what no file is made of: behind the end, in who says what goes.
	{ cat "$BASE"; cat d/zeros; } | gzip -1 >behind.tar.gz
	mv d/zeros d/.wh.zeros
	tar -C d -czf whiteout.tar.gz .
	for file in behind whiteout; do
		refused 125 '^mayfly: layer: ' import "$file.tar.gz" bad
		expect_err_has 'more than max_image allows: 20000 KB'
	done
	# Nor what is in no file: attributes, also their names, and where links
	# lead.
	"$PYTHON" - <<-'END'
		import tarfile
		for kind in "attributes", "names", "links":
		    with tarfile.open(kind + ".tar.gz", "w:gz") as t:
		        for i in range(7000):
		            e = tarfile.TarInfo("f%d" % i)
		            text = "%04d" % i * 950
		            if kind == "links":
		                e.type, e.linkname = tarfile.SYMTYPE, text
		            elif kind == "attributes":
		                e.pax_headers["SCHILY.xattr.user.a"] = text
		            else:
		                for n in range(12):
		                    e.pax_headers["SCHILY.xattr.user.%02d" % n +
		                                  "n" * 230] = ""
		            t.addfile(e)
	END
	for file in attributes names links; do
		refused 125 '^mayfly: layer: ' import "$file.tar.gz" bad
		expect_err_has 'more than max_image allows: 20000 KB'
	done
	# Nor directories that the archive does not have, and that lead to files.
	"$PYTHON" - <<-'END'
		import tarfile
		with tarfile.open("implied.tar.gz", "w:gz") as t:
		    for i in range(6):
		        t.addfile(tarfile.TarInfo("%d/" % i + "d/" * 1000 + "f"))
	END
	export MAYFLY_MAX_IMAGE=2000
	refused 125 '^mayfly: layer: ' import implied.tar.gz bad
	expect_err_has 'more than max_image allows: 2000 KB'
	export MAYFLY_MAX_IMAGE=4000
	made implied import implied.tar.gz implied
	export MAYFLY_MAX_IMAGE=40000
	made good import bomb.tar.gz good
	unset MAYFLY_MAX_IMAGE
	forget
fi

# Without root buildah asks more of a machine than mayfly does.
if [[ $AS == root && -n $(type -P buildah) ]] &&
    testcase "what buildah makes of a Dockerfile is an image"; then
	mkdir "a context"
	cp /bin/busybox "a context"
	cat >"a context/Dockerfile" <<-'END'
		FROM scratch
		COPY busybox /bin/sh
		ENV A="two words"
		WORKDIR /made
		CMD ["/bin/sh", "-c", "echo $A; pwd"]
	END
	made built from-dockerfile "a context" built
	run_in built
	expect_out $'two words\n/made'
	echo 'FROM no-such-image-anywhere' >"a context/Dockerfile"
	refused 125 '^mayfly: build: .* failed' from-dockerfile "a context" bad
	refused 125 '^mayfly: source: nowhere: ' from-dockerfile nowhere bad
	forget
fi

if [[ $AS == root && -n $(type -P buildah) ]] &&
    testcase "what a Dockerfile's build leaves running ends with it"; then
	mkdir context
	cp "$BASE" context/base.tar
	cat >context/Dockerfile <<-END
		FROM scratch
		ADD base.tar /
		ENV PATH=/bin
		RUN sleep 8$$ & busybox setsid sleep 8$$ & sleep 1
	END
	made left from-dockerfile context left
	check "it runs on" eval '! pgrep -f "^sleep 8$$"'
	forget
fi

if [[ $AS == root && -n $(type -P buildah) ]] &&
    testcase "a Dockerfile's build that is told to stop stops"; then
	mkdir context
	cp "$BASE" context/base.tar
	printf '%s\n' 'FROM scratch' 'ADD base.tar /' "RUN exec sleep 9$$" \
	    >context/Dockerfile
	for signal in TERM KILL; do
		spawn image from-dockerfile context one </dev/null
		if ! poll 1200 pgrep -f "^sleep 9$$"; then
			fail "it does not build"
			break
		fi
		kill -s "$signal" "$pid"
		finish
		await "SIG$signal ends it" eval '! pgrep -f "^sleep 9$$"'
		expect_no_out
		if [[ $signal == TERM ]]; then
			expect_status 125
			expect_err_has '^mayfly: build: mayfly was told to stop'
			expect_no_trash
		fi
	done
	# Who cleans up has outlived it.
	poll 600 eval 'collect; [[ -z $(ls -A "$STATE/trash") ]]'
	expect_no_trash
	[[ -z $(names) ]] || fail "there is an image"
fi

t_done
