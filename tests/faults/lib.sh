# shellcheck shell=bash
#
# Lets one system call after the other go wrong, and looks at what comes of it.
# A topic says what is done, and how it is judged:
#
#	words=(run -- true)	what mayfly is called with
#	prepare()		what must be there each time
#	judge()			calls `wrong` for what may not come of it
#	after()			the same, when one `mayfly reap` has run
#	sweep NAME [WHO:CALL]...	all of it, by inject.c; and of each
#				such call of WHO always the first error of its
#				class, because it once had the wrong effect
#
# Each time no process, namespace, mount or file is left after that reap
# (leaks.sh), and the session `kept` is as it was.
#
# Environment:
#	FAULTS	"all" for every call and every error of the table `classes`;
#		else a number, of kills and of errors in each sweep (default
#		8): always the same ones, evenly spread
#	FAULT	"WHO:N" or "WHO:NAME:N:ERROR": only this one, and what it said
#	FAULTS_LOG	a file, for all that was wrong
#	INJECT	inject.c, compiled

FAULTS_RANGE=${T_LEASE:-$((${T_UID:-54321} % 90))}

# shellcheck source=tests/t.sh
. "$(dirname "${BASH_SOURCE[0]}")/../t.sh"

FAULTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
FAULTS=${FAULTS:-8}
INJECT=${INJECT:-$T_TREE/build/inject}
# A run with all its waiting ends much earlier.
FAULTS_SECONDS=20
STATE=$T_ROOT/state
[[ $AS == root ]] || STATE=$T_ROOT/state/mayfly
# What topics beside this one do to a common directory is no leak of ours. Its
# host ids are ours alone as well, then.
export MAYFLY_RUN_DIR=$T_ROOT/run
export MAYFLY_UID_BASE=$((1879048192 + (1024 + FAULTS_RANGE * 32) * 65536))
export MAYFLY_UID_COUNT=$((32 * 65536))
# A server has ended when all that it has begun has, and nobody waits.
export MAYFLY_POOL=0
mkdir "$MAYFLY_RUN_DIR"
chown "$T_UID" "$MAYFLY_RUN_DIR" 2>/dev/null
T_RUN_DIRS=("$MAYFLY_RUN_DIR" "$T_ROOT/state")
# Far from it, nobody has to count what a session holds: the processes of a run
# are the same each time.
export MAYFLY_DEFAULT_SESSION_DISK=1000000000
declare -A FAULT_CLASSES=()
client=()
words=()
supervisor=0 # the process that started the sandbox
number=0 killed=0 injected=0 missed=0 crashes=0 wrongs=0 leaks=0 hangs=0

can_inject()
{
	[[ -x $INJECT ]] && "$INJECT" -o "$T_ROOT/report" -p "$MAYFLY" -- \
	    "${T_AS[@]}" "$MAYFLY" --version >"$T_ROOT/report.out" 2>&1 &&
	    grep -qx 'status 0' "$T_ROOT/report"
}

# A case of this kind.
faultcase()
{
	testcase "$1" && require "nothing can be injected here" can_inject
}

read_classes()
{
	local name errors

	while read -r name errors; do
		[[ -z $name || $name == '#'* ]] || FAULT_CLASSES[$name]=$errors
	done <"$FAULTS_DIR/classes"
}

# Calls mayfly with these options of inject; sets status and what was reported.
inject()
{
	local line

	: >out
	: >err
	rm -f answer
	"$INJECT" "$@" -s "$FAULTS_SECONDS" -o report -p "$MAYFLY" \
	    "${client[@]}" -- "${T_AS[@]}" "$MAYFLY" "${words[@]}" \
	    <in >out 2>err
	status='' met='' states='' trouble=''
	while read -r line; do
		case $line in
		met\ *) met=${line##* } ;;
		# How much these have open at their end is a matter of time.
		state\ 0\ * | state\ $supervisor\ *)
			states+=${line% files*}$'\n'
			;;
		state\ *) states+=$line$'\n' ;;
		crash\ *)
			trouble=$line
			((crashes += 1))
			;;
		hung\ * | left\ *)
			trouble=$line
			((hangs += 1))
			;;
		status\ *) status=${line#status } ;;
		esac
	done < <(grep -v '^call ' report)
	states=$(sort <<<"$states")
	[[ -n $status ]] || trouble='no report'
}

