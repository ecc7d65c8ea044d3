# shellcheck shell=bash
#
# POST /run: each field of a run and each of its result, mayfly-api(7).

# shellcheck source=tests/http/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck disable=SC2016 # programs in single quotes are for inside
SPIN='while :; do :; done'

# The run ended with this reason by a limit.
expect_ended()
{
	expect_code 200
	expect_json ".reason == \"$1\" and .exit_code == null and .signal == 9"
}

if testcase "the result has the fields of the API, and no others"; then
	http POST /run '{"command": ["/bin/echo", "hi"]}'
	expect_code 200
	expect_field Content-Type application/json
	expect_field Content-Length "$(stat -c %s out)"
	expect_field Connection close
	expect_json '(keys - ["files"]) == ["enforced", "exit_code", "reason",
	    "signal", "stderr", "stdout", "truncated", "usage"]'
	expect_json '.stdout == "hi\n" and .stderr == ""'
	expect_json '.exit_code == 0 and .signal == null and .reason == "exit"'
	expect_json '.truncated == {stdout: false, stderr: false}'
	expect_json '(.usage | keys) == ["cpu_ms", "memory_kb", "wall_ms"] and
	    (.usage | all(. >= 0 and . == floor)) and .usage.wall_ms < 30000'
	expect_json '(.enforced | keys) == ["cpus", "disk", "fsize", "mem",
	    "nofile", "nproc", "output", "session_disk", "stack", "time",
	    "wall"]'
	expect_json '.enforced | all(IN("cgroup", "rlimit", "timer", "reader",
	    "tmpfs", "quota", "sampled", "none"))'
	expect_json '(.files // []) == []'
fi

if testcase "it says of each limit what mayfly run says"; then
	beside run --json -- true </dev/null >cli 2>err
	http POST /run '{"command": "true"}'
	expect_code 200
	check "enforced differs: $(jq -c .enforced cli)" test \
	    "$(jq -S .enforced cli)" = "$(jq -S .enforced out)"
fi

if testcase "a string is run by the shell, a list is not"; then
	http POST /run '{"command": "echo $((1+1)) \"$0\" | tr 2 3; exit 5"}'
	expect_json '(.stdout | startswith("3 ")) and .exit_code == 5'
	http POST /run '{"command": ["echo", "$HOME", "a  b", "", "*", "é"]}'
	expect_json '.stdout == "$HOME a  b  * é\n"'
fi

if testcase "both streams come, apart"; then
	http_run 'echo one; echo two >&2; echo three'
	expect_json '.stdout == "one\nthree\n" and .stderr == "two\n"'
fi

if testcase "how a command ended is said as the API says"; then
	http_run 'exit 7'
	expect_json '.exit_code == 7 and .signal == null and .reason == "exit"'
	http_run 'kill -SEGV $$'
	expect_json '.exit_code == null and .signal == 11 and
	    .reason == "signal"'
	http POST /run '{"command": ["no-such-command"]}'
	expect_code 200
	expect_json '.exit_code == 127 and .reason == "exit"'
	http POST /run '{"command": ["/etc/passwd"]}'
	expect_code 200
	expect_json '.exit_code == 126 and .reason == "exit"'
	http POST /run '{"command": [""]}'
	expect_code 200
	expect_json '.exit_code == 127 or .exit_code == 126'
fi

if testcase "a limit ends a run, and what was read is returned"; then
	http_run "echo before; $SPIN" '{time: 200}'
	expect_ended time
	expect_json '.stdout == "before\n" and .usage.cpu_ms >= 200'
	http_run 'echo before; exec sleep 60' '{wall: 300}'
	expect_ended wall
	expect_json '.stdout == "before\n" and .usage.wall_ms >= 300'
	http_run 'echo before; exec perl -e "\$_ = q(x) x 2e8; sleep 60"' \
	    '{mem: 65536, wall: 20000}'
	expect_json '.stdout == "before\n" and .reason == "memory"'
fi

