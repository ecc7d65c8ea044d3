#!/bin/bash
# What is there after the power was cut, and work until it is cut again: the
# guest's part of powercut.sh.
# in: asked
# shellcheck disable=SC2016 # programs in single quotes are for inside

export T_ENTERED=1
# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"

[[ -e /opt/expected && -b /dev/vdc ]] ||
    t_give_up "this is for a machine of its own: use powercut.sh"

export MAYFLY_STATE_DIR=/var/lib/mayfly
WORKERS=4
# Sessions that are kept, so that looking at them does not take ever longer; and
# as many snapshots.
KEPT=4
FORKS=2
CHANGES=3
OWN='lost\+found|images|layers|sessions|snapshots|trash|tree'

# shellcheck source=/dev/null
. /opt/last
mkdir -p "$MAYFLY_STATE_DIR"
mount -o prjquota /dev/vdc "$MAYFLY_STATE_DIR" ||
    t_give_up "the disk cannot be mounted"
chmod 0700 "$MAYFLY_STATE_DIR"
stty -F /dev/ttyS2 raw -echo
exec 7>/dev/ttyS2

say()
{
	echo "$*" >&7
}

# What is about to be done, said before it is: until it has left the machine.
announce()
{
	say "$@"
	stty -F /dev/ttyS2 raw -echo
}

sessions()
{
	mayfly session list --json | jq -r '.[].id' | sort
}

snapshots()
{
	mayfly snapshot list --json | jq -r '.[].snapshot_id' | sort
}

# Of a session, how often it was changed: its variable, and a file in it.
numbers_of()
{
	mayfly session run "$1" -- sh -c 'echo "${N:-0}"
	    cat /root/n 2>/dev/null || echo 0' </dev/null | xargs
}

# look_at KIND MOST: what is there is listed, and all but MOST of it is known.
look_at()
{
	"$1" >"$1.now"
	comm -23 "$1.now" known >unknown
	check "$(wc -l <unknown) $1 are unknown" \
	    test "$(wc -l <unknown)" -le "$2"
	ls -A "$MAYFLY_STATE_DIR/$1" 2>/dev/null | sort >there
	check "$1: what is there is not listed: $(diff there "$1.now")" \
	    cmp -s there "$1.now"
}

if testcase "after one reap nothing is there but what was or may have been"
then
	mayfly reap >out 2>err
	status=$?
	expect_status 0
	awk '$1 != "gone" { print $2 }' /opt/expected | sort >known
	# Each of them may have been making as many.
	look_at sessions $((WORKERS * FORKS))
	look_at snapshots "$WORKERS"
	find "$MAYFLY_STATE_DIR" -mindepth 1 -maxdepth 1 -printf '%f\n' |
	    grep -vxE "$OWN" >extra
	check "there is more: $(xargs <extra)" test ! -s extra
	cat "$MAYFLY_STATE_DIR"/{sessions,snapshots}/*/image 2>/dev/null |
	    grep -aoE '\<id/[a-z0-9]{26}' | cut -d / -f 2 | sort -u >named
	ls -A "$MAYFLY_STATE_DIR/layers/id" 2>/dev/null | sort >layers
	check "layers are not those that are named: $(diff layers named)" \
	    cmp -s layers named
	check "trash is left: $(ls -A "$MAYFLY_STATE_DIR/trash" 2>&1)" \
	    test -z "$(ls -A "$MAYFLY_STATE_DIR/trash" 2>/dev/null)"
	lsattr -pd "$MAYFLY_STATE_DIR"/sessions/*/upper \
	    "$MAYFLY_STATE_DIR"/layers/id/* 2>/dev/null |
	    awk '{ print $1 }' | sort >projects
	"$PYTHON" "$T_TREE/tests/vm/quota.py" "$MAYFLY_STATE_DIR" used |
	    cut -d ' ' -f 1 | sort >used
	check "two are one project" test -z "$(uniq -d projects)"
	check "projects nobody has: $(comm -13 projects used | xargs)" \
	    test -z "$(comm -13 projects used)"
fi

# judge RUN FATE ID LEAST MOST WRITTEN, of one that is there, in which RUN runs;
# the file is written after the variable.
judge()
{
	local run=$1 fate=$2 id=$3 variable file

	shift
	[[ $fate != gone ]] || fail "$id is there again"
	if ! read -r variable file < <(numbers_of "$run") || [[ -z $file ]]; then
		fail "$id cannot be used"
		return
	fi
	((variable >= $3 && variable <= $4)) ||
	    fail "$id: the variable is $variable, not $3 to $4"
	((file >= $5 && file <= variable)) ||
	    fail "$id: the file is $file, not $5 to $variable"
	say have "$id" "$variable" "$file"
}

if testcase "what was acknowledged is so"; then
	declare -A known
	sessions >now
	snapshots >taken
	while read -r fate id rest; do
		known[$id]="$fate $id $rest"
		[[ $fate != there ]] || grep -qx "$id" now taken ||
		    fail "$id is lost"
	done </opt/expected
	# One that is not known may be a fork.
	for id in $(<now); do
		# shellcheck disable=SC2086 # words
		judge "$id" ${known[$id]:-there $id 0 $CHANGES 0}
	done
	for id in $(<taken); do
		run=$("$MAYFLY" session create --snapshot "$id")
		# shellcheck disable=SC2086 # words
		judge "$run" ${known[$id]:-there $id 0 $CHANGES 0}
		"$MAYFLY" session delete "$run"
	done
	find "$MAYFLY_STATE_DIR" \( -name upper -o -path "*/layers/id" \) \
	    -prune -o -name "*.new" -print >half
	check "there is what is half done: $(head -n 3 half)" test ! -s half
