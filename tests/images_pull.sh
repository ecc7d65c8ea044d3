#!/bin/bash
# Images come from registries, layouts and archives as they are there, once
# each layer, or not at all.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/images/lib.sh
. "$(dirname "$0")/images/lib.sh"

no_trash_after_all()
{
	collect
	[[ -z $(ls -A "$STATE/trash") ]]
}

for program in skopeo umoci docker-registry; do
	[[ -n $(type -P "$program") ]] || t_give_up "there is no $program"
done
fixture_base
fixture_tree
"$PYTHON" "$MAKE_IMAGE" content "$FIXTURES"
zstd -q "$FIXTURES/l3.tar"
gzip -1 -k "$FIXTURES/l1.tar"
OCI=$FIXTURES/oci
LAYERS=("$FIXTURES"/{l1.tar.gz,l2.tar,l3.tar})
layout "$OCI" all "$PLAIN" "$BASE" "$FIXTURES/l0.tar" "${LAYERS[@]}"
layout "$OCI" some "$PLAIN" "$BASE" "${LAYERS[@]}"
layout "$OCI" small "$PLAIN" "$BASE"

if testcase "what is in an image is what umoci makes of it, to the bit"; then
	rootless=()
	((EUID == 0)) || rootless=(--rootless)
	umoci unpack "${rootless[@]}" --image "$OCI:all" \
	    bundle >unpacked 2>&1 || fail "umoci: $(tail -n 1 unpacked)"
	tree_of bundle/rootfs >want
	check "there are only $(wc -l <want) files" \
	    test "$(wc -l <want)" -gt 10000
	made all pull "oci:$OCI:all" all
	tree_in all >got
	diff want got >differs || fail "it differs: $(head -n 5 differs)"
	forget
fi

if testcase "a layer without the directories of its files lies in those below"
then
	"$PYTHON" "$MAKE_IMAGE" implied .
	layout "$PWD/oci" upon "$PLAIN" "$BASE" below.tar implied.tar
	layout "$PWD/oci" other "$PLAIN" "$BASE" other.tar implied.tar
	layout "$PWD/oci" alone "$PLAIN" implied.tar
	layout "$PWD/oci" between "$PLAIN" "$BASE" below.tar implied.tar \
	    "$FIXTURES/l2.tar"
	rootless=()
	((EUID == 0)) || rootless=(--rootless)
	# A directory that nobody describes is as old as the making of it, and
	# one from below here is not made anew.
	untimed='s,^([^ ]* 4[0-7]* [0-9:]*) [0-9]+\.[0-9]*,\1,'
	for name in upon other; do
		umoci unpack "${rootless[@]}" --image "oci:$name" bundle \
		    >unpacked 2>&1 || fail "umoci: $(tail -n 1 unpacked)"
		tree_of bundle/rootfs | sed -E "$untimed" >want
		rm -rf bundle
		made "$name" pull "oci:oci:$name" "$name"
		tree_in "$name" | sed -E "$untimed" >got
		# Made for what it was to hide.
		[[ $name == upon ]] || sed -i '/^\/lib\/sub /d' got
		diff want got >differs ||
		    fail "$name differs: $(head -n 5 differs)"
	done
	# Once for each of what it lies on, and what lies below but once.
	check "there are not 5 layers" test "$(layers)" = 5
	made again pull oci:oci:upon again
	check "none was there" test "$(grep -c 'is there$' err)" = 3
	made between pull oci:oci:between between
	check "the three were not there" test "$(grep -c 'is there$' err)" = 3
	run_in between -- sh -c 'cat /lib/new /usr/lib/sub/new; echo'
	expect_out 'lib/newabsolute/sub/new'
	made alone pull oci:oci:alone alone
	run_in upon -- stat -c '%n %Y' /kept /kept/deep
	expect_out $'/kept 1234567890\n/kept/deep 12345'
	# Whiteouts of what is not there are not to be seen either.
	run_in upon -- ls -a /usr/lib/sub
	expect_out $'.\n..\nnew'
	mayfly image export between oci:exported </dev/null >out 2>err
	made exported pull oci:exported exported
	tree_in between | sed -E "$untimed" >want
	tree_in exported | sed -E "$untimed" >got
	diff want got >differs || fail "exported: $(head -n 5 differs)"
	forget
fi