if testcase "output is kept up to its limit, and then is the end"; then
	http_run 'head -c 1000 /dev/zero | tr "\0" a; exec sleep 60' \
	    '{output: 999}'
	expect_ended output
	expect_json '.truncated == {stdout: true, stderr: false} and
	    .stdout == "a" * 999'
	http_run 'head -c 1000 /dev/zero | tr "\0" a >&2' '{output: 1000}'
	expect_json '.reason == "exit" and (.stderr | length) == 1000 and
	    .truncated == {stdout: false, stderr: false}'
	http_run 'exec cat /dev/zero' '{time: 60000}'
	expect_ended output
	expect_json '(.stdout | length) == 1048576 and .truncated.stdout'
	http_run 'echo a' '{output: 0}'
	expect_ended output
	expect_json '.stdout == "" and .truncated.stdout'
fi

if testcase "more output than can be held is an error with a way out"; then
	http_run 'exec perl -e "print q(a) x 1000000 for 1 .. 400"' \
	    '{output: 500000000, time: 60000, wall: 60000}'
	if [[ $code == 200 ]]; then
		expect_json '(.stdout | length) == 400000000'
	else
		expect_error 500 sandbox_failed stream
	fi
fi

if testcase "bytes that are no text come exactly, and as text as well"; then
	http_run 'printf "a\377b\0c"; printf "\303" >&2'
	expect_json '.stdout == "a\ufffdb\u0000c" and .stderr == "\ufffd"'
	expect_json '.stdout_base64 == "Yf9iAGM=" and .stderr_base64 == "ww=="'
	http_run 'printf "é\0\33[1m\177</script>\342\200\250"'
	expect_json '.stdout == "é\u0000\u001b[1m\u007f</script>\u2028" and
	    (has("stdout_base64") | not)'
	http_run 'perl -e "print map { chr } (0 .. 255) x 40"'
	jq -r .stdout_base64 out | base64 -d >bytes
	perl -e 'print map { chr } (0 .. 255) x 40' | cmp -s - bytes ||
	    fail "256 bytes did not come back"
	# Half a character at the very end of what is kept.
	http_run 'printf "aé"; exec sleep 60' '{output: 2}'
	expect_json '.stdout == "a\ufffd" and .stdout_base64 == "YcM="'
fi

if testcase "stdin is what is given, and ends"; then
	http POST /run '{"command": "cat", "stdin": "text é\n"}'
	expect_json '.stdout == "text é\n"'
	http POST /run '{"command": "od -An -tx1", "stdin":
	    {"base64": "AP8K"}}'
	expect_json '.stdout == " 00 ff 0a\n"'
	http POST /run '{"command": "cat; echo end"}'
	expect_json '.stdout == "end\n"'
	http POST /run '{"command": "cat; echo end", "stdin": ""}'
	expect_json '.stdout == "end\n"'
	{
		printf '{"command": "md5sum", "stdin": "'
		head -c 3000000 /dev/zero | tr '\0' z
		printf '"}'
	} >request
	http POST /run @request
	sum=$(head -c 3000000 /dev/zero | tr '\0' z | md5sum)
	expect_json ".stdout == \"$sum\\n\""
	# Nobody reads it, or not all of it.
	jq -c '.command = "true"' request >unread
	http POST /run @unread
	expect_json '.exit_code == 0'
	jq -c '.command = "head -c 5"' request >unread
	http POST /run @unread
	expect_json '.stdout == "zzzzz"'
	jq -c '.command = "exec <&-; sleep 0.2; echo on"' request >unread
	http POST /run @unread
	expect_json '.stdout == "on\n"'
fi

if testcase "the environment is what is given, and nothing of the server's"
then
	http POST /run '{"command": ["env"], "env": {"A": "1", "B": "x = y",
	    "C": "", "É": "ö"}}'
	jq -r .stdout out | sed '$d' | sort >names
	path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	printf '%s\n' A=1 'B=x = y' C= HOME=/root "PATH=$path" 'É=ö' | sort |
	    cmp -s - names || fail "it is $(tr '\n' ' ' <names)"
	http POST /run '{"command": ["env"], "env": {"PATH": "/usr/bin:/bin",
	    "HOME": "/tmp"}}'
	expect_json '.stdout | split("\n") | sort ==
	    ["", "HOME=/tmp", "PATH=/usr/bin:/bin"]'
fi

