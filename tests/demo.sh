#!/bin/bash
#
# Shows mayfly at work: real programs in sandboxes, and runs that each limit
# ends. `make demo` calls it. Fails when one of them does not end as it should.

set -u

MAYFLY=${MAYFLY:-build/mayfly}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
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

printf '\n'
if ((failed)); then
	echo 'Something did not end as it should: see UNEXPECTED above, and'
	echo 'try: mayfly doctor'
	exit 1
fi
echo 'All of it ended as it should. What this machine offers: mayfly doctor'