if testcase "a layer that comes again counts where it comes last"; then
	"$PYTHON" "$MAKE_IMAGE" implied .
	layout "$PWD/oci" full "$PLAIN" "$BASE" "${LAYERS[0]}" "${LAYERS[1]}" \
	    "${LAYERS[0]}" "${LAYERS[2]}" "${LAYERS[0]}"
	layout "$PWD/oci" upon "$PLAIN" "$BASE" below.tar implied.tar \
	    "${LAYERS[1]}" below.tar implied.tar "${LAYERS[1]}"
	rootless=()
	((EUID == 0)) || rootless=(--rootless)
	for name in full upon; do
		umoci unpack "${rootless[@]}" --image "oci:$name" bundle \
		    >unpacked 2>&1 || fail "umoci: $(tail -n 1 unpacked)"
		# What nobody describes is as old as the making of it.
		untimed='s,^([^ ]* 4[0-7]* [0-9:]*) [0-9]+\.[0-9]*,\1,'
		[[ $name == upon ]] || untimed=''
		tree_of bundle/rootfs | sed -E "$untimed" >want
		rm -rf bundle
		made "$name" pull "oci:oci:$name" "$name"
		tree_in "$name" | sed -E "$untimed" >got
		diff want got >differs ||
		    fail "$name differs: $(head -n 5 differs)"
		create --image "$name"
		inside -- cat /etc/group
		expect_out_has '^staff'
		session delete "$id"
	done
	image show full
	check "there are not 4 layers" test "$(grep -c '^layer ' out)" = 4
	made again pull oci:oci:full again
	check "none was there" test "$(grep -c 'is there$' err)" = 6
	mayfly image export upon oci:exported </dev/null >out 2>err
	made exported pull oci:exported exported
	tree_in upon | sed -E "$untimed" >want
	tree_in exported | sed -E "$untimed" >got
	diff want got >differs || fail "exported: $(head -n 5 differs)"
	forget
fi

if testcase "an image of a registry is the same, and its layers are shared"
then
	start_registry
	push "$OCI:some" some/all:1.0
	push "$OCI:small" some/small
	made all:1.0 pull --plain-http "docker://$REGISTRY/some/all:1.0"
	check "no line for a layer" test "$(grep -c '^layer [0-9]' err)" = 4
	run_in all:1.0 -- sh -c 'cat /many/00005; ls /opaque-last; ls -d /gone/*
	    ls /to-file'
	expect_out $'backnew\n/gone/new'
	expect_err_has 'to-file: No such file'
	check "there are not 4 layers" test "$(layers)" = 4
	made again pull --plain-http "docker://$REGISTRY/some/all:1.0" again
	check "none was there" test "$(grep -c 'is there$' err)" = 4
	made small pull "docker://$REGISTRY/some/small" --plain-http
	check "there are not 4 layers now" test "$(layers)" = 4
	image list
	check "its own is not 0" test "$(awk '$1 == "small" { print $4 }' \
	    out)" = 0
	image show small
	expect_out_has '^layer .* shared$'
	expect_out_has '^own_kb +0$'
	image delete all:1.0
	image delete again
	collect
	check "the layer in use is gone" test "$(layers)" = 1
	run_in small -- true
	expect_status 0
	stop_registry
	forget
fi

if testcase "a layer that is there is not fetched again"; then
	start_registry
	push "$OCI:some" some/all
	push "$OCI:small" some/small
	made small pull --plain-http "docker://$REGISTRY/some/small"
	# It is the lowest of the others', and the registry has it no more.
	digest=$(image show small && sed -n 's,^layer *sha256/\([^ ]*\).*,\1,p' out)
	blob=$(find "$FIXTURES/registry" -path "*/blobs/*/$digest/data")
	check "there is no blob" test -s "$blob"
	mv "$blob" blob
	made all pull --plain-http "docker://$REGISTRY/some/all"
	check "not one was there" test "$(grep -c 'is there$' err)" = 1
	tree_in all >got
	# In the store alone it counts, and not as a file of somebody's.
	image delete small
	image delete all
	collect
	refused 125 '^mayfly: skopeo: ' pull --plain-http \
	    "docker://$REGISTRY/some/all"
	mv blob "$blob"
	made all pull --plain-http "docker://$REGISTRY/some/all"
	check "some was there" test "$(grep -c 'is there$' err)" = 0
	tree_in all >want
	check "it is another tree" cmp -s want got
	stop_registry
	forget
fi

