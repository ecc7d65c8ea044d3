#!/bin/bash
# A request whose server, broker, front or sandbox fails or dies anywhere has
# its whole answer, or an error, or none: never a wrong one.
# as: root user

# shellcheck source=tests/faults/lib.sh
. "$(dirname "$0")/faults/lib.sh"

# serve is 0, the broker 0.1, the front 0.1.1, the sandbox 0.1.2, the reaper
# 0.2.
supervisor=0.1
# shellcheck disable=SC2034 # lib.sh reads it
reaper=0.2
client=(-l "$T_ROOT/home/sock" -r request -a answer -u "$T_UID")

# ask METHOD PATH [BODY [FIELD]...]: the request, of which the answer is not in
# chunks.
ask()
{
	local method=$1 path=$2 body=${3:-} LC_ALL=C

	shift $(($# > 3 ? 3 : $#))
	printf '%s\r\n' "$method $path HTTP/1.0" 'Host: localhost' "$@" \
	    'Content-Type: application/json' "Content-Length: ${#body}" '' \
	    >request
	printf '%s' "$body" >>request
	words=(serve)
}

# Sets code, and the body as a file; code is empty where there is no answer.
read_answer()
{
	local length

	code=''
	: >body
	[[ -s answer ]] || return 0
	read -r _ code _ <answer
	sed '1,/^\r$/d' answer >body
	length=$(sed -n '/^\r$/q; s/^Content-Length: \([0-9]*\)\r$/\1/p' answer)
	# What is not whole is seen not to be.
	[[ -z $length || $(stat -c %s body) == "$length" ]] || code=''
}

# 5xx, and the object of the API; or nothing at all, where who would answer was
# killed, or the log says what went wrong.
expect_error()
{
	if [[ $code == 5?? ]]; then
		jq -e 'has("code") and has("message") and has("request_id")' \
		    body >seen 2>&1 || wrong "no error of the API"
	elif [[ $code == 422 && $met =~ ^(write|open)$ ]] &&
	    grep -qE '"files: .*(No space|Quota)' body; then
		: # the limit `disk` is reached
	elif [[ $code == 422 && $met == fchmod ]] &&
	    grep -qE '"files: .*(not permitted|Read-only)' body; then
		: # what stands there is another's, or on a read-only place
	elif [[ -n $code ]]; then
		wrong "the answer is $code: $(head -c 200 body)"
	elif [[ $at == -k* ]]; then
		# The front ends with the broker, and that with the server.
		[[ $who == 0 || $who == 0.1 || $who == 0.1.1 ]] ||
		    wrong "there is no answer"
	else
		grep -qE '^mayfly: .|^.*connection=failed|status=' err ||
		    wrong "there is no answer, and no word of it in the log"
	fi
}

# The result without what differs from run to run.
RESULT='{stdout, stderr, exit_code, signal, reason, truncated, files, enforced}'

judge_result()
{
	local reason

	read_answer
	if [[ $code == 200 ]]; then
		jq -Sc "$RESULT" body >result 2>seen ||
		    wrong "no JSON: $(head -c 200 body)"
		[[ -n $at ]] || cp result usual.result
		reason=$(jq -r .reason result)
		if [[ $at == -k* && $who == 0.1.2* && $reason != exit ]]; then
			[[ $reason == killed || $who == 0.1.2.* ]] ||
			    wrong "the reason is $reason"
		else
			judge_same_result
		fi
	else
		expect_error
	fi
}

# Not to be executable is an end of the command's.
judge_same_result()
{
	[[ $met != execve || $at == -k* ]] ||
	    ! jq -es '.[-1].exit_code == 126' result >seen || return 0
	cmp -s result usual.result ||
	    wrong "another result: $(head -c 300 result)"
	# Where the server fails, or reaps after a broker's death, its children
	# have other numbers, or there is one more.
	[[ $who == 0 || ($who == "$supervisor" && $at == -k*) ]] || judge_states
}

# The body of a run that looks around.
# shellcheck disable=SC2016
look_request()
{
	local n host='{}'

	for n in cgroup ipc mnt net pid user uts; do
		host=$(jq -c --arg v "$(readlink "/proc/self/ns/$n")" \
		    ".HOST_$n = \$v" <<<"$host")
	done
	jq -cn --arg look "cat placed; echo out >collected; $LOOK" \
	    --argjson host "$host" '{command: ["sh", "-c", $look],
	    env: ({A: "1"} + $host), cwd: "/tmp", stdin: "input\n",
	    files: [{path: "placed", content: "placed\n"}],
	    collect: ["collected"]}'
}

# What the first request makes for all later ones is no leak.
if can_inject; then
	cd "$T_ROOT/home" || exit 2
	: >in
	ask POST /run '{"command": "true"}'
	inject
fi

# Images come from a registry, which the topic's own network lets it have.
has_registry=false
if [[ $AS == root && -n $(type -P docker-registry) && -n $(type -P skopeo) ]] &&
    can_inject; then
	has_registry=true
	FIXTURES=$T_ROOT/fixtures
	mkdir -m 0755 "$FIXTURES"
	# shellcheck source=tests/images/registry.sh
	. "$T_TREE/tests/images/registry.sh"
	fixture_base
	layout "$FIXTURES/oci" t '{"Env": ["PATH=/bin"]}' "$BASE"
	start_registry
	push "$FIXTURES/oci:t" one
	export MAYFLY_REGISTRIES=http://$REGISTRY
	# What the first one makes for all later ones, before any case begins.
	cd "$T_ROOT" || exit
	: >in
	ask POST /images "{\"source\": \"docker://$REGISTRY/one\"}" \
	    'Accept: application/x-ndjson'
	inject
	t_as "$MAYFLY" image delete one >seen 2>&1
	t_as "$MAYFLY" reap >seen 2>&1
	cd / || exit
fi

if faultcase "POST /run has its whole answer or an error, whoever fails or dies"
then
	begin
	ask POST /run "$(look_request)"
	judge()
	{
		judge_result
	}
	sweep "POST /run" 0.1:sendmsg 0.1:recvmsg 0.1.1:sendmsg 0.1.1:recvmsg \
	    0.1.1:read 0.1.1:write 0.1.1:mmap 0.1.1:brk 0.1.2.2:prlimit64
	finish_sweeps
fi

if faultcase "a stream has its end once and truly, whoever fails or dies"; then
	begin
	ask POST /run "$(look_request)" 'Accept: application/x-ndjson'
	# The streams put together, and its end.
	judge()
	{
		local type

		read_answer
		if [[ $code != 200 ]]; then
			expect_error
			return
		fi
		type=$(tail -n 1 body | jq -r .type 2>seen)
		jq -Scs '[.[] | select(.type == "stdout") | .data] | add' body \
		    >result 2>seen
		tail -n 1 body | jq -Sc '{exit_code, signal, reason, truncated,
		    files, enforced}' >>result 2>seen
		[[ -n $at ]] || cp result usual.result
		if [[ $(grep -cE '"type":"(exit|error)"' body) -gt 1 ]]; then
			wrong "it ends more than once"
		elif [[ $at == -k* && $type == exit &&
		    $(tail -n 1 body | jq -r .reason) != exit ]]; then
			[[ $who == 0.1.2* ]] || wrong "another end"
		elif [[ $type == exit ]]; then
			judge_same_result
		elif [[ $type != error ]]; then
			# Without a last event it is not whole.
			code=''
			expect_error
		fi
	}
	sweep "POST /run, streamed"
	finish_sweeps
