#!/bin/bash
#
# What the guest does: runs each topic in the ways that its line `# in:` names,
# adds up, and says how it went; with LONG=1 also in those of its line `# long:`.
# guest.sh starts the guest that starts this.
#
#	root	as root, in a scope delegated to it
#	user	as an ordinary user with subordinate ids, in a delegated scope
#		of the user's own manager
#	unit	as a user without, in a service with User= and Delegate=
#	alone	as root, in a scope that is not delegated
#	asked, container	the same, but only where it is asked for: it would take
#		too long in a virtual machine

set -u

cd /opt || exit 1
[[ ! -t 0 ]] || stty -opost
# shellcheck source=/dev/null
. ./orders

# The sanitizer of leaks needs rights that units take away.
if grep -q __asan_init build/mayfly; then
	export ASAN_OPTIONS=detect_leaks=0
	systemctl set-environment "ASAN_OPTIONS=$ASAN_OPTIONS"
	PASSED_ON+=(ASAN_OPTIONS)
fi

# In a delegated cgroup only leaves have processes: the topic moves to where
# mayfly itself would, and each run is put beside it.
# shellcheck disable=SC2016 # for the shell that is started there
IN_LEAF='leaf=/sys/fs/cgroup$(sed -n "s/^0:://p" /proc/self/cgroup)/mayfly-self
    mkdir "$leaf" && echo $$ >"$leaf/cgroup.procs" && exec bash "$@"'

as_user()
{
	runuser -u tester -- env HOME=/home/tester \
	    XDG_RUNTIME_DIR=/run/user/1000 "$@"
}

# run_in WAY FILE
run_in()
{
	local scope=(systemd-run --quiet --scope)
	local name

	case $1 in
	root) "${scope[@]}" -p Delegate=yes bash -c "$IN_LEAF" bash "$2" ;;
	user)
		as_user "${scope[@]}" --user -p Delegate=yes \
		    bash -c "$IN_LEAF" bash "$2"
		;;
	unit)
		# systemd expands variables in what a service executes.
		local settings=()
		for name in IN "${PASSED_ON[@]}"; do
			settings+=("-E$name=${!name}")
		done
		systemd-run --quiet --uid=plain -p Delegate=yes --wait --pipe \
		    "${settings[@]}" bash -c "${IN_LEAF//\$/\$\$}" bash "$2"
		;;
	alone | asked | container) "${scope[@]}" bash "$2" ;;
	*) echo "not ok - there is no way in called $1" ;;
	esac
}

run_topic()
{
	local file=tests/vm/$1.sh ways way last began

	[[ -e $file ]] || file=tests/$1.sh
	ways=$(sed -nE "s/^# (in${LONG:+|long}): //p" "$file" | xargs)
	for way in ${ways:-root user}; do
		echo "== $1, $way"
		export IN=$way
		began=$SECONDS
		run_in "$way" "/opt/$file" </dev/null 2>&1 | tee /run/topic
		last=$(tail -n 1 /run/topic)
		if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+) ]]
		then
			((passed += BASH_REMATCH[1]))
			((failed += BASH_REMATCH[2]))
			((skipped += BASH_REMATCH[3]))
		else
			echo "not ok - $1, $way: no last line"
			((failed += 1))
		fi
		[[ -z ${T_TIMES:-} ]] || echo "# $((SECONDS - began)) s"
	done
}

if [[ ${TOPICS[0]:-} == --shell ]]; then
	bash -i
	exit
fi
if ((${#TOPICS[@]} == 0)); then
	for topic in tests/vm/*.sh; do
		! grep '^# in: ' "$topic" | grep -qvE 'asked|container' ||
		    TOPICS+=("$(basename "$topic" .sh)")
	done
fi
for topic in "${TOPICS[@]}"; do
	run_topic "$topic"
done
echo "$passed passed, $failed failed, $skipped skipped"
