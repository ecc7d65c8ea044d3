#!/bin/bash
#
# Shows mayfly at work: real programs in sandboxes, and runs that each limit
# ends. `make demo` calls it. Fails when one of them does not end as it should.

set -u

MAYFLY=${MAYFLY:-build/mayfly}
work=$(mktemp -d) || exit 1
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT
chmod 755 "$work" # what only root may read is not readable inside
failed=0

# show EXPECTED-STATUS TITLE ARGUMENT-OF-RUN...
show()
{
	local expected=$1 title=$2 status

	shift 2
	printf '\n== %s\n' "$title"
	printf '$ mayfly run %s\n' "$(tr '\n\t' '  ' <<<"$*" | cut -c1-150)"
	"$MAYFLY" run "$@" 2>&1 | sed 's/^/  /'
	status=${PIPESTATUS[0]}
	printf '  -> exit code %s\n' "$status"
	if ((status != expected)); then
		printf '  UNEXPECTED: %s was expected\n' "$expected"
		failed=1
	fi
}

cat >"$work/threads.py" <<'END'
import threading
results = []
def work(n):
    results.append(sum(i * i for i in range(n)))
threads = [threading.Thread(target=work, args=(10000 * i,)) for i in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(len(results), "threads, the largest sum is", max(results))
END
cat >"$work/hello.c" <<'END'
#include <stdio.h>
#include <unistd.h>
int main(void) {
	printf("compiled and run inside, as user %d, PID %d\n", getuid(), getpid());
	return 0;
}
END

show 0 'A shell command: it sees a machine of its own' -- \
    sh -c 'id; hostname; echo "processes: $(ls -d /proc/[0-9]* | wc -l)"'
show 0 'A Python program with threads' --ro-bind "$work:/job" -- \
    python3 /job/threads.py
show 0 'A C program, compiled and run inside' --ro-bind "$work:/job" -- \
    sh -c 'gcc -o /tmp/hello /job/hello.c && /tmp/hello'
show 3 'The exit code is the command'"'"'s' -- sh -c 'exit 3'
show 124 'Stopped by its CPU time' --time 500 -- \
    sh -c 'while :; do :; done'
show 124 'Stopped by elapsed time' --wall 500 -- sleep 60
show 124 'Stopped by memory' --mem 65536 -- \
    python3 -c 'x = bytearray(500 << 20)'
show 124 'Stopped by its output' --output 40 -- yes mayfly
show 0 'Refused more than four processes' --nproc 4 -- python3 -c '
import os, time
n = 0
try:
    while True:
        if os.fork() == 0: time.sleep(9)
        n += 1
except OSError as e:
    print("after", n, "children:", e.strerror)'
show 0 'Nothing of the host, and no network' -- \
    sh -c 'ls /home /root; cat /etc/shadow 2>&1; tail -n +3 /proc/net/dev |
	cut -d: -f1'

# A root of its own, of one program; and a session in it, which is taken along.
export MAYFLY_STATE_DIR=$work/state MAYFLY_RUN_DIR=$work/run
mkdir -p "$work/root/bin"
gcc -static -o "$work/root/bin/hello" "$work/hello.c" || failed=1

# verb TITLE WORD...: what it prints stays in $answer
verb()
{
	printf '\n== %s\n$ mayfly %s\n' "$1" "${*:2}"
	answer=$("$MAYFLY" "${@:2}" 2>&1) || {
		printf '  UNEXPECTED: it failed\n'
		failed=1
	}
	sed 's/^/  /' <<<"$answer"
}

verb 'An image of a directory' image import-dir "$work/root" hello
show 0 'A run in it: there is nothing else' --image hello -- hello
verb 'A session in it' session create --image hello
id=$answer
verb 'An image as a layout that others take' image export hello \
    "oci:$work/layout"
printf '\n== Its archive, and an image of that\n'
printf '$ mayfly session export %s | mayfly image import - again\n' "$id"
"$MAYFLY" session export "$id" | "$MAYFLY" image import - again ||
    failed=1
verb 'What there is now' image list

# The same over HTTP, on a socket of this demonstration's own.
"$MAYFLY" serve --listen "$work/api.sock" 2>"$work/log" &
server=$!
for ((i = 0; i < 100; i++)); do
	[[ ! -S $work/api.sock ]] || break
	sleep 0.05
done

# ask EXPECTED TITLE METHOD PATH [JSON [ACCEPT]]: the answer stays in $answer
ask()
{
	local expected=$1 title=$2 method=$3 path=$4 json=${5:-} accept=${6:-}
	local words=(-sS -N -X "$method" --unix-socket "$work/api.sock")

	printf '\n== %s\n' "$title"
	printf '$ curl -X %s http://localhost%s%s%s\n' "$method" "$path" \
	    "${accept:+ -H 'Accept: $accept'}" "${json:+ -d '$json'}"
	[[ -z $json ]] || words+=(-H 'Content-Type: application/json' -d "$json")
	[[ -z $accept ]] || words+=(-H "Accept: $accept")
	answer=$(curl "${words[@]}" "http://localhost$path" 2>&1)
	fold -w 78 <<<"$answer" | sed 's/^/  /'
	if [[ $answer != *"$expected"* ]]; then
		printf '  UNEXPECTED: it should hold %s\n' "$expected"
		failed=1
	fi
}

ask '"stdout":"42\n"' 'A run over HTTP' POST /run \
    '{"command": ["python3", "-c", "print(6 * 7)"]}'
ask '"type":"exit"' 'A run whose output is streamed' POST /run \
    '{"command": "for i in 1 2 3; do echo $i; sleep 0.1; done"}' \
    application/x-ndjson
ask '"session_id"' 'A session: files that stay from run to run' \
    POST /sessions '{"env": {"NAME": "mayfly"}}'
id=$(sed 's/.*"session_id":"\([a-z0-9]*\)".*/\1/' <<<"$answer")
ask '"exit_code":0' 'The first run in it writes a file' \
    POST "/sessions/$id/run" '{"command": "echo kept by $NAME >note"}'
ask 'kept by mayfly' 'The second one reads it' \
    POST "/sessions/$id/run" '{"command": "cat note"}'
ask '' 'The session goes' DELETE "/sessions/$id"
kill "$server"
wait "$server"
server=

printf '\n'
if ((failed)); then
	echo 'What the server has said:'
	sed 's/^/  /' "$work/log"
	echo 'Something did not end as it should: see UNEXPECTED above, and'
	echo 'try: mayfly doctor'
	exit 1
fi
echo 'All of it ended as it should. What this machine offers: mayfly doctor'
