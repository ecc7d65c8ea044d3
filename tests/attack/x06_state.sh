#!/bin/bash
# X6: what a command starts with, seen from inside and from outside: ids,
# capabilities, limits, signals, and a namespace of every kind.
# as: root user subuid
# shellcheck disable=SC2016 # what is in single quotes is for other shells

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=X6

# What every command starts with; the rest of its output is read from stdin.
expect_limits()
{
	expect_contained < <(
		echo "uid $INSIDE gid $INSIDE groups$1"
		echo "nofile 64 64"
		echo "raise nofile: EPERM"
		echo "fsize 10485760 10485760"
		echo "raise fsize: EPERM"
		echo "stack 8388608 8388608"
		echo "raise stack: EPERM"
		echo "core $CORE"
		echo "rtprio 0 0"
		echo "raise rtprio: EPERM"
		echo "nice 0 0"
		echo "raise nice: EPERM"
		echo "umask 22"
		cat
	)
}

# As whom it runs on the host: never root, and never the caller where the
# caller has a range.
expect_ids()
{
	local uids groups

	uids=$(status_of "$inside" Uid)
	groups=$(status_of "$inside" Groups)
	((${uids%%[[:space:]]*} != 0)) || fail "it is root on the host"
	if [[ $AS == root ]]; then
		((${uids%%[[:space:]]*} >= 65536)) || fail "uids: $uids"
		[[ -z ${groups// /} ]] || fail "groups: $groups"
	fi
	# Columns: first id inside, first id outside, how many.
	awk -v as="$AS" '$2 == 0 || (as == "root" && $3 != 65536) { exit 1 }' \
	    "/proc/$inside/uid_map" ||
	    fail "uid_map: $(cat "/proc/$inside/uid_map")"
}

for INSIDE in $ATTACK_UIDS; do
	bounding=0000000000000000

	((INSIDE != 0)) || bounding=00000000000000fb
	if attackcase "the host's name, segments and queues are out of reach"
	then
		shm=$(t_as ipcmk -M 4096 -p 0666 | grep -o '[0-9]*$')
		attack x06_state "$shm" /mayfly-attack
		expect_limits '' <<-END
			attach a host segment: EINVAL
			remove a host segment: EINVAL
			open a host queue: ENOENT
			nodename mayfly domain (none)
			sethostname: EPERM
		END
		check "the segment is still there" ipcrm -m "$shm"
	fi

	if attackcase "what a careless caller has set does not reach it"; then
		wrapper 'trap "" INT TERM HUP USR1; umask 0; ulimit -c 0 -S
		    nice -n -5 true 2>/dev/null
		    exec env --block-signal=USR2 "$MAYFLY" "$@"'
		MAYFLY=$wrap attack x06_state
		expect_limits '' </dev/null
	fi

	if attackcase "supplementary groups of the caller's give no rights" &&
	    needs_root; then
		mkdir -m 0755 tree
		echo secret >tree/secret
		chgrp 61111 tree/secret
		chmod 0640 tree/secret
		# Groups cannot be given up where there is one id for all: that
		# takes a privilege. They then are the caller's own rights.
		wrapper 'exec setpriv --groups 61111 "$MAYFLY" "$@"'
		if [[ $AS == root ]]; then
			MAYFLY=$wrap run --ro-bind "$PWD/tree:/mnt" \
			    --user "$INSIDE:$INSIDE" -- cat /mnt/secret
			expect_status 1
			expect_no_out
		fi
	fi

	if attackcase "every namespace is its own, and every right accounted for"
	then
		attack_held x06_state 0 /none hold
		for link in mnt pid net user ipc uts cgroup; do
			[[ $(readlink "/proc/$inside/ns/$link") != \
			    "$(readlink "/proc/self/ns/$link")" ]] ||
			    fail "the $link namespace is the host's"
		done
		for field in CapPrm CapEff CapBnd; do
			[[ $(status_of "$inside" "$field") == "$bounding" ]] ||
			    fail "$field: $(status_of "$inside" "$field")"
		done
		for field in CapInh CapAmb; do
			[[ $(status_of "$inside" "$field") == 0000000000000000 ]] ||
			    fail "$field: $(status_of "$inside" "$field")"
		done
		[[ $(status_of "$inside" Seccomp) == 2 ]] || fail "no filter"
		[[ $(status_of "$inside" NoNewPrivs) == 1 ]] ||
		    fail "new privileges can be had"
		[[ $(status_of "$inside" SigIgn) == 0000000000000000 ]] ||
		    fail "SigIgn: $(status_of "$inside" SigIgn)"
		expect_ids
		release
		expect_status 0
	fi
done
t_done