if testcase "a digest says which image it must be"; then
	start_registry
	push "$OCI:small" img:latest
	digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
	    "docker://$REGISTRY/img" 2>&1)
	check "$digest is none" test "${digest#sha256:}" != "$digest"
	made img pull --plain-http "docker://$REGISTRY/img@$digest"
	image show img
	expect_out_has "^digest +$digest\$"
	# Also of Docker's form, which is another when it is there.
	push "$OCI:small" docker:latest --format v2s2
	docker=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
	    "docker://$REGISTRY/docker" 2>&1)
	check "it is the same" test "$docker" != "$digest"
	made docker pull --plain-http "docker://$REGISTRY/docker@$docker"
	image show docker
	expect_out_has "^digest +$docker\$"
	image delete docker
	refused 125 '^mayfly: skopeo: ' pull --plain-http \
	    "docker://$REGISTRY/img@sha256:$(printf 'a%.0s' {1..64})" other
	refused 125 '^mayfly: skopeo: ' pull --plain-http \
	    "docker://$REGISTRY/img@sha256:1" other
	# What the registry gives is something else.
	file=$(find "$FIXTURES/registry" -path "*/blobs/*${digest#sha256:}/data")
	sed -i 's/"schemaVersion"/"schemaversion"/' "$file"
	refused 125 '^mayfly: skopeo: ' pull --plain-http \
	    "docker://$REGISTRY/img@$digest" other
	check "another image" test "$(names)" = img
	stop_registry
	forget
fi

if testcase "what a registry has damaged is not an image"; then
	start_registry
	push "$OCI:small" img
	layer=$(find "$FIXTURES/registry" -path '*/blobs/*/data' -size +100k)
	for change in 's/root/toor/' '100000q'; do
		cp "$layer" whole
		printf 'X' | dd of="$layer" bs=1 seek=5000 conv=notrunc \
		    status=none
		[[ $change != 100000q ]] || truncate -s 5000 "$layer"
		refused 125 '^mayfly: skopeo: ' pull --plain-http \
		    "docker://$REGISTRY/img" img
		cp whole "$layer"
	done
	check "a layer stays" test "$(layers)" = 0
	made img pull --plain-http "docker://$REGISTRY/img" img
	stop_registry
	forget
fi