if testcase "directory, user and network are those of the request"; then
	http POST /run '{"command": "pwd", "cwd": "/usr/bin"}'
	expect_json '.stdout == "/usr/bin\n"'
	http POST /run '{"command": "pwd", "cwd": null}'
	expect_json '.stdout == "/\n"'
	http POST /run '{"command": "id -u; id -g", "user": "1000:50"}'
	expect_json '.stdout == "1000\n50\n"'
	http POST /run '{"command": "grep -c : /proc/net/dev",
	    "network": "none"}'
	expect_json '.stdout == "1\n"'
	http POST /run '{"command": ["perl", "-e",
	    "use Socket; print socket(S, AF_INET, SOCK_STREAM, 0) ? 1 : 0"],
	    "network": "off"}'
	expect_json '.stdout == "0"'
	http POST /run '{"command": "true", "image": "host"}'
	expect_code 200
fi

if testcase "limits are those of the request"; then
	http_run 'ulimit -n; ulimit -s; ulimit -f' \
	    '{nofile: 40, stack: 4096, fsize: 100}'
	expect_json '.stdout == "40\n4096\n200\n" or .stdout == "40\n4096\n100\n"'
	http_run 'head -c 200000 /dev/zero >/tmp/a; echo $?
	    stat -c %s /tmp/a' '{fsize: 100}'
	expect_json '.stdout | endswith("102400\n")'
	http_run 'head -c 900000 /dev/zero >/tmp/a; stat -c %s /tmp/a' \
	    '{disk: 256}'
	expect_json '(.stdout | tonumber) <= 262144'
	http_run 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done' '{nproc: 4}'
	expect_json '.exit_code != 0 or (.stderr | test("fork|esource"))'
fi

if testcase "files are placed before the start"; then
	http POST /run '{"cwd": "/tmp", "command":
	    "cat a.txt b/c/d.bin; ls -ln run.sh b/c; ./run.sh", "files": [
	    {"path": "a.txt", "content": "text é\n"},
	    {"path": "b/c/d.bin", "base64": "YgoA", "mode": "0600"},
	    {"path": "run.sh", "content": "#!/bin/sh\necho ran\n",
		"mode": "0755"},
	    {"path": "empty", "content": ""}]}'
	expect_code 200
	expect_json '.stdout | startswith("text é\nb\n\u0000")'
	expect_json '.stdout | endswith("ran\n")'
	expect_json '.stdout | test("-rwxr-xr-x.*run.sh")'
	expect_json '.stdout | test("-rw-------.*d.bin")'
	http POST /run '{"command": "stat -c \"%a %s\" f", "cwd": "/tmp",
	    "files": [{"path": "f", "content": ""}]}'
	expect_json '.stdout == "644 0\n"'
	# The last one of a name counts, and what was there is replaced.
	http POST /run '{"command": "cat f", "cwd": "/tmp", "files":
	    [{"path": "f", "content": "1234"}, {"path": "f",
	    "content": "5"}]}'
	expect_json '.stdout == "5"'
fi

if testcase "a large file arrives, and a user can read what was placed"; then
	head -c 2000000 /dev/urandom >large
	base64 -w 0 large | jq -Rc '{command: "md5sum <large", cwd: "/tmp",
	    files: [{path: "large", base64: .}]}' >request
	http POST /run @request
	expect_json ".stdout == \"$(md5sum <large)\\n\""
	if [[ $AS != user ]]; then
		http POST /run '{"command": "cat f; echo more >>f && tail -1 f",
		    "cwd": "/tmp", "user": "1000",
		    "files": [{"path": "f", "content": "mine\n"}]}'
		expect_json '.stdout == "mine\nmore\n"'
	fi
fi

if testcase "a file that cannot be placed is the request's fault"; then
	for path in /proc/version /dev/null/x /usr/bin/sh/x "$(
	    printf 'a/%.0s' {1..300})x" ../../../../../../etc/x/../..; do
		http POST /run "{\"command\": \"true\", \"cwd\": \"/tmp\",
		    \"files\": [{\"path\": \"$path\", \"content\": \"a\"}]}"
		[[ $code == 200 || $code == 422 ]] ||
		    fail "$path: status $code, $(head -c 300 out)"
	done
	for path in /usr/x /proc/sys/kernel/hostname; do
		http POST /run "{\"command\": \"true\",
		    \"files\": [{\"path\": \"$path\", \"content\": \"a\"}]}"
		expect_error 422 invalid_field "files: $path: Read-only"
	done
	# More than there is room for.
	head -c 200000 /dev/zero | base64 -w 0 | jq -Rc '{command: "true",
	    cwd: "/tmp", disk: 64, files: [{path: "f", base64: .}]}' >request
	http POST /run @request
	expect_code 422