# The case fails, with what was done and said.
wrong()
{
	((wrongs += 1))
	complain_of "$1"
}

complain_of()
{
	local said

	said=$(head -c 200 err | tr '\n' '|')
	[[ -z ${FAULTS_LOG:-} ]] ||
	    echo "$AS $sweep: $at $met: $1: $status, $said" >>"$FAULTS_LOG"
	fail "$sweep: $at $met: $1"
	detail "status $status, $said"
}

# Was the command's own process the one that was killed?
is_own_kill()
{
	[[ $who == 0 && $at == -k* ]]
}

# mayfly itself said what went wrong: "mayfly: STEP: ..."
expect_own_failure()
{
	if is_own_kill; then
		[[ $status == 137 ]] || wrong "it was not killed"
		return
	fi
	[[ $status == 125 ]] || wrong "neither done nor 125"
	grep -qE '^mayfly: [a-z]+: .' err || wrong "the step is not named"
}

# Whoever ended by itself had no more then than it usually has, but for a reaper:
# it begins with what the server has, and where it fails it ends with that.
judge_states()
{
	local not=none before after

	[[ $at != -k* && $who != "${reaper:-}" ]] || not=$who
	before=$(grep -v "^state $not\>" <<<"$usual")
	after=$(grep -v "^state $not\>" <<<"$states")
	# What an ordinary user's session holds is counted by a process of its
	# own, where the run before did not end well enough to say it.
	[[ $AS == root || $sweep != *session*run ||
	    $(wc -l <<<"$before") == $(wc -l <<<"$after") ]] || return
	[[ $before == "$after" ]] ||
	    wrong "another process: $(diff <(echo "$usual") <(echo "$states") |
		sed 1d)"
}

# What is left after it, and all that is left is a leak. Only namespaces go by
# themselves, in the background of the kernel.
check_leaks()
{
	local tries

	for ((tries = 0; tries < 60; tries++)); do
		leaks_list all >leaks.after
		comm -13 leaks.before leaks.after >leaks.new
		[[ -s leaks.new ]] || return 0
		! grep -qE '^(file|mount|shared) ' leaks.new || break
		sleep 0.05
	done
	((leaks += 1))
	complain_of "left: $(head -n 3 leaks.new | tr '\n' '|')"
	leaks_list all >leaks.before
}

# A command in a session: in_session ID COMMAND...; leaves its output in seen.
in_session()
{
	local one=$1

	shift
	t_as "$MAYFLY" session run "$one" -- "$@" </dev/null >seen 2>&1
}

# A session is whole when its runs see what was written, and may write.
# shellcheck disable=SC2016 # it is for inside
WORKS='test "$(cat /root/kept)" = kept && echo >/root/again'

works()
{
	in_session "$1" sh -c "$WORKS"
}

# Makes a session in which somebody was; sets made.
# shellcheck disable=SC2120 # some topics have options for it
make_session()
{
	made=$(t_as "$MAYFLY" session create --ttl none "$@" 2>seen)
	in_session "$made" sh -c 'cd /root; echo kept >kept; touch again mark;
	    mkdir -p /srv/a/b; echo x >/srv/a/b/c; chmod 0 /srv/a/b'
}

exists()
{
	[[ -d $STATE/sessions/$1 ]]
}

# It is there and works, or is not there at all; then it is not there.
expect_whole_or_gone()
{
	exists "$1" || return 0
	works "$1" || wrong "$1 is damaged: $(head -c 200 seen)"
	t_as "$MAYFLY" session delete "$1" >seen 2>&1 ||
	    wrong "$1 cannot be deleted: $(head -c 200 seen)"
}

# A number that no try before had.
count_try()
{
	((number += 1))
}

# Makes the session `kept`, and notes what there is.
begin()
{
	prepare() { :; }
	judge() { :; }
	after() { :; }
	read_classes
	: >in
	make_session
	kept=$made
	works "$kept" || fail "the session does not work before"
	leaks_list all >leaks.before
}

