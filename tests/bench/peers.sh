# shellcheck shell=bash
#
# The tools that bench.sh, which sources this, compares with: how each is made
# to show the same root as mayfly does and to run a command in it.
# shellcheck disable=SC2034,SC2154 # shared with bench.sh

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

# The root that all of them show: /usr, the links into it, some of /etc.

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

# peer_TOOL sets words to what runs "$@" in a sandbox of that tool.

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
