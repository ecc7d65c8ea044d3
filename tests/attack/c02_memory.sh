#!/bin/bash
# C2: memory by every way to it: of processes, of files that no process maps,
# of segments, pipes and page tables.
# as: root user subuid
# shellcheck disable=SC2016 # what is in single quotes is for other shells

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=C2

MEM=98304 # KB
DISK=32768
ASK=400 # MB, four times the limit
# The rest of the machine is at work meanwhile.
NOISE=${ATTACK_NOISE:-131072}

available()
{
	sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

# The least that was available while the case ran, every 20 ms.
watch_memory()
{
	local least now

	least=$(available)
	echo "$least" >least
	while sleep 0.02; do
		now=$(available)
		((now >= least)) || {
			least=$now
			echo "$least" >least
		}
	done
}

# It either was ended for it, or was refused before it had more than the limit
# and said so itself.
expect_held()
{
	local had limit=$1

	has_cgroup || limit=$((limit * 3 / 2)) # between two looks
	if [[ $status == 124 ]]; then
		expect_err_has memory
		return
	fi
	expect_status 0
	read -r had _ <out
	((had <= limit / 1024)) || fail "it had $had MB of $((limit / 1024))"
}

# Without a cgroup memory is looked at from time to time, and sixty processes on
# all CPUs fill a lot of it between two looks.
most_lost()
{
	run --json --mem "$MEM" -- true
	if [[ $(jq -r .enforced.mem out) == cgroup ]]; then
		echo $((MEM + MEM / 20 + NOISE))
	else
		echo $((MEM * 3 + NOISE))
	fi
}

# Runs the attack; sets lost, what the host had less of meanwhile, in KB.
lost_by()
{
	local before watcher

	before=$(available)
	watch_memory &
	watcher=$!
	attack c02_memory "$1" "$ASK" 3
	kill "$watcher"
	wait "$watcher" 2>/dev/null
	lost=$((before - $(<least)))
}

# Where nothing else of the suite runs at the same time. Somebody else may have
# taken memory meanwhile, but hardly twice.
take()
{
	local most lost

	if [[ -z ${ATTACK_ALONE:-} ]]; then
		attack c02_memory "$1" "$ASK"
		return
	fi
	most=$(most_lost)
	lost_by "$1"
	((lost <= most)) || lost_by "$1"
	((lost <= most)) || fail "the host lost $lost KB, more than $most"
}

for INSIDE in $ATTACK_UIDS; do
	for way in anon memfd segment pipes sockets tables shares; do
		case $way in
		memfd | segment | sockets) has_cgroup || continue ;;
		esac
		if attackcase "'$way' gets no more than the memory limit"; then
			OPTIONS=(--mem "$MEM" --nofile 1024 --wall 20000)
			take "$way"
			expect_held "$MEM"
		fi
	done

	for way in tmp devshm run home; do
		if attackcase "files in '$way' get no more than the disk limit"
		then
			OPTIONS=(--mem "$MEM" --disk "$DISK" --nofile 1024)
			attack c02_memory "$way" "$ASK"
			expect_status 0
			expect_out_has '^[0-9]+ MB: ENOSPC$'
			expect_held "$DISK"
		fi
	done

	if attackcase "empty files are bounded as well"; then
		OPTIONS=(--disk 4096)
		run --user "$INSIDE:$INSIDE" "${OPTIONS[@]}" -- sh -c \
		    'cd /tmp; i=0; while : >f$i; do i=$((i+1)); done; echo $i' \
		    2>/dev/null
		expect_err_has 'No space left|nonexistent'
		check "fewer than 2000 were made" awk '$1 >= 2000 { exit 1 }' out
	fi
done
t_done
