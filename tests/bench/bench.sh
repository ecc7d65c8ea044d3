#!/bin/bash
#
# What a sandbox costs, beside other sandboxes and beside none at all.
#
#	bench.sh [true] [echo] [python] [rate] [memory]		all by default
#
# ROUNDS (200)		runs of each command by each tool
# SECONDS_EACH (1)	per tool and number at once, for runs per second
# MAYFLY		builds to compare: "PATH" or "LABEL=PATH LABEL=PATH ..."
# PEERS			which tools to compare with
#
# No figure makes it fail: they depend on the machine.
# shellcheck disable=SC2016 # the backquotes are markdown
set -u

here=$(cd "$(dirname "$0")" && pwd)
rounds=${ROUNDS:-200}
seconds_each=${SECONDS_EACH:-1}
peers_wanted=${PEERS-bwrap bwrap-usr isolate minijail0 nsjail crun \
	crun-nocgroup runc}
uid=$(id -u)
mayflies=() peers=() absent=() entries=() words=() links=() binds=()
declare -A tool=()

# Where commands are looked for, here and inside: not where a user's own are.
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# What they do less, or otherwise, than mayfly.
declare -A about=(
	[bwrap]='no seccomp filter, no limits; it ends without waiting for its
child, whose CPU time and memory are not in its row'
	[bwrap-usr]='the same, but shows only /usr: what it gains without /etc'
	[isolate]='init, run and cleanup together; limits without a cgroup; no
user namespace, and /dev is that of the host'
	[minijail0]='no seccomp filter, no limits'
	[nsjail]='rlimits; no seccomp filter'
	[crun]='its cgroups without limits; no seccomp filter, no masks on /proc'
	[crun-nocgroup]='the same with --cgroup-manager=disabled'
	[runc]='its cgroups without limits; no seccomp filter, no masks on /proc'
)

