#!/bin/bash
#
# Cuts the power of a machine that is at work, as often as it is told to (2), and
# sees what is there after the next boot. The guest is killed at any moment; its
# disk stays as it was then, with what it had in memory lost.
#
#	powercut.sh [CUTS]
#
# Sessions are made, changed, used, forked, taken snapshots of and deleted by
# several at once (cut.sh), who say on a serial line what mayfly has acknowledged. What was acknowledged is to
# be so after the cut, what was not may be so or not, and after one `mayfly reap`
# nothing else is to be there. The environment is that of guest.sh.

set -u

# shellcheck source=tests/vm/machine.sh
. "$(dirname "${BASH_SOURCE[0]}")/machine.sh"

STATE=$SCRATCH/state.ext4
SAID=$SCRATCH/said
LOAD=5 # seconds within which the power goes
# Nobody else is to be there, which makes a boot quicker.
VM_APPEND="${VM_APPEND:-} systemd.show_status=0"
VM_APPEND+=" systemd.unit=mayfly-tests.service"
VM_APPEND+=" systemd.mask=user@1000.service systemd.mask=user@1001.service"
PATIENCE=${VM_PATIENCE:-300}

# Of a session or a snapshot, which is the same: there, going or gone; from where
# to where its variable may have got, and its file at least.
declare -A fate least most written
acknowledged=0 replayed=0

# What the guest is to find, for cut.sh.
write_expected()
{
	local id

	for id in "${!fate[@]}"; do
		echo "${fate[$id]} $id ${least[$id]} ${most[$id]}" \
		    "${written[$id]}"
	done >"$SCRATCH/tree/expected"
	# What is gone cannot come back twice.
	for id in "${!fate[@]}"; do
		[[ ${fate[$id]} != gone ]] || unset "fate[$id]"
	done
}

# begins ID VARIABLE FILE
begins()
{
	fate[$1]=there least[$1]=$2 most[$1]=$2 written[$1]=$3
}

# What was not there when the guest began to work has gone.
forget()
{
	local id

	for id in "${!fate[@]}"; do
		[[ -n ${had[$id]:-} ]] || fate[$id]=gone
	done
}

# A line that the cut has cut is none.
take_said()
{
	local verb id number file
	local -A had

	while read -r verb id number file; do
		case $verb in
		have)
			begins "$id" "$number" "$file"
			had[$id]=1
			;;
		begin) forget ;;
		made) begins "$id" "$number" "$file" ;;
		try) most[$id]=$number ;;
		set) least[$id]=$number ;;
		wrote) written[$id]=$number ;;
		delete) fate[$id]=going ;;
		deleted) fate[$id]=gone ;;
		esac
		case $verb in
		made | set | wrote | deleted) ((acknowledged += 1)) ;;
		esac
	done < <(sed -n 's/\r\?$//; /^[a-z]* *[a-z0-9 ]*$/p' "$SAID")
}

judge()
{
	if (($1 == 0)); then
		((passed += 1))
	else
		echo "not ok - after $cut cuts: $2"
		((failed += 1))
	fi
}

# With the journal played and what was open removed, as the next boot will do
# it, there is nothing to mend.
check_disk()
{
	cp --sparse=always "$STATE" "$SCRATCH/copy"
	! dumpe2fs -h "$STATE" 2>&1 | grep -q needs_recovery ||
	    ((replayed += 1))
	e2fsck -p "$SCRATCH/copy" >"$SCRATCH/fsck" 2>&1
	(($? <= 1)) && e2fsck -f -n "$SCRATCH/copy" >>"$SCRATCH/fsck" 2>&1
	judge $? 'the file system is whole'
	((failed == 0)) || sed 's/^/\t/' "$SCRATCH/fsck"
}

# wait_for N PATTERN FILE: lines of what the guest says, as long as it lives.
wait_for()
{
	local began=$SECONDS n

	while :; do
		n=$(grep -c "^$2" "$3" 2>/dev/null)
		((n < $1)) || return 0
		kill -0 "$machine" 2>/dev/null || return
		((SECONDS - began < PATIENCE)) || return
		sleep 0.1
	done
}

start()
{
	write_expected
	echo "LAST=$1" >"$SCRATCH/tree/last"
	make_disk cut
	: >"$SAID"
	boot -drive "file=$STATE,if=virtio,format=raw,cache=writeback" \
	    -pidfile "$SCRATCH/pid" -serial "file:$SCRATCH/results" \
	    -serial "file:$SAID" </dev/null >/dev/null 2>&1 &
	machine=$!
}

stop()
{
	[[ ! -s $SCRATCH/pid ]] || kill -KILL "$(<"$SCRATCH/pid")" 2>/dev/null
	[[ -z $machine ]] || wait "$machine" 2>/dev/null
	rm -f "$SCRATCH/pid"
}

# What cut.sh found before it began anew.
check_found()
{
	[[ $(grep -c '^ok - ' "$SCRATCH/results") == 2 ]]
	judge $? 'all that was acknowledged is there, and nothing else'
	((failed == 0)) || tail -n 40 "$SCRATCH/results" | sed 's/^/\t/'
}

# One that has found something wrong does not begin.
one_cut()
{
	start 0
	if wait_for 1 begin "$SAID"; then
		wait_for 2 'ok - ' "$SCRATCH/results"
		sleep "$((RANDOM % LOAD)).$((RANDOM % 10))"
		cut=$((cut + 1))
	elif ! wait_for 1 end "$SAID"; then
		tail -n 20 "$SCRATCH/console" | cat -v
		die "the guest does not begin to work"
	fi
	stop
	check_found
	take_said
	check_disk
}

# What the specification names.
sum_up_case()
{
	if ((failed == 0)); then
		echo "ok - $1"
		((passed += 1))
	else
		echo "not ok - $1"
		((failed += 1))
	fi
}

cuts=${1:-2}
cut=0 machine=''
prepare_root
choose_accel
mkdir -p "$SCRATCH/tree"
truncate -s 512M "$STATE"
mke2fs -q -F -t ext4 -O quota,project -E quotatype=prjquota "$STATE" ||
    die "no disk for the state"
trap 'stop; rm -rf --one-file-system "$SCRATCH"' EXIT
while ((cut < cuts && failed == 0)); do
	one_cut
done
if ((failed == 0)); then
	start 1
	wait_for 1 end "$SAID" || die "the guest does not end"
	wait_for 2 'ok - ' "$SCRATCH/results"
	stop
	check_found
fi
echo "The power cut within $LOAD s of four workers' beginning:"
echo
echo '| cuts | acknowledged before them | journal replayed | lost or wrong |'
echo '|--:|--:|--:|--:|'
echo "| $cut | $acknowledged | $replayed | $failed |"
echo
sum_up_case "no acknowledged session is lost when the power is cut"
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