fi

if testcase "files are collected when they are there"; then
	http_run 'mkdir out; echo result >out/a.txt
	    printf "\377\0" >b; : >c; exit 3' '{cwd: "/tmp", collect:
	    ["out/a.txt", "b", "c", "none", "out/none", "/tmp/b"]}'
	expect_json '.exit_code == 3 and (.files | map(.path)) ==
	    ["out/a.txt", "b", "c", "/tmp/b"]'
	expect_json '.files[0].content == "result\n" and .files[0].size == 7 and
	    .files[0].truncated == false'
	expect_json '.files[1].base64 == "/wA=" and .files[1].size == 2'
	expect_json '.files[2].content == "" and .files[2].size == 0'
fi

if testcase "what a limit ended is collected as well"; then
	for end in 'wall: 1500|sleep 60' "time: 200|$SPIN" 'output: 1000|yes'
	do
		# It may say what it likes to PID 1, which does not hear it.
		http_run '(sleep 60 &); echo part >f; kill -TERM 1
		    kill -CHLD 1; trap "" TERM;'"${end#*|}" \
		    "{${end%|*}, cwd: \"/tmp\", collect: [\"f\", \"g\"]}"
		expect_ended "${end%%:*}"
		expect_json '(.files | length) == 1 and
		    .files[0].content == "part\n"'
	done
	# Nothing is waited for where no more memory may be used.
	http_run 'echo part >f; exec perl -e "\$a = q(x) x (1 << 28); sleep 60"' \
	    '{mem: 65536, wall: 20000, cwd: "/tmp", collect: ["f"]}'
	expect_ended memory
	expect_json '.files == []'
fi

if testcase "PID 1 that does not give files back ends with the run"; then
	# It is stopped, as if it got no CPU; the other waits for a signal.
	word=held-$$
	for more in '' '$a = q(x) x ($$ * 0 + 2 ** 28);'; do
		stream /run "$(script "exec perl -e '\$| = 1;
		    \$SIG{USR1} = sub {}; print qq(up\n); sleep 600;
		    print q(y) x 2000; select undef, undef, undef, 0.3;
		    $more sleep 600' $word" '{wall: 60000, mem: 65536,
		    output: 1000, cwd: "/tmp", collect: ["f"]}')"
		await "the command" eval "grep -q up events && runs_inside $word"
		held=$(inside "$word")
		kill -STOP "$(awk '$1 == "PPid:" { print $2 }' \
		    "/proc/$held/status")"
		kill -USR1 "$held"
		began=$SECONDS
		stream_end
		check "it took $((SECONDS - began)) s" \
		    test $((SECONDS - began)) -lt 8
		check "it is not ended by output" \
		    jq -es '.[-1].reason == "output" and .[-1].files == []' out
		# More memory than it may have it does not get until then.
		[[ -z $more ]] || check "the memory was not looked at" \
		    jq -es '.[-1].usage.memory_kb >= 60000' out
		await "the end" gone_inside "$word"
	done
fi

if testcase "what the command's user can read is collected"; then
	secret='echo a >none; chmod 0 none; mkdir dir; echo b >dir/in
	    chmod 0 dir'
	http_run "$secret; echo c >other; chmod 600 other; chown 5:5 other" \
	    '{cwd: "/tmp", collect: ["none", "dir/in", "other"]}'
	if [[ $AS != user ]]; then
		expect_json '[.files[].content] == ["a\n", "b\n", "c\n"]'
		http_run "$secret" '{cwd: "/tmp", user: "1000",
		    collect: ["none", "dir/in"]}'
		expect_json '.files == []'
	else
		# With one id there is no chown.
		expect_json '[.files[].content] == ["a\n", "b\n", "c\n"]'
	fi
