#!/bin/bash
# Real programs inside, as user 0 and as user 1000, where the host has them.
# as: root user
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

# Compilers and virtual machines need more than a small program; a slow
# machine needs time.
ROOMY=(--time 120000 --wall 180000 --nproc 200 --nofile 1024 --fsize 200000
    --disk 500000)

# works TEXT COMMAND...: as both users, out is TEXT.
works()
{
	local text=$1 user

	shift
	for user in 0 1000; do
		run "${ROOMY[@]}" --user "$user" --cwd /tmp -- "$@"
		[[ $status == 0 ]] || fail "as user $user status is $status"
		[[ $(cat out) == "$text" ]] ||
		    fail "as user $user out is not $text"
		[[ $t_state != failed ]] || return
	done
}

HELLO_C='#include <stdio.h>
#include <pthread.h>
static void *hi(void *x) { puts("hi"); return x; }
int main(void) { pthread_t t; pthread_create(&t, 0, hi, 0);
	return pthread_join(t, 0); }'
HELLO_CC='#include <iostream>
#include <thread>
int main() { std::thread t([] { std::cout << "hi" << std::endl; });
	t.join(); }'

for compiler in gcc clang; do
	if testcase "$compiler compiles C, and the program runs" &&
	    require "there is no $compiler" have "$compiler"; then
		works hi sh -c 'printf "%s" "$1" >a.c &&
		    "$0" -O2 -pthread -o a a.c && ./a' "$compiler" "$HELLO_C"
	fi
done

for compiler in g++ clang++; do
	if testcase "$compiler compiles C++, and the program runs" &&
	    require "there is no $compiler" have "$compiler"; then
		works hi sh -c 'printf "%s" "$1" >a.cc &&
		    "$0" -pthread -o a a.cc && ./a' "$compiler" "$HELLO_CC"
	fi
done

if testcase "python3 has threads, subprocesses and pipes" &&
    require "there is no python3" have python3; then
	works "10 45 hi" "$PYTHON" -c '
import concurrent.futures, subprocess, threading
n = []
ts = [threading.Thread(target=n.append, args=(i,)) for i in range(10)]
[t.start() for t in ts]; [t.join() for t in ts]
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    total = sum(pool.map(int, range(10)))
text = subprocess.run(["echo", "hi"], capture_output=True, text=True).stdout
print(len(n), total, text.strip())'
fi

if testcase "python3 has multiprocessing with locks and shared memory" &&
    require "there is no python3" have python3; then
	works "[0, 1, 4, 9] 4" "$PYTHON" -c '
import multiprocessing as mp
def square(x): return x * x
def add(v):
    with v.get_lock(): v.value += 1
if __name__ == "__main__":
    with mp.Pool(4) as pool: squares = pool.map(square, range(4))
    v = mp.Value("i", 0)
    ps = [mp.Process(target=add, args=(v,)) for _ in range(4)]
    [p.start() for p in ps]; [p.join() for p in ps]
    print(squares, v.value)'
fi

if testcase "python3 has ssl, sqlite, asyncio and a clock" &&
    require "there is no python3" have python3; then
	works "ok 3 done True" "$PYTHON" -c '
import asyncio, sqlite3, ssl, time
ssl.create_default_context()
db = sqlite3.connect("/tmp/db"); db.execute("create table if not exists t(x)")
db.execute("delete from t"); db.execute("insert into t values (3)")
db.commit()
async def main():
    server = await asyncio.start_server(lambda r, w: w.close(), "localhost", 0)
    server.close(); await asyncio.sleep(0.01); return "done"
print("ok", db.execute("select x from t").fetchone()[0],
      asyncio.run(main()), time.time() > 1.6e9)'
fi

if testcase "node runs workers, crypto and a local server" &&
    require "there is no node" have node; then
	works "hi from worker 64 pong" node -e '
const { Worker } = require("worker_threads");
const http = require("http"), crypto = require("crypto");
const hex = crypto.createHash("sha256").update("x").digest("hex");
new Worker("require(`worker_threads`).parentPort.postMessage(`worker`)",
    { eval: true }).on("message", w => {
  const s = http.createServer((q, r) => r.end("pong")).listen(0, "127.0.0.1",
    () => http.get({ host: "127.0.0.1", port: s.address().port }, r =>
      r.on("data", d => { console.log("hi from", w, hex.length, "" + d);
	s.close(); })));
});'
fi

if testcase "java runs, with threads and its garbage collector" &&
    require "there is no java" have java; then
	works "hi 1000" sh -c 'printf "%s" "$0" >A.java && exec java A.java' '
import java.util.stream.IntStream;
public class A {
	public static void main(String[] a) {
		long n = IntStream.range(0, 1000).parallel()
		    .mapToObj(i -> new byte[10000]).count();
		System.gc();
		System.out.println("hi " + n);
	}
}'
fi

if testcase "go builds and runs a program" &&
    require "there is no go" have go; then
	works "hi 10" sh -c 'printf "%s" "$0" >a.go && go run a.go' '
package main
import "fmt"
func main() {
	c := make(chan int)
	for i := 0; i < 10; i++ { go func() { c <- 1 }() }
	n := 0
	for i := 0; i < 10; i++ { n += <-c }
	fmt.Println("hi", n)
}'
fi

if testcase "perl has fork, sockets and files" &&
    require "there is no perl" have perl; then
	works "hi child" perl -e 'use Socket;
	    socketpair A, B, AF_UNIX, SOCK_STREAM, 0 or die;
	    if (!fork) { syswrite B, "child"; exit }
	    sysread A, $x, 99; wait; print "hi $x\n"'
fi

if testcase "git makes a repository, commits, clones and fetches" &&
    require "there is no git" have git; then
	works "one 1" sh -c 'export GIT_CONFIG_GLOBAL=/tmp/gitconfig
	    git config --file /tmp/gitconfig user.email a@example.com
	    git config --file /tmp/gitconfig user.name A
	    git init -q r && cd r && echo x >f && git add f &&
	    git commit -qm one && git gc -q && cd .. && git clone -q r c &&
	    cd c && git fetch -q &&
	    echo "$(git log --format=%s) $(git rev-list --count HEAD)"'
fi

if testcase "tar, gzip and xz with threads pack and unpack" &&
    require "there is no xz" have xz; then
	works same sh -c 'mkdir -p d/e && seq 50000 >d/e/f &&
	    tar -czf d.tgz d && tar -cf d.tar d && xz -T2 -k d.tar &&
	    mkdir u v && tar -xzf d.tgz -C u && tar -xJf d.tar.xz -C v &&
	    cmp u/d/e/f v/d/e/f && cmp u/d/e/f d/e/f && echo same'
fi

if testcase "make builds in parallel" &&
    require "there is no make" have make; then
	works $'a\nb\nc' sh -c \
	    'printf "all: a b c\na b c:\n\t@sleep 0.0; echo \$@ >\$@\n" \
		>Makefile; make -s -j4 && cat a b c'
fi

if testcase "sort, find, xargs, sed, awk and a pipeline of them work"; then
	works "10 /tmp/9" sh -c 'for i in 0 1 2 3 4 5 6 7 8 9; do
	    echo $i >$i; done; find /tmp -name "[0-9]" -type f |
	    xargs -P4 -n1 echo | sort | awk "{ n++; l = \$0 }
	    END { print n, l }" | sed s/x/y/'
fi

t_done
