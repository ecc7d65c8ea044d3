# shellcheck shell=bash
#
# What the topics about HTTP share: a server for the topic, and the verbs of
# requests and answers. A topic sets WAY and sources its cases, which source
# this instead of t.sh.
#
#	WAY	how a connection reaches mayfly:
#		serve	`mayfly serve` accepts it
#		fd0	a super-server accepts it and starts `mayfly activate`
#			with it on descriptor 0
#		systemd	mayfly.socket of an installed mayfly does (units.sh)
#		resident	mayfly-serve.socket does
#
#	http POST /run '{"command": "echo hi"}'
#	expect_code 200
#	expect_json '.stdout == "hi\n"'
#
# As root a topic has a network of its own, in which nobody else listens.

# Topics may be made of several files of cases.
[[ -z ${HTTP_DIR:-} ]] || return 0

set -u

WAY=${WAY:-serve}
export WAY

# Is it systemd that accepts?
by_units()
{
	[[ $WAY == systemd || $WAY == resident ]]
}

if ((EUID == 0)) && ! by_units && [[ -z ${HTTP_NET:-} ]]; then
	export HTTP_NET=1
	exec unshare --net bash "$0" "$@"
fi
# What systemd starts is not to be seen from a PID namespace of ours.
! by_units || export T_ENTERED=1
HTTP_LEASE=${T_LEASE:-$((${T_UID:-54321} % 90))}

# shellcheck source=tests/t.sh
. "$(dirname "${BASH_SOURCE[0]}")/../t.sh"

HTTP_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Whoever runs it need not have a way to where the tests are.
INETD=$(<"$HTTP_DIR/inetd.py")
SERVERS=()
code=0

# Puts everything of the servers below the topic's own directory, and lets
# each topic have host ids of its own.
http_arrange()
{
	local dir

	HTTP_LOG=$T_ROOT/log
	# Who waits for a request is no leak, and not to be counted: only
	# serve_pool.sh has some.
	export MAYFLY_POOL=${HTTP_POOL:-0}
	if by_units; then
		units_arrange
		return
	fi
	if [[ -n ${HTTP_NET:-} ]]; then
		ip link set lo up
		ip address add 10.77.0.1/24 dev lo
		ip address add fd77::1/64 dev lo nodad
		HTTP_PORT=8080
	else
		HTTP_PORT=$("$PYTHON" -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	fi
	for dir in lib run etc sock; do
		mkdir -m 0755 "$T_ROOT/$dir"
		chown "$T_UID" "$T_ROOT/$dir" 2>/dev/null
	done
	export MAYFLY_STATE_DIR=$T_ROOT/lib MAYFLY_RUN_DIR=$T_ROOT/run
	export MAYFLY_TOKENS=$T_ROOT/etc/tokens
	HTTP_STATE=$MAYFLY_STATE_DIR
	export MAYFLY_UID_BASE=$((1879048192 + (1024 + HTTP_LEASE * 32) * 65536))
	export MAYFLY_UID_COUNT=$((32 * 65536))
	T_RUN_DIRS=("$MAYFLY_RUN_DIR")
}

# Starts one more server, which the verbs then talk to, with these variables
# in its environment: server_start MAYFLY_MAX_RUNS=2
# shellcheck disable=SC2120 # the topic's own server needs none
server_start()
{
	local n=${#SERVERS[@]} command

	if by_units; then
		units_start "$@"
		server_answers >/dev/null 2>&1
		return
	fi
	HTTP_TCP=${HTTP_ADDRESS:-127.0.0.1}:$((HTTP_PORT + n))
	HTTP_SOCKET=$T_ROOT/sock/api$n.sock
	HTTP_LOG=$T_ROOT/log$n
	: >"$HTTP_LOG"
	rm -f "$HTTP_SOCKET"
	case $WAY in
	serve)
		command=("$MAYFLY" serve --listen "$HTTP_TCP"
		    --listen "$HTTP_SOCKET")
		;;
	fd0)
		command=("$PYTHON" -c "$INETD" "$HTTP_TCP"
		    "$HTTP_SOCKET" "$MAYFLY" activate)
		;;
	esac
	"${T_AS[@]}" env "$@" "${command[@]}" </dev/null >>"$HTTP_LOG" 2>&1 &
	SERVERS+=($!)
	for ((n = 0; n < 600; n++)); do
		! server_answers >/dev/null 2>&1 || break
		kill -0 "${SERVERS[-1]}" 2>/dev/null || return
		sleep 0.05
	done
	((n < 600)) || return
	# Who may connect is for systemd or the administrator to say.
	chmod 0666 "$HTTP_SOCKET"
}

