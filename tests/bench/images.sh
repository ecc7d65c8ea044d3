#!/bin/bash
#
# What images cost, beside what others take for the same: a run over so many
# layers beside one on the host's files; an archive that is taken in beside
# umoci; a pull from a registry beside skopeo and umoci, buildah and podman.
# Medians of whole commands, in milliseconds, and ratios.
#
# ROUNDS (40)	runs of each depth, in turns
# DEPTHS (1 5 10 30)	layers
# MB (200)	in the archive, in files of 16 KB
# TIMES (3)	archives and pulls
# MAYFLY	the program
# TMPDIR	where all is, on a disk
set -u

here=$(cd "$(dirname "$0")" && pwd)
mayfly=${MAYFLY:-$here/../../build/mayfly}
make_image=$here/../images/make.py
rounds=${ROUNDS:-40}
times=${TIMES:-3}
mb=${MB:-200}
tmp=$(mktemp -d) || exit 1
registry=
cleanup() {
	[ -z "$registry" ] || kill "$registry"
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
export MAYFLY_STATE_DIR=$tmp/state MAYFLY_MIN_FREE=0
((EUID == 0)) || export XDG_STATE_HOME=$tmp/state
rootless=()
((EUID == 0)) || rootless=(--rootless)

# Runs a command once, and notes how long it took: once LABEL COMMAND...
once() {
	local label=$1 began=${EPOCHREALTIME/./}

	shift
	"$@" </dev/null >"$tmp/out" 2>"$tmp/err" ||
		echo "$label failed: $(tail -n 1 "$tmp/err")" >&2
	echo $((${EPOCHREALTIME/./} - began)) >>"$tmp/times.$label"
}

median() {
	sort -n "$tmp/times.$1" | awk '{ t[NR] = $1 }
	    END { printf "%.1f", t[int((NR + 1) / 2)] / 1000 }'
}

# row LABEL NAME BESIDE
row() {
	echo "| $2 | $(median "$1") | $(awk -v a="$(median "$1")" \
	    -v b="$(median "$3")" 'BEGIN { printf "%.2f", a / b }') |"
}

# For table.py: compare WHAT A LABEL B LABEL
compare() {
	printf '%s\t%s\t%s\t%s\t%s\tms\n' "$1" "$2" "$(median "$3")" "$4" \
		"$(median "$5")" >>"${BENCH_ROWS:-/dev/null}"
}

there() {
	[[ -n $(type -P "$1") ]]
}

# Depths: in turns, so that a change of the machine's mood meets all of them.
cd "$tmp" || exit
python3 "$make_image" base base.tar || exit
layers=(base.tar)
most=0
for depth in ${DEPTHS:-1 5 10 30}; do
	((depth <= most)) || most=$depth
done
for ((n = 1; n < most; n++)); do
	mkdir -p "d$n/etc"
	echo "$n" >"d$n/etc/f$n"
	tar -C "d$n" --owner=0 --group=0 -cf "$n.tar" .
	layers+=("$n.tar")
done
for depth in ${DEPTHS:-1 5 10 30}; do
	python3 "$make_image" layout depths "n$depth" '{"Env":["PATH=/bin"]}' \
	    "${layers[@]:0:depth}" || exit
	"$mayfly" image pull "oci:depths:n$depth" "n$depth" >out 2>&1 ||
		{ tail -n 1 out; exit 1; }
done
for ((n = 0; n < rounds; n++)); do
	once host "$mayfly" run -- true
	for depth in ${DEPTHS:-1 5 10 30}; do
		once "n$depth" "$mayfly" run --image "n$depth" -- true
	done
done
echo "| a run | ms | of one on \`host\` |"
echo "| --- | --- | --- |"
row host 'on `host`' host
for depth in ${DEPTHS:-1 5 10 30}; do
	row "n$depth" "in an image of $depth layers" host
done
compare 'A run in an image' "$depth layers" "n$depth" 'image host' host

# An archive: what is taken in is on disk afterwards, with all others.
mkdir -p data/files
for ((n = 0; n < mb; n++)); do
	mkdir "data/files/$n"
	head -c 1M /dev/urandom | split -b 16K - "data/files/$n/"
done
tar -C data --owner=0 --group=0 -cf data.tar .
rm -r data
python3 "$make_image" layout one t '{}' base.tar data.tar
sync
for ((n = 0; n < times; n++)); do
	once import "$mayfly" image import data.tar data
	rm -rf "$MAYFLY_STATE_DIR"
	once pull-oci "$mayfly" image pull oci:one:t data
	rm -rf "$MAYFLY_STATE_DIR"
	once unpack sh -c 'umoci unpack "$@" --image one:t bundle &&
	    sync -f bundle' sh "${rootless[@]}"
	rm -rf bundle
done
echo
echo "| $mb MB | ms | of umoci unpack |"
echo "| --- | --- | --- |"
row unpack 'umoci unpack, and sync' unpack
row import 'mayfly image import' unpack
row pull-oci 'mayfly image pull oci:' unpack
compare "An image of $mb MB from a layout" mayfly pull-oci \
	'umoci unpack, and sync' unpack

there docker-registry && there skopeo || exit 0
port=$(python3 -c 'import socket; s = socket.socket()
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >registry.yml <<-END
	version: 0.1
	log: {level: error}
	storage: {filesystem: {rootdirectory: $tmp/registry}}
	http: {addr: "127.0.0.1:$port"}
END
docker-registry serve registry.yml >registry.log 2>&1 &
registry=$!
for ((n = 0; n < 100; n++)); do
	(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
	sleep 0.1
done
image=docker://localhost:$port/data:t
skopeo --insecure-policy copy -q --dest-tls-verify=false oci:one:t "$image" \
    >out 2>&1 || { tail -n 1 out; exit 1; }
others=()
there buildah && others+=(buildah)
there podman && others+=(podman)
for ((n = 0; n < times; n++)); do
	once pull "$mayfly" image pull --plain-http "$image" data
	rm -rf "$MAYFLY_STATE_DIR"
	once skopeo sh -c 'skopeo --insecure-policy copy -q \
	    --src-tls-verify=false "$1" oci:copy:t && shift &&
	    umoci unpack "$@" --image copy:t bundle && sync -f bundle' sh \
	    "$image" "${rootless[@]}"
	rm -rf copy bundle
	for other in "${others[@]}"; do
		once "$other" "$other" --root "$tmp/other" \
		    --runroot "$tmp/other-run" --storage-driver overlay \
		    pull -q --tls-verify=false "$image"
		rm -rf other other-run
	done
done
echo
echo "| a pull of $mb MB | ms | of skopeo and umoci |"
echo "| --- | --- | --- |"
row skopeo 'skopeo copy, umoci unpack, and sync' skopeo
row pull 'mayfly image pull' skopeo
compare "An image of $mb MB from a registry" mayfly pull 'skopeo and umoci' skopeo
for other in "${others[@]}"; do
	row "$other" "$other pull" skopeo
done