fi

if testcase "a file that is too large is collected as far as there is room"
then
	http_run 'head -c 9000000 /dev/zero | tr "\0" x >f' \
	    '{cwd: "/tmp", collect: ["f"]}'
	expect_json '.files[0].size == 9000000'
	expect_json '.files[0] | if .truncated then (.content | length) < 9000000
	    else (.content | length) == 9000000 end'
	http_run 'truncate -s 1T f && echo made' \
	    '{cwd: "/tmp", fsize: 1099511627776, collect: ["f"]}'
	expect_json '.stdout == "" or (.files[0].truncated and
	    .files[0].size == 1099511627776)'
	# Who collects has no more of it in memory than comes back.
	http_run 'head -c 16777216 /dev/zero | tr "\0" x >full
	    truncate -s 1G f' '{cwd: "/tmp", mem: 262144, fsize: 1048576,
	    output: 1073741824, collect: ["full", "f"]}'
	expect_json '[.files[] | [.size, (.content | length)]] ==
	    [[16777216, 16777216], [1073741824, 0]]'
	expect_json '.files[1].truncated and .usage.memory_kb <= 262144'
fi

if testcase "what is no file is not collected, and holds nothing up"; then
	began=$SECONDS
	http_run 'mkfifo fifo; mkdir dir; ln -s fifo link; ln -s self self
	    ln -s /dev/zero zero; ln -s /proc/kmsg proc; echo x >real
	    ln -s real good; chmod 0 real; ln -s /no/such gone
	    perl -MSocket -e "socket(S, AF_UNIX, SOCK_STREAM, 0);
	    bind(S, pack_sockaddr_un(q(sock)))"' '{cwd: "/tmp",
	    collect: ["fifo", "dir", "link", "self", "zero", "proc", "gone",
	    "sock", "/dev/zero", "/dev/tty", "/proc/self/mem", "real/x"]}'
	expect_code 200
	expect_json '[(.files // [])[].path] - ["proc"] == []'
	check "it took $((SECONDS - began)) s" test $((SECONDS - began)) -lt 15
fi

if testcase "names of files are kept as they are"; then
	http_run 'printf 1 >"é
\"x\""' '{cwd: "/tmp", collect: ["é\n\"x\""]}'
	expect_json '.files[0].path == "é\n\"x\"" and .files[0].content == "1"'
fi

if testcase "the administrator's maximum counts, and is named"; then
	server_start MAYFLY_MAX_TIME=1000 MAYFLY_MAX_WALL=2000 \
	    MAYFLY_DEFAULT_NOFILE=33 MAYFLY_MAX_OUTPUT=100
	http POST /run '{"command": "true", "time": 1001}'
	expect_error 422 invalid_field 'time.*1000'
	http POST /run '{"command": "true", "time": 1000}'
	expect_code 200
	http POST /run '{"command": "ulimit -n"}'
	expect_json '.stdout == "33\n"'
	http POST /run '{"command": ["sh", "-c", "exec sleep 60"]}'
	expect_ended wall
	http_run 'exec cat /dev/zero'
	expect_json '.reason == "output" and (.stdout | length) == 100'
	server_stop
fi

if testcase "a wrong configuration serves nothing, and says why in the log"
then
	log_mark
	# The server itself may be what refuses, and then does not answer.
	server_start MAYFLY_MAX_RUNS=many
	HTTP_MARK=0
	http POST /run '{"command": "true"}'
	check_not "it is served" test "$code" = 200
	await "max_runs in the log" log_has max_runs
	server_stop
fi

if testcase "twenty runs at once each give their own result"; then
	for i in {1..20}; do
		curl -sS -H 'Content-Type: application/json' -o "out.$i" \
		    -d "{\"command\": \"echo $i; exit $i\"}" \
		    "http://$HTTP_TCP/run" 2>"err.$i" &
		pids[i]=$!
	done
	for i in {1..20}; do
		wait "${pids[i]}"
		jq -e ".stdout == \"$i\\n\" and .exit_code == $i" "out.$i" \
		    >/dev/null 2>&1 ||
		    fail "run $i: $(head -c 200 "out.$i" "err.$i")"
	done
fi