server_answers()
{
	"$PYTHON" "$HTTP_DIR/client.py" send "$HTTP_SOCKET" 5 <<<"" &&
	    "$PYTHON" "$HTTP_DIR/client.py" send "$HTTP_TCP" 5 <<<""
}

# Ends the last server started; the one before is talked to again.
server_stop()
{
	local n=$((${#SERVERS[@]} - 1))

	if by_units; then
		units_stop
	else
		kill -TERM "${SERVERS[n]}" 2>/dev/null
		wait "${SERVERS[n]}" 2>/dev/null
		HTTP_TCP=127.0.0.1:$((HTTP_PORT + n - 1))
		HTTP_SOCKET=$T_ROOT/sock/api$((n - 1)).sock
		HTTP_LOG=$T_ROOT/log$((n - 1))
		rm -f "$T_ROOT/sock/api$n.sock"
	fi
	unset "SERVERS[n]"
}

# Ends the last server started as a crash does; it is still to be stopped.
server_kill()
{
	if by_units; then
		units_kill
	else
		# What a super-server has started does not end with it.
		[[ $WAY != fd0 ]] || pkill -KILL -P "${SERVERS[-1]}"
		kill -KILL "${SERVERS[-1]}"
	fi
}

http_end()
{
	while ((${#SERVERS[@]} > 0)); do
		server_stop
	done
	t_exit
}

# What the server has logged, and nothing before the mark.
log_mark()
{
	HTTP_MARK=$(log_text | wc -l)
}

log_text()
{
	! by_units || journal_take
	cat "$HTTP_LOG"
}

log_since()
{
	log_text | tail -n "+$((HTTP_MARK + 1))"
}

log_has()
{
	log_since | grep -qaE -e "$1"
}

# http METHOD PATH [BODY [CURL-OPTION]...]: the body of the answer becomes the
# file out, its head the file headers, its status code. BODY may be @FILE. Said
# before it: CALLER=UID, to go to the UNIX socket as that user; TOKEN=TEXT.
http()
{
	local method=$1 path=$2 body=${3:-} options=(-sS -g --path-as-is
	    --max-time "$T_PATIENCE" -D headers -o out -w '%{http_code}')
	local who=() groups=--clear-groups

	shift $(($# > 3 ? 3 : $#))
	case $method in
	HEAD) options+=(--head) ;;
	*) options+=(-X "$method") ;;
	esac
	[[ -z $body ]] || options+=(-H 'Content-Type: application/json'
	    --data-binary "$body")
	[[ -z ${TOKEN:-} ]] || options+=(-H "Authorization: Bearer $TOKEN")
	rm -f out headers
	if [[ -n ${CALLER:-} ]]; then
		options+=(--unix-socket "$HTTP_SOCKET")
		! by_units || groups=--groups=mayfly
		who=(setpriv --reuid "$CALLER" --regid "$CALLER"
		    "$groups" --inh-caps=-all --)
		((CALLER != EUID)) || who=()
		touch out headers && chmod 0666 out headers
		chmod 0777 .
	fi
	code=$("${who[@]}" curl "${options[@]}" "$@" \
	    "http://${HTTP_HOST:-$HTTP_TCP}$path" 2>err)
	# curl makes them when something comes.
	touch out headers
}

# The command mayfly with the cgroup that the server has.
beside()
{
	if by_units; then
		systemd-run --quiet --wait --pipe -p Delegate=yes "$MAYFLY" "$@"
	else
		mayfly "$@"
	fi
}

# The body of a run of a shell script, with more fields as jq has them.
script()
{
	jq -cn --arg script "$1" '{command: ["sh", "-c", $script]} + '"${2:-{\}}"
}

# http_run SCRIPT [FIELDS]: POST /run
http_run()
{
	script "$@" >request
	http POST /run @request
}

# The bytes of a request to run what stdin has, answered in the form of $1.
post()
{
	local body

	body=$(cat)
	printf '%s\r\n' 'POST /run HTTP/1.1' 'Host: localhost' \
	    "Accept: $1" 'Content-Type: application/json' \
	    "Content-Length: ${#body}" '' "$body"
}

# A request in the background, whose answer the file events takes as it comes;
# sets pid. The connection is closed by killing it.
stream()
{
	local path=$1 body=$2 type=${3:-application/x-ndjson}

	: >events
	curl -sS -N -g -D headers -H "Accept: $type" \
	    -H 'Content-Type: application/json' --data-binary "$body" \
	    "http://$HTTP_TCP$path" >events 2>err &
	pid=$!
}

# Waits for the end of what stream started; the events become the file out.
stream_end()
{
	finish
	cp events out
}

# The processes in sandboxes that have this word among their arguments.
inside()
{
	local own process

	own=$(readlink /proc/self/ns/pid)
	for process in $(pgrep -f -- "$1"); do
		[[ $(readlink "/proc/$process/ns/pid") == "$own" ]] ||
		    echo "$process"
	done
}

runs_inside()
{
	[[ -n $(inside "$1") ]]
}

gone_inside()
{
	[[ -z $(inside "$1") ]]
}

# Is this where cases are tried that take long? Once for each way in; of the
# units with the first pair.
long()
{
	[[ $AS == root && $WAY != resident || -n ${CASE:-} ]]
}

# Starts a run whose command waits, and waits for it: waiting WORD [PATH]
waiting()
{
	stream "${2:-/run}" "$(script "echo up; exec perl -e 'sleep 600' $1" \
	    '{wall: 60000}')"
	await "the command" eval "grep -q up events && runs_inside $1"
}

# The processes of the server that serve one connection.
serving()
{
	if by_units; then
		leaks_mayflies
	else
		leaks_mayflies | grep -vxF "${SERVERS[-1]}"
	fi
}

# Makes a session; its id becomes id.
session()
{
	http POST /sessions "${1:-{\}}"
	[[ $code == 201 ]] || fail "no session was made: $(head -c 300 out)"
	# shellcheck disable=SC2034 # the topics read it
	id=$(jq -r .session_id out)
}

# in_session SCRIPT [FIELDS]: a run in the session `id`.
in_session()
{
	script "$@" >request
	http POST "/sessions/$id/run" @request
}

# Ends the case's sessions.
forget()
{
	local one

	for one in "${@:-$id}"; do
		http DELETE "/sessions/$one"
		expect_code 204
	done
}

# shellcheck source=tests/http/expect.sh
. "$HTTP_DIR/expect.sh"

# shellcheck source=tests/http/units.sh
! by_units || . "$HTTP_DIR/units.sh"

http_arrange
trap http_end EXIT
cd /
if ! server_start; then
	sed 's/^/\t/' "$HTTP_LOG" | head -n 5
	testcase "the server starts"
	fail "it does not answer"
	t_done
fi
# The last case of every topic: what it did has not surprised the server. Who
# was killed is the doing of a case.
http_look_back()
{
	if testcase "the log has nothing that nobody expected"; then
		HTTP_MARK=0
		log_since | grep -aE \
		    'connection=failed|broke the protocol|status=500' |
		    grep -avE 'Killed|as a whole' >out
		[[ ! -s out ]] || fail "it has:"
	fi
}

# What the first run makes for all later ones is no leak.
(
	cd "$T_ROOT" && http POST /run '{"command": "true"}'
	poll 100 eval '[[ -z $(serving) ]]'
)
