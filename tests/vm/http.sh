#!/bin/bash
# Everything that the server promises over HTTP, of connections that systemd
# accepts: the cases of `mayfly serve`, with each pair of units instead.
# in: alone

# systemd has to know the processes by their numbers.
export T_ENTERED=1
# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"
# shellcheck source=tests/vm/installed.sh
. "$(dirname "$0")/installed.sh"

[[ $EUID == 0 && -d /run/systemd/system ]] ||
    t_give_up "this needs root and systemd: use guest.sh"

# All would take a quarter of an hour in a virtual machine: there it is what
# differs with the cgroups that a container does not have.
declare -A SUBSET=(
    [resident]='it says of each limit|whoever of a run is killed|the log has'
)
SUBSET[systemd]="${SUBSET[resident]}|removing a session ends"

# Adds what a topic's last line says to the sums.
fold()
{
	local last

	last=$(tail -n 1 "$T_ROOT/results")
	sed '$d' "$T_ROOT/results"
	if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ sk ]]
	then
		((t_passed += BASH_REMATCH[1]))
		((t_failed += BASH_REMATCH[2]))
		((t_skipped += BASH_REMATCH[3]))
	else
		echo "not ok - it has no last line: $last"
		((t_failed += 1))
	fi
}

# topic WAY COMMAND...
topic()
{
	WAY=$1 AS=root T_ENTERED='' "${@:2}" </dev/null \
	    >"$T_ROOT/results" 2>&1
	fold
}

all()
{
	local file

	for file in "$T_TREE"/tests/serve_*.sh; do
		# Images come by it.
		[[ $file != */serve_images.sh || -n $(type -P skopeo) ]] ||
		    continue
		# These are about servers of their own: resident.sh.
		[[ $file != */serve_@(accept|pool).sh ]] || continue
		echo "# $(basename "$file" .sh) ($1)"
		topic "$1" bash "$file"
	done
}

# In one topic, whose beginning is not paid for twice.
some()
{
	echo "# ($1)"
	# shellcheck disable=SC2016 # for the shell that is started there
	CASE="^(${SUBSET[$1]})" topic "$1" bash -c 'for file in run turns session stream \
	    death; do . "$0/$file.sh"; done; http_look_back; t_done' \
	    "$T_TREE/tests/http"
}

"${MAKE[@]}" install >"$T_ROOT/installed" 2>&1 ||
    t_give_up "it cannot be installed: $(<"$T_ROOT/installed")"
for way in ${WAY:-systemd resident}; do
	if is_container || [[ -n ${CASE:-}${LONG:-} ]]; then
		all "$way"
	else
		some "$way"
	fi
done
"${MAKE[@]}" uninstall >"$T_ROOT/installed" 2>&1
t_done
