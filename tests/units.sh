#!/bin/bash
# The systemd units as they are installed: systemd has nothing to say about
# them, what a sandbox would inherit is off, and install and uninstall are each
# other's opposite. What they do when they run: tests/vm/activation.sh.
# as: root

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

[[ -n $(type -P make) ]] || t_give_up "there is no make"

# The unit files of the tree, and those of them that make sandboxes.
UNITS=("$T_TREE"/units/*.{service,slice,socket,timer})
SANDBOXES=(mayfly@.service mayfly-serve.service)

# make install or uninstall, below the directory `root`; what is built is not
# the matter.
make_root()
{
	make -s --no-print-directory -C "$T_TREE" -o all DESTDIR="$PWD/root" \
	    BUILD="$(dirname "$MAYFLY")" "$@" >made 2>&1 ||
	    fail "make $*: $(<made)"
}

list_files()
{
	(cd root && find . ! -type d | sort)
}

# The values of a setting in an installed unit, a line each.
settings()
{
	sed -n "s/^$2=//p" "$T_TREE/units/$1"
}

# systemd-analyze on what is installed. It wants the targets of a whole system.
analyze()
{
	local units=root/usr/lib/systemd/system dir

	for dir in /usr/lib/systemd/system /lib/systemd/system; do
		cp -n "$dir"/*.target "$units" 2>/dev/null && break
	done
	systemd-analyze --root="$PWD/root" "$@" >out 2>&1
	status=$?
}

has_analyze()
{
	require "there is no systemd-analyze" test -n "$(type -P systemd-analyze)"
}

if testcase "systemd-analyze verify has nothing to say about the units" &&
    has_analyze; then
	make_root install PREFIX=/usr
	for unit in "${UNITS[@]}"; do
		analyze verify --man=no "$(basename "$unit")"
		expect_status 0
		expect_no_out
	done
fi

# What is off is off for a reason, which stands in the unit; this is that it
# does not get worse. 0 to 100, less is better.
while read -r unit threshold; do
	if testcase "systemd-analyze security of $unit is $threshold or less" &&
	    has_analyze; then
		make_root install PREFIX=/usr
		analyze security --offline=true --no-pager \
		    --threshold="$threshold" "$unit"
		expect_status 0
	fi
done <<-'END'
	mayfly@.service 84
	mayfly-serve.service 80
	mayfly-reaper.service 14
END

# Each of these is inherited by the sandbox, refuses to build it, or costs each
# connection more than the sandbox: the reasons are in mayfly@.service.
OFF=(DynamicUser LockPersonality MemoryDenyWriteExecute PrivateDevices
    PrivateNetwork PrivateUsers ProcSubset ProtectClock ProtectControlGroups
    ProtectHostname ProtectKernelLogs ProtectKernelModules
    ProtectKernelTunables RestrictAddressFamilies RestrictNamespaces
    RestrictRealtime RestrictSUIDSGID RuntimeMaxSec SystemCallArchitectures
    SystemCallFilter User)

if testcase "what the sandbox would inherit is off, and its reason is there"
then
	for setting in "${OFF[@]}"; do
		check "mayfly@.service does not say why $setting is off" \
		    grep -qE "^#.*\b$setting=" "$T_TREE/units/mayfly@.service"
		for unit in "${SANDBOXES[@]}"; do
			check "$setting is on in $unit" \
			    test -z "$(settings "$unit" "$setting")"
		done
	done
	# A mount namespace is made for each start of a unit.
	for setting in PrivateTmp ProtectHome ProtectProc ProtectSystem \
	    ReadWritePaths InaccessiblePaths TemporaryFileSystem; do
		check "$setting is on in mayfly@.service" \
		    test -z "$(settings mayfly@.service "$setting")"
	done
fi

if testcase "no setting is given twice, but for lists"; then
	for unit in "${UNITS[@]}"; do
		sed -n 's/^\([A-Za-z]*\)=.*/\1/p' "$unit" | sort | uniq -d |
		    grep -vxE 'CapabilityBoundingSet|ListenStream|SystemCallFilter' \
			>out
		check "$(basename "$unit"): $(tr '\n' ' ' <out)" test ! -s out
	done
fi

if testcase "both units that make sandboxes have the same capabilities"; then
	for unit in "${SANDBOXES[@]}"; do
		settings "$unit" CapabilityBoundingSet | tr ' ' '\n' |
		    sort >"caps.$unit"
	done
	check "they differ" cmp caps.mayfly@.service caps.mayfly-serve.service
	sed 's/CAP_//' caps.mayfly@.service | while read -r name; do
		grep -qE "^#   [A-Z_ ]*\b$name\b" \
		    "$T_TREE/units/mayfly@.service" || echo "$name"
	done >out
	check "no reason is given for $(tr '\n' ' ' <out)" test ! -s out
fi

if testcase "the socket units cannot be turned off by connecting often"; then
	for unit in mayfly.socket mayfly-serve.socket; do
		check "$unit has a trigger limit" \
		    test "$(settings "$unit" TriggerLimitIntervalSec)" = 0
	done
	check "mayfly-serve.service has a start limit" \
	    test "$(settings mayfly-serve.service StartLimitIntervalSec)" = 0
	check "a failed connection is not collected" test \
	    "$(settings mayfly@.service CollectMode)" = inactive-or-failed
	check "PollLimit is not known to systemd 252" \
	    test -z "$(settings mayfly.socket 'PollLimit[A-Za-z]*')"
	check "too few connections" \
	    test "$(settings mayfly.socket MaxConnections)" -ge 1024
fi

if testcase "both socket units listen on the same, and only on this machine"
then
	for unit in mayfly.socket mayfly-serve.socket; do
		settings "$unit" ListenStream >"$unit"
		check "$unit: $(tr '\n' ' ' <"$unit")" \
		    diff "$unit" <(printf '%s\n' 127.0.0.1:8080 \
			/run/mayfly/api.sock)
		check "$unit: the mode is not 0660" \
		    test "$(settings "$unit" SocketMode)" = 0660
	done
fi

if testcase "only descriptor 0 is the client's connection"; then
	check "0" test "$(settings mayfly@.service StandardInput)" = socket
	check "1" test "$(settings mayfly@.service StandardOutput)" = journal
	check "2" test "$(settings mayfly@.service StandardError)" = journal
fi

if testcase "PREFIX is where the units look for the program"; then
	make_root install PREFIX=/opt/some
	grep -h '^ExecStart=' root/opt/some/lib/systemd/system/*.service |
	    sort >out
	check "$(<out)" diff out - <<-'END'
		ExecStart=/opt/some/bin/mayfly reap
		ExecStart=/opt/some/bin/mayfly serve --idle-exit 60
		ExecStart=/opt/some/libexec/mayfly-activator
	END
	check "@ is left" test -z "$(grep -rlE "@[A-Z]+@" root/opt/some/lib)"
	check "the activator is not the program" \
	    cmp root/opt/some/libexec/mayfly-activator "$MAYFLY"
fi

# Who runs from memory, as what is its caller's own does, finds it nowhere else.
if testcase "PREFIX is where the program looks, whatever make was told before" &&
    require "there is no compiler" test -n "$(type -P cc)"; then
	cp -r "$T_TREE"/{Makefile,exec,activator,rootfs} .
	for prefix in /opt/one /opt/two; do
		# As in `all`, where what all are compiled with comes first.
		make -s PREFIX=$prefix CFLAGS=-O0 build/flags \
		    build/rootfs/work.o >made 2>&1 ||
		    fail "make: $(<made)"
		check "it is not $prefix" grep -qa \
		    "$prefix/libexec/mayfly-rootfs" build/rootfs/work.o
	done
fi

if testcase "make uninstall removes what make install made, but for /etc"; then
	mkdir -p root/usr/bin root/usr/lib/systemd/system
	touch root/usr/bin/other root/usr/lib/systemd/system/other.service
	list_files >before
	make_root install PREFIX=/usr
	list_files >between
	check "nothing was installed" test "$(wc -l <between)" -gt 15
	make_root uninstall PREFIX=/usr
	list_files >after
	echo ./etc/mayfly/mayfly.conf | sort - before >want
	check "it differs: $(diff want after)" cmp want after
fi

# Holds a lock of the kind that leases are, on a file of its own open file
# description.
hold_lock()
{
	perl -e 'open F, "+<", shift or die;
	    fcntl F, 37, $lock = pack "ssx4qqix4", 1, 0, 0, 1, 0 or die;
	    open U, ">", "held"; sleep 60' "$1" &
	pid=$!
	await "the lock" test -e held
	rm -f held
}

if testcase "make uninstall leaves a file that is locked, and only that" &&
    require "no file system can be mounted" eval \
	'mkdir one two && mount -t tmpfs tmpfs one'; then
	mount -t tmpfs tmpfs two
	# As make made them: the same numbers in both.
	for dir in one two; do
		mkdir $dir/mayfly
		: >$dir/mayfly/ids
		: >$dir/mayfly/runs
		: >$dir/mayfly/pulls
	done
	check "the numbers differ" test "$(stat -c %i one/mayfly/ids)" = \
	    "$(stat -c %i two/mayfly/ids)"
	mount --bind one /run
	hold_lock two/mayfly/ids
	sh "$T_TREE/units/live.sh" uninstall >out 2>&1
	expect_no_out
	check "files stay: $(ls -A one)" test -z "$(ls -A one)"
	kill "$pid"
	wait "$pid"
	umount -l /run
	mount --bind two /run
	hold_lock /run/mayfly/ids
	sh "$T_TREE/units/live.sh" uninstall >out 2>&1
	expect_no_out
	check "what is left is $(ls two/mayfly)" \
	    test "$(ls two/mayfly)" = ids
	kill "$pid"
	wait "$pid"
	umount -l /run one two
fi

if testcase "every file is installed with the mode it should have"; then
	make_root install PREFIX=/usr
	find root/usr root/etc -type f ! -perm 0644 ! -name mayfly \
	    ! -name mayfly-rootfs >out
	expect_no_out
	check "the program" test "$(stat -c %a root/usr/bin/mayfly)" = 755
	check "the tool" test "$(stat -c %a \
	    root/usr/libexec/mayfly-rootfs)" = 755
	for page in "$T_TREE"/man/*.[1-8]; do
		check "$page" test -f "root/usr/share/man/man${page##*.}/$(
		    )$(basename "$page")"
	done
fi

if testcase "a configuration that is there stays as it is"; then
	mkdir -p root/etc/mayfly
	echo '# mine' >root/etc/mayfly/mayfly.conf
	make_root install PREFIX=/usr
	make_root uninstall PREFIX=/usr
	check "it was changed" \
	    test "$(<root/etc/mayfly/mayfly.conf)" = '# mine'
fi

# The keys of the program: those of the table, and two of each limit.
program_keys()
{
	local limits

	tr -s '\n\t ' ' ' <"$T_TREE/exec/config.c" | grep -oE '\{ "[a-z_]+", KIND_' |
	    cut -d '"' -f 2
	limits=$("$MAYFLY" run --help | awk '/^Limits/ { on = 1; next }
	    /^[A-Z]/ { on = 0 } on && /^  --/ { print substr($1, 3) }')
	printf 'default_%s\n' $limits
	printf 'max_%s\n' $limits
}

if testcase "the example of mayfly.conf has every key, and sets none"; then
	EXAMPLE=$T_TREE/units/mayfly.conf.example
	check "it sets something" test -z "$(grep -vE '^(#|$)' "$EXAMPLE")"
	sed -n 's/^#\([a-z_]*\) =.*/\1/p' "$EXAMPLE" | sort >example
	program_keys | sort >program
	check "it differs: $(diff example program | grep '^[<>]')" \
	    cmp example program
	# Default and maximum each alone: together they would correct each other.
	while read -r key _ value; do
		env "MAYFLY_${key^^}=$value" "$MAYFLY" run -- true \
		    </dev/null >out 2>err
		check "$key = $value is refused: $(<err)" test ! -s err
	done < <(sed -n 's/^#\([a-z_]* =.*\)/\1/p' "$EXAMPLE" |
	    grep -vE '^(state|run)_dir')
fi

if testcase "the defaults in the example are the program's"; then
	"$MAYFLY" run --help >help
	while read -r limit value; do
		check "$limit is not $value" grep -qE \
		    "^  --$limit .*\((default )?($value|none)\b" help
	done < <(sed -n 's/^#default_\([a-z_]*\) = /\1 /p' \
	    "$T_TREE/units/mayfly.conf.example" | grep -v ^image)
fi

if testcase "users and directories are made by systemd's own programs" &&
    require "there is no systemd-sysusers" \
	test -n "$(type -P systemd-sysusers)" &&
    require "there is no systemd-tmpfiles" \
	test -n "$(type -P systemd-tmpfiles)"; then
	make_root install PREFIX=/usr
	mkdir -p root/var/lib root/run
	: >root/etc/passwd
	printf 'root:x:0:\n' >root/etc/group
	printf 'root:x:0:0::/root:/bin/sh\n' >root/etc/passwd
	systemd-sysusers --root="$PWD/root" >out 2>&1 || fail "sysusers"
	systemd-tmpfiles --root="$PWD/root" --create mayfly.conf >out 2>&1 ||
	    fail "tmpfiles"
	check "no group mayfly" grep -q '^mayfly:' root/etc/group
	check "no user mayfly-front" \
	    grep -qE '^mayfly-front:.*:/run/mayfly/empty:.*nologin$' \
	    root/etc/passwd
	for want in '755 run/mayfly' '555 run/mayfly/empty' \
	    '700 var/lib/mayfly'; do
		check "$want" test "$want" = \
		    "$(cd root && stat -c '%a %n' "${want#* }")"
	done
fi

t_done
