# shellcheck shell=bash
#
# The processes of a request: what dies with which of them, and what the one
# that faces the client can do.
#
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/http/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The process that waits for PID 1 of the sandbox, which is the broker, and
# the other one of its connection.
find_pair()
{
	local process

	init=$(awk '$1 == "PPid:" { print $2 }' "/proc/$(inside "$1")/status")
	broker=$(awk '$1 == "PPid:" { print $2 }' "/proc/$init/status")
	front=
	for process in $(serving); do
		[[ $process == "$init" || $process == "$broker" ]] ||
		    front=$process
	done
}

if testcase "whoever of a run is killed, the run ends and nothing is left"
then
	for victim in front broker init; do
		word=$victim-$$
		waiting "$word"
		find_pair "$word"
		check "there is no $victim" test -n "${!victim}"
		log_mark
		kill -KILL "${!victim}"
		await "the end after the $victim's" gone_inside "$word"
		# Where it is not the super-server that buries the broker.
		[[ $victim == init || ($victim == broker && $WAY == fd0) ]] ||
		    by_units || await "a word of the $victim's end" \
		    log_has "connection=failed why=\"the $victim died: Killed"
		poll 100 ended || fail "$victim: the client is not told"
		kill "$pid" 2>/dev/null
		stream_end
		check "$victim: an end was reported that was none" jq -es '
		    all(.type != "exit" or .reason != "exit")' out
		await "all of it" eval '[[ -z $(serving) ]]'
	done
	word=command-$$
	waiting "$word"
	inside "$word" | xargs kill -KILL
	stream_end
	check "the end is $(tail -n 1 out)" \
	    jq -es '.[-1].reason == "signal" and .[-1].signal == 9' out
fi

if testcase "a buffered answer is complete or an error, whoever is killed"
then
	for victim in front broker init; do
		word=buffered$victim-$$
		script "exec perl -e 'sleep 600' $word" '{wall: 60000}' >request
		curl -sS -i -H 'Content-Type: application/json' --data-binary \
		    @request "http://$HTTP_TCP/run" >answer 2>err &
		pid=$!
		await "the command" runs_inside "$word"
		find_pair "$word"
		kill -KILL "${!victim}"
		poll 100 ended || fail "$victim: the client is not told"
		kill "$pid" 2>/dev/null
		wait "$pid"
		check_not "$victim: $(head -c 300 answer)" \
		    grep -q '"reason": *"exit"' answer
		await "the end" gone_inside "$word"
	done
fi

if testcase "the front can do nothing, and has nothing" &&
    require "it is built with sanitizers" is_plain; then
	word=front-is-$$
	waiting "$word"
	find_pair "$word"
	grep -E '^(Cap|Seccomp:|NoNewPrivs)' "/proc/$front/status" >caps
	check "capabilities: $(xargs <caps)" \
	    test "$(grep -cE 'Cap(Inh|Prm|Eff|Amb):.0{16}$' caps)" = 4
	check "no seccomp filter" grep -qE '^Seccomp:.2$' caps
	check "new privileges" grep -qE '^NoNewPrivs:.1$' caps
	if [[ $AS == root ]]; then
		check "its root is not empty: $(ls -A "/proc/$front/root/" |
		    head -n 3)" test -z "$(ls -A "/proc/$front/root/")"
		check "it is root" test "$(awk '$1 == "Uid:" { print $2 $3 $4 }' \
		    "/proc/$front/status")" != 000
	fi
	check_not "it has the UNIX socket or a file open" eval \
	    'ls -l /proc/$front/fd | grep -qE -e "-> /[^d]"'
	# What it never asks for it may not have.
	grep -E '^Max (open files|address space|data size|file size)' \
	    "/proc/$front/limits" >limits
	check "it may write files: $(xargs <limits)" \
	    grep -qE '^Max file size +0 ' limits
	kill "$pid"
	await "the end" gone_inside "$word"
fi

# As where sudo allows nothing of the kind: no more than that can be set.
if ! by_units && testcase "a server answers whose own limits are low already"
then
	as=("${T_AS[@]}")
	T_AS=(prlimit --core=0:0 --as=200000000:200000000 "${as[@]}")
	! is_plain || server_start MAYFLY_POOL=1
	T_AS=("${as[@]}")
	if require "it is built with sanitizers" is_plain; then
		http POST /run '{"command": "echo a"}'
		expect_code 200
		expect_json '.stdout == "a\n"'
		server_stop
	fi
fi

# Nothing is parsed by one that is not; where there is nobody else than root,
# it cannot become anybody else.
if ! by_units && testcase "a front that cannot be locked down answers 500"
then
	as=("${T_AS[@]}")
	T_AS=("${as[@]}" unshare --user --map-root-user)
	server_start
	T_AS=("${as[@]}")
	log_mark
	http POST /run '{"command": "echo a"}'
	expect_code 500
	expect_json '.code == "sandbox_failed"'
	check "its log says $(log_since)" log_has "the front's capabilities: "
	server_stop
fi

if testcase "the command has no more than its three streams"; then
	http_run 'exec perl -e "opendir D, q(/proc/self/fd);
	    @f = sort grep { /\d/ && readlink(qq(/proc/self/fd/\$_)) !~ m{/fd\$} }
	    readdir D; print qq(@f;), map { q( ) . readlink qq(/proc/self/fd/\$_) }
	    0 .. 2"'
	expect_json '.stdout | test("^0 1 2; (pipe:\\S+|/dev/null) pipe:\\S+ pipe:\\S+$")'
fi
