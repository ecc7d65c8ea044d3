#!/bin/bash
# B1: paths of files to place and to collect, and of directories to start in,
# that lead out of the sandbox: links, "..", /proc's links, names that races
# exchange.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/attack/http.sh
. "$(dirname "$0")/http.sh"
ROW=B1
CANARY=$T_ROOT/case/canary
WORD=sings-$RANDOM

# A file of the host's that everybody may read and write, if he gets there.
make_canary()
{
	mkdir -m 0777 "$CANARY"
	echo "$WORD" >"$CANARY/secret"
	chmod 0666 "$CANARY/secret"
}

expect_canary()
{
	[[ $(ls -A "$CANARY") == secret && $(<"$CANARY/secret") == "$WORD" &&
	    $(stat -c %a "$CANARY" "$CANARY/secret" | xargs) == '777 666' ]] ||
	    fail "$1: the host's directory has changed: $(ls -lA "$CANARY")"
	! grep -qaF "$WORD" out answers 2>/dev/null ||
	    fail "$1: the host's file was read"
}

# Makes the links inside, in /tmp/links, and a file that may be had.
LINKS='mkdir -p /tmp/links && cd /tmp/links || exit 1
    echo own >own; mkdir dir; echo own >dir/own
    ln -s "$C" abs; ln -s "$C/secret" file
    ln -s "../../../../../../../../..$C" up
    ln -s / root; ln -s /.. above; ln -s abs one; ln -s one two
    ln -s /proc/self/root selfroot; ln -s /proc/1/root initroot
    ln -s /proc/1/cwd initcwd; ln -s /proc/self/cwd selfcwd
    ln -s /proc/self/fd fds; ln -s /proc/1/fd initfds
    ln -s /proc/self/task taskdir; ln -s loop loop
    ln -s "dir/../../..$C" mixed; ln -s own good'

# Paths to the canary; each ends in /secret, or in what stands for it.
shapes()
{
	local n

	printf '%s\n' "$CANARY/secret" "../../../../../../../../..$CANARY/secret" \
	    abs/secret up/secret "root$CANARY/secret" "above$CANARY/secret" \
	    two/secret file mixed/secret "dir/../up/secret" \
	    "selfroot$CANARY/secret" "initroot$CANARY/secret" \
	    "selfcwd/../../..$CANARY/secret" "initcwd/../..$CANARY/secret" \
	    "taskdir/1/root$CANARY/secret" "/proc/1/task/1/cwd$CANARY/secret" \
	    "/proc/self/root/..$CANARY/secret" "/proc/2/root$CANARY/secret" \
	    "/dev/../..$CANARY/secret" "/dev/fd/../root$CANARY/secret" \
	    "/sys/../..$CANARY/secret" "//$CANARY//./secret" loop/secret \
	    "abs/../canary/secret" "./././abs/./secret" \
	    "%2e%2e/%2e%2e$CANARY/secret" '..\..\secret' "./~/secret" \
	    "/usr/../..$CANARY/secret" "/run/shm/../../..$CANARY/secret"
	for n in {0..24}; do
		printf '%s\n' "/proc/self/fd/$n" "initfds/$n" "fds/$n/secret" \
		    "fds/$n/../meta" "fds/$n/../../canary/secret"
	done
}

