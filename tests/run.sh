#!/bin/bash
#
# Runs the unit tests and every topic, and sums them up in one last line:
#
#	tests/run.sh [T=TOPIC]...	TOPIC: limits, attack, attack/a13_keyrings, unit
#
# A topic is a script that ends with t_done. It says in a comment
# `# as: root user subuid` as whom it is run when root runs the tests (root,
# when it says nothing); an ordinary user runs all of them as itself. Those with
# `# takes: long` are begun before the others.
#
# Environment: UNIT, paths of unit test programs; JOBS, topics at once; and
# what t.sh reads. Topics see only their own processes and mounts (t.sh), so
# that they can run side by side.

set -u

here=$(cd "$(dirname "$0")" && pwd)
# Many cases wait for a limit of time: there is room for more than one a CPU.
jobs=${JOBS:-$((2 * $(nproc)))}
work=$(mktemp -d "${TMPDIR:-/tmp}/mayfly-run.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
wanted=()

for argument; do
	case $argument in
	T=) ;;
	T=*) wanted+=("${argument#T=}") ;;
	*)
		echo "usage: run.sh [T=TOPIC]..." >&2
		exit 2
		;;
	esac
done

# Is the topic, or the folder it is in, asked for?
is_wanted()
{
	local one

	((${#wanted[@]} > 0)) || return 0
	for one in "${wanted[@]}"; do
		[[ $1 == "$one" || $1 == "$one"/* ]] && return
	done
	return 1
}

# The attack suite is one topic, unless one of its rows is asked for.
is_topic()
{
	case $2 in
	attack/run) is_wanted attack ;;
	attack/*)
		! is_wanted attack && is_wanted "$2" && grep -qx t_done "$1"
		;;
	*) is_wanted "$2" && grep -qx t_done "$1" ;;
	esac
}

# The jobs, one a line: number, how, path, name.
list_jobs()
{
	local path name as flavours number=0

	for path in ${UNIT:-}; do
		name=unit/$(basename "$path")
		is_wanted "$name" || continue
		echo "$((number += 1)) unit $path $name"
	done
	for path in "$here"/attack/*.sh "$here"/*.sh; do
		name=${path#"$here"/}
		name=${name%.sh}
		is_topic "$path" "$name" || continue
		flavours=$(sed -n 's/^# as: //p' "$path")
		[[ $name != attack/run ]] || flavours="root user subuid"
		flavours=${flavours:-root}
		((EUID == 0)) || flavours=${AS:-user}
		for as in $flavours; do
			[[ ${AS:-$as} == "$as" ]] || continue
			echo "$((number += 1)) $as $path $name"
		done
	done
}

# The jobs as they are begun: nothing that takes long is alone at the end.
begin_order()
{
	local line path rest=()

	for line in "${todo[@]}"; do
		read -r _ _ path _ <<<"$line"
		if grep -qx '# takes: long' "$path"; then
			echo "$line"
		else
			rest+=("$line")
		fi
	done
	((${#rest[@]} == 0)) || printf '%s\n' "${rest[@]}"
}

# Sets lease: a number that no job beside this one has.
take_lease()
{
	lease=0
	while [[ -n ${leases[lease]:-} ]] &&
	    kill -0 "${leases[lease]}" 2>/dev/null; do
		((lease += 1))
	done
}

# Runs one job into files of its own, so that output never mixes.
run_job()
{
	local number=$1 how=$2 path=$3 name=$4 code

	if [[ $how == unit ]]; then
		"$path" >"$work/$number.out" 2>&1 </dev/null
		code=$?
		if ! tail -n 1 "$work/$number.out" | grep -q ' skipped$'; then
			unit_line "$name" "$code" >>"$work/$number.out"
		fi
	else
		set -- bash "$path"
		[[ $name != attack/run ]] || set -- "$@" -a "$how"
		((${#wanted[@]} > 0)) || export ATTACK_WHOLE=1
		AS=$how T_UID=$((54321 + number)) T_LEASE=$lease "$@" \
		    >"$work/$number.out" 2>&1 </dev/null
		code=$?
	fi
	((code == 0)) || echo "$code" >"$work/$number.failed"
	: >"$work/$number.ready"
}

# A unit test program without a last line of its own counts as one case.
unit_line()
{
	if (($2 == 0)); then
		echo "ok - $1"
		echo "1 passed, 0 failed, 0 skipped"
	else
		echo "not ok - $1 ended with $2"
		echo "0 passed, 1 failed, 0 skipped"
	fi
}

# Adds a topic's last line to the sums; one without was broken off.
add_up()
{
	local last

	last=$(tail -n 1 "$1")
	if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skip ]]
	then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
		skipped=$((skipped + BASH_REMATCH[3]))
		((BASH_REMATCH[2] > 0)) && return
		[[ -e ${1%.out}.failed ]] || return 0
	fi
	echo "not ok - broken off"
	failed=$((failed + 1))
}

# Prints what is ready, in order.
report()
{
	local number how path name

	while ((reported < ${#todo[@]})); do
		read -r number how path name <<<"${todo[reported]}"
		[[ -e $work/$number.ready ]] || return
		echo "# $name ($how)"
		sed '/^[0-9]* passed, /d' "$work/$number.out"
		add_up "$work/$number.out"
		reported=$((reported + 1))
	done
}

passed=0 failed=0 skipped=0 reported=0 lease=0
leases=() # who has them
mapfile -t todo < <(list_jobs)
if ((${#todo[@]} == 0)); then
	echo "run.sh: there is no topic ${wanted[*]}" >&2
	exit 2
fi
mapfile -t begun < <(begin_order)
for line in "${begun[@]}"; do
	while (($(jobs -pr | wc -l) >= jobs)); do
		wait -n
		report
	done
	take_lease
	# shellcheck disable=SC2086
	run_job $line &
	leases[lease]=$!
done
while (($(jobs -pr | wc -l) > 0)); do
	wait -n
	report
done
wait
report
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