fi

if faultcase "POST /sessions makes one that is whole, or says that it did not"
then
	begin
	ask POST /sessions '{"env": {"A": "1"}, "cwd": "/tmp", "ttl": null}'
	judge()
	{
		read_answer
		made=''
		if [[ $code == 201 ]]; then
			made=$(jq -r .session_id body)
			[[ $made =~ ^[a-z0-9]{26}$ ]] || wrong "no id"
		else
			expect_error
		fi
	}
	after()
	{
		[[ -z $made ]] || exists "$made" || wrong "it is not there"
		for one in "$STATE"/sessions/*; do
			one=${one##*/}
			[[ $one != "$kept" ]] || continue
			# shellcheck disable=SC2016
			in_session "$one" sh -c 'echo $A $PWD
			    echo kept >/root/kept'
			[[ $(cat seen) == "1 /tmp" ]] ||
			    wrong "it is another: $(head -c 200 seen)"
			expect_whole_or_gone "$one"
		done
	}
	sweep "POST /sessions"
	finish_sweeps
fi

if faultcase "a run in a session, asked for over HTTP, leaves it whole"; then
	begin
	prepare()
	{
		count_try
		in_session "$kept" true
		ask POST "/sessions/$kept/run" "$(jq -cn --arg mark "$number" \
		    '{command: ["sh", "-c", "echo $MARK >/root/mark; echo done"],
		    env: {MARK: $mark}}')"
	}
	judge()
	{
		judge_result
		# It may have been no command that could be executed.
		[[ $code != 200 || $(jq .exit_code body) != 0 ]] ||
		    in_session "$kept" grep -qx "$number" /root/mark ||
		    wrong "what it wrote is not there"
	}
	sweep "POST /sessions/ID/run"
	finish_sweeps
fi

if faultcase "DELETE is done or not begun, whoever fails or dies"; then
	begin
	prepare()
	{
		[[ -n $made && $made != "$kept" ]] && exists "$made" ||
		    make_session
		ask DELETE "/sessions/$made"
	}
	judge()
	{
		read_answer
		if [[ $code == 204 ]]; then
			! exists "$made" || wrong "it is still there"
		else
			expect_error
		fi
	}
	after()
	{
		! exists "$made" || expect_whole_or_gone "$made"
	}
	sweep "DELETE /sessions/ID"
	finish_sweeps
fi

if [[ $AS == root ]] &&
    faultcase "POST /images pulls one that is whole, or says that it did not" &&
    require "there is no registry" "$has_registry"; then
	begin
	ask POST /images "{\"source\": \"docker://$REGISTRY/one\"}" \
	    'Accept: application/x-ndjson'
	[[ $FAULTS == all ]] || FAULTS=4
	judge()
	{
		read_answer
		type=''
		if [[ $code != 200 ]]; then
			expect_error
			return
		fi
		type=$(tail -n 1 body | jq -r .type 2>seen)
		if [[ $(grep -cE '"type":"(exit|error)"' body) -gt 1 ]]; then
			wrong "it ends more than once"
		elif [[ $type != exit && $type != error ]]; then
			code=''
			expect_error
		fi
	}
	after()
	{
		t_as "$MAYFLY" run --image one -- cat /etc/group </dev/null \
		    >seen 2>&1
		grep -q '^staff' seen || [[ $type != exit ]] ||
		    wrong "it is not there: $(head -c 200 seen)"
		grep -qE '^staff|there is no image' seen ||
		    wrong "it is damaged: $(head -c 200 seen)"
		t_as "$MAYFLY" image delete one >seen 2>&1
		t_as "$MAYFLY" reap >seen 2>&1
	}
	sweep "POST /images" 0.1:sendmsg
	finish_sweeps
fi
! $has_registry || stop_registry

figures
t_done
