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
# Sessions that are kept, so that looking at them does not take ever longer.
KEPT=4

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

# Of a session, how often it was changed: its variable, and a file in it.
numbers_of()
{
	mayfly session run "$1" -- sh -c 'echo "${N:-0}"
	    cat /root/n 2>/dev/null || echo 0' </dev/null | xargs
}

if testcase "after one reap nothing is there but what was or may have been"
then
	mayfly reap >out 2>err
	status=$?
	expect_status 0
	sessions >now
	awk '$1 != "gone" { print $2 }' /opt/expected | sort >known
	comm -23 now known >unknown
	# Each of them may have been making one.
	check "$(wc -l <unknown) are unknown" \
	    test "$(wc -l <unknown)" -le "$WORKERS"
	ls -A "$MAYFLY_STATE_DIR/sessions" 2>/dev/null | sort >there
	check "what is there is not listed: $(diff there now)" cmp -s there now
	find "$MAYFLY_STATE_DIR" -mindepth 1 -maxdepth 1 ! -name lost+found \
	    -printf '%f\n' | sort | xargs >top
	case $(<top) in
	'' | 'sessions trash' | 'images layers sessions trash') ;;
	*) fail "there is more: $(<top)" ;;
	esac
	check "trash is left: $(ls -A "$MAYFLY_STATE_DIR/trash" 2>&1)" \
	    test -z "$(ls -A "$MAYFLY_STATE_DIR/trash" 2>/dev/null)"
	lsattr -pd "$MAYFLY_STATE_DIR"/sessions/*/upper 2>/dev/null |
	    awk '{ print $1 }' | sort >projects
	"$PYTHON" "$T_TREE/tests/vm/quota.py" "$MAYFLY_STATE_DIR" used |
	    cut -d ' ' -f 1 | sort >used
	check "two are one project" test -z "$(uniq -d projects)"
	check "projects nobody has: $(comm -13 projects used | xargs)" \
	    test -z "$(comm -13 projects used)"
fi

# judge FATE ID LEAST MOST WRITTEN, of one that is there; the file is written
# after the variable.
judge()
{
	local fate=$1 id=$2 variable file

	[[ $fate != gone ]] || fail "$id is there again"
	if ! read -r variable file < <(numbers_of "$id") || [[ -z $file ]]; then
		fail "$id cannot be used"
		return
	fi
	((variable >= $3 && variable <= $4)) ||
	    fail "$id: the variable is $variable, not $3 to $4"
	((file >= $5 && file <= variable)) ||
	    fail "$id: the file is $file, not $5 to $variable"
	[[ ! -e $MAYFLY_STATE_DIR/sessions/$id/meta.new ]] ||
	    fail "$id holds what is half done"
	say have "$id" "$variable" "$file"
}

if testcase "what was acknowledged is so"; then
	declare -A known
	sessions >now
	while read -r fate id rest; do
		known[$id]="$fate $id $rest"
		[[ $fate != there ]] || grep -qx "$id" now ||
		    fail "$id is lost"
	done </opt/expected
	for id in $(<now); do
		# shellcheck disable=SC2086 # words
		judge ${known[$id]:-there $id 0 0 0}
	done
fi
t_end

remove()
{
	announce delete "$1"
	"$MAYFLY" session delete "$1" && say deleted "$1"
}

# One session after the other: made, changed, used, and mostly deleted.
work()
{
	local id n

	while :; do
		id=$("$MAYFLY" session create --ttl none) || continue
		say made "$id"
		for n in 1 2 3; do
			announce try "$id" "$n"
			"$MAYFLY" session env "$id" "N=$n" >/dev/null || break
			say set "$id" "$n"
			"$MAYFLY" session run "$id" -- sh -c 'cd /root
			    head -c 300000 /dev/urandom >f; mkdir -p d/e
			    echo "$N" >n.new && sync n.new && mv n.new n &&
			    sync .' </dev/null && say wrote "$id" "$n"
		done
		((RANDOM % 4 == 0)) || remove "$id"
	done
}

# So that what was deleted is being removed when the power goes.
tidy()
{
	local id

	for id in $(shuf "$T_ROOT/now" | tail -n "+$((KEPT + 1))"); do
		remove "$id"
	done
	while :; do
		"$MAYFLY" reap
		sleep 1
	done
}

if ((LAST == 0 && t_failed == 0)); then
	sessions >"$T_ROOT/now"
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