fi
t_end

# remove KIND ID
remove()
{
	announce delete "$2"
	"$MAYFLY" "$1" delete "$2" && say deleted "$2"
}

# copy ID N: a snapshot or forks of one that is at its Nth change.
copy()
{
	local made one kind=session

	if ((RANDOM % 3 == 0)); then
		made=$("$MAYFLY" session fork "$1" "$FORKS") || return
	else
		made=$("$MAYFLY" session snapshot "$1") || return
		kind=snapshot
	fi
	for one in $made; do
		say made "$one" "$2" "$2"
	done
	for one in $made; do
		((RANDOM % 4 == 0)) || remove "$kind" "$one"
	done
}

# One session after the other: made, changed, used, copied, and mostly deleted.
work()
{
	local id n

	while :; do
		id=$("$MAYFLY" session create --ttl none) || continue
		say made "$id" 0 0
		for ((n = 1; n <= CHANGES; n++)); do
			announce try "$id" "$n"
			"$MAYFLY" session env "$id" "N=$n" >/dev/null || break
			say set "$id" "$n"
			"$MAYFLY" session run "$id" -- sh -c 'cd /root
			    head -c 300000 /dev/urandom >f; mkdir -p d/e
			    echo "$N" >n.new && sync n.new && mv n.new n &&
			    sync .' </dev/null || continue
			say wrote "$id" "$n"
			((RANDOM % 2 == 0)) || copy "$id" "$n"
		done
		((RANDOM % 4 == 0)) || remove session "$id"
	done
}

# So that what was deleted is being removed when the power goes.
tidy()
{
	local id

	for id in $(shuf "$T_ROOT/now" | tail -n "+$((KEPT + 1))"); do
		remove session "$id"
	done
	for id in $(shuf "$T_ROOT/taken" | tail -n "+$((KEPT + 1))"); do
		remove snapshot "$id"
	done
	while :; do
		"$MAYFLY" reap
		sleep 1
	done
}

if ((LAST == 0 && t_failed == 0)); then
	sessions >"$T_ROOT/now"
	snapshots >"$T_ROOT/taken"
	say begin
	tidy >/dev/null &
	for ((i = 0; i < WORKERS; i++)); do
		work &
	done
	wait
fi
umount "$MAYFLY_STATE_DIR"
say end
t_done