# The requests that do something with each path, from this jq program.
each_shape()
{
	shapes | jq -Rc --arg user "$INSIDE" --arg path "$2" "{path: \$path,
	    body: ({command: \"true\", user: \$user} + $1)}"
}

# What the server keeps for itself, apart from what runs have written; in `ids`
# is who had which range.
kept_files()
{
	# A session's record is written when its run has been answered.
	await "the last request's end" eval '[[ -z $(serving) ]]' >&2
	find "$MAYFLY_STATE_DIR" "$MAYFLY_RUN_DIR" -path '*/upper' -prune -o \
	    -path '*/work' -prune -o -type f ! -name meta \
	    -printf '%P %m %s %U\n' | sed -E 's/^(ids [0-9]+) [0-9]+/\1/' | sort
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "files are placed nowhere outside"; then
		make_canary
		session
		in_session "$LINKS" "{env: {C: \"$CANARY\"}}"
		expect_json '.exit_code == 0'
		kept_files >before
		each_shape '{cwd: "/tmp/links", files: [{path: .,
		    content: "planted", mode: "0000"}]}' \
		    "/sessions/$id/run" | send_all 1
		expect_each '.code == 200 or .code == 422'
		expect_canary placed
		kept_files | diff before - >differs ||
		    fail "files of the server's own have changed: $(<differs)"
		in_session 'cat /tmp/links/own'
		expect_json '.stdout == "own\n"'
		# Without a session there is nobody who could have made links.
		each_shape '{files: [{path: ., content: "planted"}]}' /run |
		    send_all
		expect_each '.code == 200 or .code == 422'
		expect_canary "placed without a session"
		forget
	fi

	if attackcase "nothing from outside is collected"; then
		make_canary
		script "$LINKS" "$(shapes | head -n 240 | jq -Rn \
		    --arg c "$CANARY" '{env: {C: $c}, cwd: "/tmp",
		    collect: (["links/good"] + [inputs | if startswith("/")
		    then . else "links/" + . end])}')" >request
		http POST /run @request
		expect_code 200
		expect_canary collected
		expect_json '.files[0].content == "own\n"'
		expect_json '[.files[].content] - ["own\n"] == []'
	fi

	if attackcase "what the server is called by is not collected"; then
		http_run true '{collect: ["cmdline", "environ", "maps", "smaps",
		    "auxv", "mountinfo", "stat", "task/1/cmdline", "mem",
		    "cgroup", "limits", "../1/cmdline", "../1/environ",
		    "../1/maps"], cwd: "/proc/self"}'
		expect_code 200
		expect_json '(.files // []) == []'
		http_run true '{collect: ["/proc/self/exe", "/proc/version",
		    "/proc/thread-self/cmdline", "/proc/cmdline"]}'
		expect_json '[.files[]?.path] - ["/proc/self/exe"] == []'
		expect_out_lacks "$T_ROOT"
	fi

	if attackcase "no directory to start in is outside"; then
		make_canary
		session
		in_session "$LINKS" "{env: {C: \"$CANARY\"}}"
		expect_json '.exit_code == 0'
		{
			shapes | sed 's|/secret$||'
			printf '%s\n' /proc/self/cwd /proc/1/cwd initcwd dir
		} | sed 's|^[^/]|/tmp/links/&|' | sort -u >directories
		jq -Rc --arg path "/sessions/$id" --arg user "$INSIDE" '
		    {path: ($path + "/run"), body: {cwd: ., user: $user,
		    command: "ls -la; cat secret meta ../meta; echo x >planted;
		    echo x >secret"}}, {path: ($path + "/cwd"),
		    body: {cwd: .}}' <directories | send_all 1
		expect_each '.code == 200 or .code == 422'
		expect_canary entered
		check "no answer is 200" grep -q '"code": 200' answers
		check "the record was read" test \
		    "$(grep -cF mayfly-session answers)" = 0
		forget
	fi

	if attackcase "what races while files are collected is over"; then
		make_canary
		# Exchanged without end by a process that outlives the command.
		program swap
		base64 -w 0 "$ATTACK/swap" | jq -Rc --arg c "$CANARY" \
		    --arg user "$INSIDE" '{user: $user, cwd: "/tmp",
		    env: {C: $c}, command: "mkdir a other; echo own >a/secret;
		    echo other >other/secret; ln -s other b; ln -s \"$C\" c
		    (trap \"\" HUP TERM; setsid ./swap a b & setsid ./swap b c &
		    ) >/dev/null 2>&1; sleep 0.1", files: [{path: "swap",
		    base64: ., mode: "0755"}], collect: [range(80) |
		    "a/secret", "b/secret", "c/secret"]} |
		    {body: .}, {body: .}, {body: .}, {body: .}' | send_all 2
		expect_each '.code == 200 and (.body.files | length) == 160 and
		    ([.body.files[] | [.path, .content]] | unique |
		    length) == 2'
		expect_canary raced
	fi
done
http_look_back
t_done