finish_sweeps()
{
	t_as "$MAYFLY" session delete "$kept" || fail "the session cannot go"
}

# What mayfly has said is judged; then what it has left.
judge_all()
{
	[[ -z $trouble ]] || complain_of "$trouble"
	judge
	t_as "$MAYFLY" reap </dev/null >reaped 2>&1 ||
	    complain_of "reap afterwards: $(head -c 200 reaped)"
	after
	check_leaks
	works "$kept" || wrong "the session does not work: $(head -c 200 seen)"
}

# One call of one process, in the one way.
try()
{
	local tries

	# Where time decides, the call may be another one once.
	for tries in 1 2 3; do
		at=$*
		prepare
		inject "$@"
		[[ -z $met && $1 == -e ]] || break
	done
	if [[ -z $met ]]; then
		((missed += 1))
		at+=' (not met)'
	elif [[ $1 == -k ]]; then
		((killed += 1))
	else
		((injected += 1))
	fi
	who=${2%%:*}
	[[ -z ${FAULT:-} ]] || show
	judge_all
}

show()
{
	echo "$at $met: $status"
	head -c 500 err
	head -c 500 out
	[[ ! -e answer ]] || head -c 1000 answer
	grep -v '^call ' report
}

# Each of those that are asked for: all, or a sample.
chosen()
{
	local total=$1 n=$2

	[[ $FAULTS == all || $total -le $FAULTS ]] ||
	    ((n * FAULTS / total != (n - 1) * FAULTS / total))
}

# All pairs of process and call, and all errors of each.
list_faults()
{
	local who number name error
	declare -A times=()

	while read -r _ who number name; do
		kills+=("$who:$number")
		times[$who:$name]=$((${times[$who:$name]:-0} + 1))
		if [[ -z ${FAULT_CLASSES[$name]+known} ]]; then
			fail "$name is not in the table of classes"
			FAULT_CLASSES[$name]=
		fi
		for error in ${FAULT_CLASSES[$name]-}; do
			errors+=("$who:$name:${times[$who:$name]}:$error")
		done
	done < <(grep '^call ' report)
	# Another time there may be a few calls more.
	for who in $(printf '%s\n' "${kills[@]%:*}" | sort -u); do
		number=$(printf '%s\n' "${kills[@]}" | grep -c "^$who:")
		kills+=("$who:$((number + 1))" "$who:$((number + 2))")
	done
}

# "WHO:CALL": each of them as inject takes it.
find_calls()
{
	local error=${FAULT_CLASSES[${1#*:}]}

	awk -v call="$1" -v error="${error%% *}" '
	    $1 == "call" && $2 ":" $4 == call {
		print call ":" ++n ":" error }' report
}

# What goes wrong in `words`.
sweep()
{
	local kills=() errors=() always=() i

	sweep=$1 at='' who=''
	shift
	prepare
	inject -v
	usual=$states
	cp out usual.out
	[[ ! -e answer ]] || cp answer usual.answer
	list_faults
	for i; do
		mapfile -t -O ${#always[@]} always < <(find_calls "$i")
	done
	judge_all
	[[ $t_state == ok ]] || return
	if [[ -n ${FAULT:-} ]]; then
		kills=() errors=() always=()
		[[ $FAULT == *:*:*:* ]] && errors=("$FAULT") || kills=("$FAULT")
	fi
	for ((i = 0; i < ${#kills[@]}; i++)); do
		! chosen ${#kills[@]} $((i + 1)) || try -k "${kills[i]}"
	done
	for ((i = 0; i < ${#errors[@]}; i++)); do
		! chosen ${#errors[@]} $((i + 1)) || try -e "${errors[i]}"
	done
	[[ $FAULTS != all ]] || return
	for i in "${always[@]}"; do
		try -e "$i"
	done
}

figures()
{
	echo "# faults: $killed calls killed, $injected errors injected," \
	    "$crashes crashes, $wrongs wrong answers, $hangs hangs," \
	    "$leaks leaks; $missed not met"
}

# shellcheck source=tests/faults/look.sh
. "$FAULTS_DIR/look.sh"