if testcase "who needs a password says it in a file, and nobody else gets in"
then
	mkdir -p auth
	perl -e 'print "who:", crypt("secret", q($2y$05$abcdefghijklmnopqrstuu)),
	    "\n"' >"$FIXTURES/htpasswd"
	start_registry "auth: {htpasswd: {realm: r, path: $FIXTURES/htpasswd}}"
	push "$OCI:small" private --dest-creds who:secret
	for pair in good:secret bad:wrong; do
		jq -n --arg r "$REGISTRY" --arg a \
		    "$(printf 'who:%s' "${pair#*:}" | base64)" \
		    '{auths: {($r): {auth: $a}}}' >"${pair%:*}.json"
	done
	chmod 0600 ./*.json
	chown "$T_UID" ./*.json 2>/dev/null
	made private pull --plain-http --authfile good.json \
	    "docker://$REGISTRY/private"
	refused 125 '^mayfly: skopeo: ' pull --plain-http \
	    --authfile=bad.json "docker://$REGISTRY/private" other
	refused 125 '^mayfly: skopeo: ' pull --plain-http \
	    "docker://$REGISTRY/private" other
	refused 125 '^mayfly: authfile: none.json: No such file' pull --plain-http \
	    --authfile none.json "docker://$REGISTRY/private" other
	# The secret is in no file, and no image.
	check "the secret stays" test -z "$(grep -rl \
	    "$(jq -r '.auths[].auth' good.json)" "$STATE" 2>/dev/null)"
	rm ./*.json
	stop_registry
	forget
fi

if testcase "of an image for several platforms one is taken"; then
	for arch in amd64 arm64; do
		mkdir -p "$arch/etc"
		echo "$arch" >"$arch/etc/arch"
		tar -C "$arch" -cf "$FIXTURES/$arch.tar" .
	done
	"$PYTHON" "$MAKE_IMAGE" index "$FIXTURES/multi" t \
	    "amd64={},$BASE,$FIXTURES/amd64.tar" \
	    "arm64={},$BASE,$FIXTURES/arm64.tar"
	start_registry
	push "$FIXTURES/multi:t" multi
	made arm pull --plain-http --platform linux/arm64 \
	    "docker://$REGISTRY/multi" arm
	made amd pull --plain-http --platform=linux/amd64 \
	    "docker://$REGISTRY/multi" amd
	made own pull --plain-http "docker://$REGISTRY/multi" own
	for name in arm:arm64 amd:amd64 \
	    "own:$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')"; do
		run_in "${name%:*}" -- cat /etc/arch
		expect_out "${name#*:}"
	done
	check "the base is there twice" test "$(layers)" = 3
	refused 125 '^mayfly: skopeo: ' pull --plain-http \
	    --platform linux/s390x "docker://$REGISTRY/multi" other
	made fromoci pull --platform linux/arm64 "oci:$FIXTURES/multi:t" fromoci
	run_in fromoci -- cat /etc/arch
	expect_out arm64
	stop_registry
	forget
fi

if testcase "layouts and docker's archives become images"; then
	made oci pull "oci:$OCI:small"  oci
	cp -r "$OCI" dir:with:colons
	made colons pull "oci:dir:with:colons:small" colons
	skopeo --insecure-policy copy -q "oci:$OCI:small" \
	    docker-archive:some.tar:my/name:1 >copied 2>&1 ||
	    fail "skopeo: $(tail -n 1 copied)"
	made archive pull docker-archive:some.tar archive
	layout single t "$PLAIN" "$BASE"
	made single pull oci:single
	for name in oci colons archive single; do
		run_in "$name" -- cat /etc/group
		expect_out_has '^staff'
	done
	refused 125 '^mayfly: source: ' pull oci:none x
	refused 125 '^mayfly: source: ' pull docker-archive:none.tar x
	refused 125 '^mayfly: skopeo: ' pull "oci:$OCI:none" x
	refused 125 '^mayfly: skopeo: ' pull "oci:$OCI" x
	refused 125 '^mayfly: skopeo: ' pull docker-archive:"$BASE" x
	refused 125 '^mayfly: skopeo: ' pull "oci:$T_ROOT/home" x
	forget
fi

if testcase "without a name it is that of the source"; then
	layout single t "$PLAIN" "$BASE"
	while read -r path name; do
		cp -r single "$path"
		made "$name" pull "oci:$path"
	done <<-'END'
		plain plain
		Upper upper
		a.b-c_d a.b-c_d
	END
	cp -r single tagged
	made tagged:t pull oci:tagged:t
	cp -r single 'not a name'
	refused 64 "the name of 'not a name' can be no image's: give one" \
	    pull 'oci:not a name'
	refused 64 "the name of .* can be no image's" pull docker://
	refused 64 "host" pull docker://localhost:1/host
	refused 64 "can be no image's name" pull oci:single A
	refused 64 'sources are docker://' pull ftp://x/y
	forget
fi

if testcase "a registry that is not there is told, and nothing stays"; then
	port=$("$PYTHON" -c 'import socket; s = socket.socket()
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	refused 125 '^mayfly: skopeo: ' pull --plain-http \
	    "docker://localhost:$port/x"
	expect_err_has 'connection refused'
	refused 125 '^mayfly: skopeo: ' pull docker://nowhere.invalid/x
	start_registry
	refused 125 '^mayfly: skopeo: ' pull --plain-http \
	    "docker://$REGISTRY/none"
	expect_err_has 'manifest unknown'
	# Without TLS only who asks for it.
	push "$OCI:small" img
	refused 125 '^mayfly: skopeo: ' pull "docker://$REGISTRY/img"
	stop_registry
	check "something was made" test -z "$(names)"
	check "a layer stays" test "$(layers)" = 0
fi

if testcase "ten who want the same image at once all get it"; then
	for i in 0 1 2 3 4 5 6 7 8 9; do
		t_as "$MAYFLY" image pull "oci:$OCI:small" \
		    "$( ((i % 2)) && echo same || echo "own$i")" \
		    </dev/null >"out$i" 2>"err$i" &
		pids[i]=$!
	done
	for i in 0 1 2 3 4 5 6 7 8 9; do
		wait "${pids[i]}" || fail "one failed: $(tail -n 1 "err$i")"
	done
	check "not all are there" test "$(names | wc -l)" = 6
	check "there are $(layers) layers" test "$(layers)" = 1
	expect_no_trash
	for name in $(names); do
		run_in "$name" -- cat /etc/group
		expect_out_has '^staff'
	done
	forget
fi

if testcase "a pull that is killed leaves nothing, and can be repeated"; then
	layout two t "$PLAIN" "$BASE" "$FIXTURES/l2.tar"
	for when in 0.02 0.05 0.1 0.15 0.2 0.3; do
		t_as timeout -s KILL "$when" "$MAYFLY" image pull \
		    oci:two:t all </dev/null >out 2>err
		[[ $? != 0 ]] || image delete all
		# What it has started dies after it, and holds it till then.
		poll 200 no_trash_after_all || expect_no_trash
	done
	made all pull oci:two:t all
	forget
fi

t_done