tmp=$(mktemp -d) || exit 1
holder=
cleanup() {
	local box

	[ -z "$holder" ] || kill "$holder"
	for box in ${tool[isolate]+990 991 992 993 994 995 996 997}; do
		"${tool[isolate]}" --box-id="$box" --cleanup
	done >/dev/null 2>&1
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# --- the root that all of them show: /usr, the links into it, some of /etc ---

# What mayfly shows of /etc is asked of it; the list is for when it cannot say.
root_plan() {
	local dir item
	local -a inside=()

	binds=(/usr)
	for dir in bin lib lib32 lib64 libx32 sbin; do
		if [ -L "/$dir" ]; then
			links+=("$(readlink "/$dir"):/$dir")
		elif [ -d "/$dir" ]; then
			binds+=("/$dir")
		fi
	done
	[ ${#mayflies[@]} = 0 ] || mapfile -t inside < <(
		"${mayflies[0]#*=}" run -- sed -n \
			's,^\([^ ]* \)\{4\}/etc/\([^ ]*\) .*,\2,p' \
			/proc/self/mountinfo </dev/null 2>/dev/null
	)
	[ ${#inside[@]} -gt 0 ] || inside=(alternatives ca-certificates
		ld.so.cache localtime protocols services ssl/certs)
	for item in "${inside[@]}"; do
		[ ! -e "/etc/$item" ] || binds+=("/etc/$item")
	done
}

# For tools that want a directory to mount things on.
root_make() {
	local bind link

	# Users that exist only in a user namespace pass through.
	chmod 755 "$tmp"
	mkdir -p "$tmp"/root/{dev,etc,proc,tmp}
	for bind in "${binds[@]}"; do
		mkdir -p "$tmp/root$(dirname "$bind")"
		if [ -d "$bind" ]; then
			mkdir "$tmp/root$bind"
		else
			: >"$tmp/root$bind"
		fi
	done
	for link in "${links[@]}"; do
		ln -s "${link%%:*}" "$tmp/root${link#*:}"
	done
}

oci_config() {
	local bind caps='"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_SETUID"' args
	local ids='[{"containerID": 0, "hostID": 100000, "size": 65536}]'

	args=$(printf ', "%s"' "$@")
	cat <<-EOF
	{"ociVersion": "1.0.2", "root": {"path": "$tmp/root", "readonly": true},
	"process": {"args": [${args#, }], "env": ["PATH=$path"], "cwd": "/",
		"user": {"uid": 0, "gid": 0}, "noNewPrivileges": true,
		"capabilities": {"bounding": [$caps], "permitted": [$caps],
			"effective": [$caps]},
		"rlimits": [{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 64}]},
	"linux": {"uidMappings": $ids, "gidMappings": $ids, "namespaces": [
		{"type": "user"}, {"type": "mount"}, {"type": "pid"},
		{"type": "network"}, {"type": "ipc"}, {"type": "uts"},
		{"type": "cgroup"}]},
	"mounts": [
	EOF
	for bind in "${binds[@]}"; do
		printf '{"destination": "%s", "source": "%s", "type": "bind",
			"options": ["bind", "ro", "nosuid", "nodev"]},\n' \
			"$bind" "$(realpath "$bind")"
	done
	cat <<-EOF
	{"destination": "/proc", "source": "proc", "type": "proc"},
	{"destination": "/dev", "source": "tmpfs", "type": "tmpfs",
		"options": ["nosuid", "mode=755"]},
	{"destination": "/dev/pts", "source": "devpts", "type": "devpts",
		"options": ["newinstance", "ptmxmode=0666"]},
	{"destination": "/tmp", "source": "tmpfs", "type": "tmpfs",
		"options": ["nosuid", "nodev", "size=65536k"]}]}
	EOF
}

# --- peer_TOOL sets words to what runs "$@" in a sandbox of that tool ---

peer_bwrap() {
	local bind link

	words=("${tool[bwrap]}" --unshare-all --die-with-parent)
	for bind in "${binds[@]}"; do
		words+=(--ro-bind "$bind" "$bind")
	done
	for link in "${links[@]}"; do
		words+=(--symlink "${link%%:*}" "${link#*:}")
	done
	words+=(--proc /proc --dev /dev --tmpfs /tmp -- "$@")
}

peer_bwrap-usr() {
	local -a binds=(/usr)

	peer_bwrap "$@"
}

# It shows /bin, /lib, /lib64 and /usr by itself, and takes no single files.
peer_isolate() {
	local bind box=("${tool[isolate]}" --box-id=99%w)

	words=("${box[@]}" --init ';' "${box[@]}" --silent --processes=64
		--time=5 --wall-time=30 --fsize=10240)
	for bind in "${binds[@]}"; do
		[[ ! -d $bind || $bind != /etc/* ]] || words+=(--dir="$bind")
	done
	words+=(--run -- "$@" ';' "${box[@]}" --cleanup)
}

peer_minijail0() {
	local bind ids='0 100000 65536'

	words=("${tool[minijail0]}" -n -U -m"$ids" -M"$ids" -v -p -l -N -e --uts
		-T static -P "$tmp/root" -t '-kproc,/proc,proc,0xe'
		'-ktmpfs,/dev,tmpfs,0x2,mode=755')
	for bind in "${binds[@]}"; do
		words+=(-b "$bind,$bind,0")
	done
	for bind in /dev/{null,zero,full,random,urandom}; do
		words+=(-b "$bind,$bind,1")
	done
	words+=(-- "$@")
}

peer_nsjail() {
	local bind link

	words=("${tool[nsjail]}" -Mo -Q -T /tmp)
	[ "$uid" != 0 ] || words+=(-u 0:100000:65536 -g 0:100000:65536)
	for bind in "${binds[@]}"; do
		words+=(-R "$bind")
	done
	for link in "${links[@]}"; do
		words+=(-s "$link")
	done
	for bind in /dev/{null,zero,full,random,urandom}; do
		words+=(-B "$bind")
	done
	words+=(-- "$@")
}

# The same for crun and runc, with the command in a bundle of its own.
oci_words() {
	local bundle

	bundle=$tmp/oci-$(cksum <<<"$*" | cut -d' ' -f1)
	mkdir -p "$bundle"
	oci_config "$@" >"$bundle/config.json"
	words+=(--root "$tmp/state" run --bundle "$bundle" "bench-$$-%w")
}

# crun does not start where cgroup v1 and a unified tree are both mounted.
peer_crun() {
	words=()
	if [ -z "$holder" ] && [ -d /sys/fs/cgroup/unified ]; then
		coproc unshare --mount --propagation private sh -c \
			'umount /sys/fs/cgroup/unified; echo; exec sleep 3600'
		read -r _ <&"${COPROC[0]}" && holder=$COPROC_PID
		about[crun]+='; run in a
mount namespace without /sys/fs/cgroup/unified, which it refuses'
	fi
	[ -z "$holder" ] || words=("@/proc/$holder/ns/mnt")
	words+=("${tool[crun]}" ${crun_option+"$crun_option"})
	oci_words "$@"
}

peer_crun-nocgroup() {
	local crun_option=--cgroup-manager=disabled

	peer_crun "$@"
}

peer_runc() {
	words=("${tool[runc]}")
	oci_words "$@"
}

# --- what is there, and works ---

# Calls $1 for each command of the entry that follows.
entry_each() {
	local call=$1 word
	local -a enter=() command=()

	shift
	if [[ $1 == @* ]]; then
		enter=(nsenter --mount="${1#@}")
		shift
	fi
	for word in "$@" ';'; do
		if [ "$word" != ';' ]; then
			command+=("${word//%w/0}")
			continue
		fi
		"$call" "${enter[@]}" "${command[@]}" </dev/null || return
		command=()
	done
}

command_try() {
	timeout 10 "$@"
}

# Succeeds if what the entry should print comes out; else $tmp/why says why.
entry_works() {
	local said

	said=$(entry_each command_try "$@" 2>"$tmp/err")
	[[ $said != *hello* ]] || return 0
	head -n 1 "$tmp/err" | grep . >"$tmp/why" ||
		echo "it printed '$said'" >"$tmp/why"
	return 1
}

mayflies_choose() {
	local build label file

	for build in ${MAYFLY:-$here/../../build/mayfly}; do
		file=${build#*=}
		label=mayfly
		[[ $build != *=* ]] || label=mayfly-${build%%=*}
		if [ ! -x "$file" ]; then
			absent+=("$label: not there; run make")
		elif ! entry_works "$file" run -- echo hello; then
			absent+=("$label: fails here: $(<"$tmp/why")")
		else
			mayflies+=("$label=$(realpath "$file")")
		fi
	done
}

peers_choose() {
	local peer name

	for peer in $peers_wanted; do
		name=${peer%%-*}
		if ! type -P "$name" >/dev/null; then
			absent+=("$peer: not installed")
		elif [[ $uid != 0 && $peer =~ ^(crun|runc|minijail0) ]]; then
			absent+=("$peer: compared as root only")
		else
			tool[$name]=$(type -P "$name")
			"peer_$peer" "$(PATH=$path type -P echo)" hello
			if entry_works "${words[@]}"; then
				peers+=("$peer")
			else
				absent+=("$peer: fails here: $(<"$tmp/why")")
			fi
		fi
	done
}

# --- figures: lines of key=value pairs, from which the tables are made ---

# Sets entries to the command "$@" on the floor and in every sandbox.
entries_make() {
	local build peer

	entries=(floor: "$@")
	for build in "${mayflies[@]}"; do
		entries+=("${build%%=*}:" "${build#*=}" run -- "$@")
	done
	for peer in "${peers[@]}"; do
		"peer_$peer" "$@"
		entries+=("$peer:" "${words[@]}")
	done
}

# bench NAME OPTION...
bench() {
	env -i PATH="$path" HOME=/nonexistent \
		XDG_STATE_HOME="${XDG_STATE_HOME:-${HOME:-/root}/.local/state}" \
		${XDG_RUNTIME_DIR+XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR"} \
		"$tmp/bench" "${@:2}" -r bwrap -- "${entries[@]}" |
		sed "s|^[a-z]*|& program=$1|" | tee -a "$tmp/figures"
}

# v[KEY] is the value.
fields='{
	delete v
	for (i = 2; i <= NF; i++) {
		at = index($i, "=")
		v[substr($i, 1, at - 1)] = substr($i, at + 1)
	}
}
function shown(key, form) {
	return key in v ? sprintf(form, v[key]) : ""
}'

# latency NAME COMMAND...
latency() {
	local -a command=("${@:2}")

	command[0]=$(PATH=$path type -P "$2") || return
	entries_make "${command[@]}"
	printf '\n| `%s`, us | median | p10 | p99 |' "${command[*]}"
	echo ' overhead | / bwrap | CPU | peak RSS, KB |'
	echo '| --- | --: | --: | --: | --: | --: | --: | --: |'
	bench "$1" -n "$rounds" | awk "$fields"'
	sub(/.* failed=/, "") { print "| " v["label"] " | failed: " $0 " |" }
	!("failed" in v) {
		print "| " v["label"] " | " shown("median_us", "%.0f") " | " \
			shown("p10_us", "%.0f") " | " \
			shown("p99_us", "%.0f") " | " \
			shown("overhead_us", "%.0f") " | " \
			shown("ratio", "%.2f") " | " \
			v["cpu_us"] " | " v["maxrss_kb"] " |"
	}'
}

rate() {
	local jobs

	entries_make /bin/true
	printf '\n| `/bin/true`, runs per second (/ bwrap) |'
	echo ' 1 at once | 2 | 4 | 8 |'
	echo '| --- | --: | --: | --: | --: |'
	for jobs in 1 2 4 8; do
		bench true -s "$seconds_each" -j $jobs
	done | awk "$fields"'
	!(v["label"] in row) { order[++n] = v["label"] }
	{
		row[v["label"]] = row[v["label"]] " | " \
			("failed" in v ? "failed" : shown("runs_per_s", "%.0f") \
			shown("ratio", " (%.2f)"))
	}
	END {
		for (i = 1; i <= n; i++)
			print "| " order[i] row[order[i]] " |"
	}'
}

process_tree() {
	local child

	echo "$1"
	# shellcheck disable=SC2013 # words are what is wanted
	for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do
		process_tree "$child"
	done
}

# Looks at a sandbox while its command sleeps. Sets label's row.
command_hold() {
	local peak own=- tree=0 count=0 kb pid

	if [[ $* == *--init || $* == *--cleanup ]]; then
		"$@" >/dev/null 2>&1
		return
	fi
	"$@" >/dev/null 2>&1 &
	sleep 0.7
	peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$!/status")
	for pid in $(process_tree $!); do
		kb=$(awk '/^Private_[CD]/ { n += $2 } END { print n + 0 }' \
			"/proc/$pid/smaps_rollup" 2>/dev/null)
		[ "$pid" != $! ] || own=$kb
		tree=$((tree + kb))
		count=$((count + 1))
	done
	wait $!
	printf '| %s | %s | %s | %s | %s |\n' "$label" "$peak" "$own" $tree $count
	echo "memory label=$label peak_kb=$peak private_kb=$own" \
		"tree_private_kb=$tree processes=$count" >>"$tmp/figures"
}

memory() {
	local build peer label=floor

	set -- "$(PATH=$path type -P sleep)" 1
	printf '\n| while `sleep` runs, KB | supervisor, peak RSS | private |'
	echo ' whole tree, private | processes |'
	echo '| --- | --: | --: | --: | --: |'
	entry_each command_hold "$@"
	for build in "${mayflies[@]}"; do
		label=${build%%=*}
		entry_each command_hold "${build#*=}" run -- "$@"
	done
	for peer in "${peers[@]}"; do
		label=$peer
		"peer_$peer" "$@"
		entry_each command_hold "${words[@]}"
	done
}

# --- the report ---

heading() {
	echo "$(uname -sr), $(sed -n 's/^PRETTY_NAME=//p' /etc/os-release)," \
		"$(nproc) x $(sed -n '/^model name/{s/.*: //p;q}' /proc/cpuinfo)," \
		"uid $uid, $rounds rounds, load $(cut -d' ' -f1 /proc/loadavg)"
}

notes() {
	local peer line

	cat <<-EOF

	Overhead is the median less that of the floor, posix_spawn of the same
	program; / bwrap compares overheads. CPU is the median of user and
	system time. Peak RSS is the largest resident set of one process, the
	tool or what it waited for (ru_maxrss): no sum, no kernel memory, and
	never below the 700 KB or so of the program that measures. What is
	private is mapped by one process only. Versions and differences:
	EOF
	for peer in "${peers[@]}"; do
		line=$("${tool[${peer%%-*}]}" --version 2>/dev/null |
			grep -m 1 '[0-9]\.[0-9]')
		echo "- $peer${line:+ ($line)}: ${about[$peer]//$'\n'/ }"
	done
	[ ${#absent[@]} = 0 ] || printf -- '- %s\n' "${absent[@]}"
	echo "- shown read-only: ${binds[*]}"
}

# target LABEL MODE KEY PEER at-most|at-least LIMIT
target() {
	awk -v mine="$1" -v theirs="$4" -v mode="$2" -v key="$3" -v how="$5" \
		-v limit="$6" "$fields"'
	$1 == mode && v["program"] == "true" && key in v &&
	(mode == "latency" || v["at_once"] == 4) { got[v["label"]] = v[key] }
	END {
		printf "target: %s of %s %s %s of %s: ", key, mine, how, limit, theirs
		if (!(mine in got) || !(theirs in got)) {
			print "not measured"
			exit
		}
		r = got[mine] / got[theirs]
		met = how == "at-most" ? r <= limit : r >= limit
		printf "%.2f, %s\n", r, met ? "reached" : "not reached"
	}' "$tmp/figures"
}

"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O2 -static -o "$tmp/bench" \
	"$here/bench.c" || exit 1
mayflies_choose
root_plan
root_make
peers_choose
heading
[ $# -gt 0 ] || set -- true echo python rate memory
for section in "$@"; do
	case $section in
	true) latency true /bin/true ;;
	echo) latency echo echo hello ;;
	python) latency python python3 -c pass ;;
	rate | memory) "$section" ;;
	*)
		echo "bench.sh: no section '$section'" >&2
		exit 64
		;;
	esac
done
notes
echo
for build in "${mayflies[@]:-mayfly=}"; do
	target "${build%%=*}" latency overhead_us bwrap at-most 0.55
	target "${build%%=*}" latency overhead_us isolate at-most 0.35
	target "${build%%=*}" throughput runs_per_s bwrap at-least 1.5
done
echo
cat "$tmp/figures"
