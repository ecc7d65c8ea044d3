/*
 * C2: memory by every way to it.
 *
 * argv: a way, and how many MB to ask for. Prints how many were had, and what
 * ended it; whoever is killed on the way prints nothing.
 */
#include "attack.h"

#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MB (1 << 20)

static char block[MB];

/* Anonymous pages, each written. */
static int
anonymous(int i)
{
	char *p = mmap(NULL, MB, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)i;
	if (p == MAP_FAILED)
		return -1;
	memset(p, 1, MB);
	return 0;
}

/* Pages of files that no process maps: 8 MB a file, below the file limit. */
static int
unmapped(int fd)
{
	ssize_t n, had = 0;

	while (had < MB && (n = write(fd, block, MB - had)) > 0)
		had += n;
	return had == MB ? 0 : -1;
}

static int
memfd(int i)
{
	static int fd = -1;

	if (i % 8 == 0)
		fd = memfd_create("x", 0);
	return fd == -1 ? -1 : unmapped(fd);
}

/* Segments, detached again, belong to no process at all. */
static int
segment(int i)
{
	int id = shmget(IPC_PRIVATE, MB, IPC_CREAT | 0600);
	char *p = id == -1 ? (void *)-1 : shmat(id, NULL, 0);

	(void)i;
	if (p == (void *)-1)
		return -1;
	memset(p, 1, MB);
	return shmdt(p);
}

static int
file_in(const char *dir, int i)
{
	static int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "%s/fill.%d", dir, i / 8);
	if (i % 8 == 0) {
		if (fd != -1)
			close(fd);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
	}
	return fd == -1 ? -1 : unmapped(fd);
}

static int
tmp(int i)
{
	return file_in("/tmp", i);
}

static int
devshm(int i)
{
	return file_in("/dev/shm", i);
}

static int
run_shm(int i)
{
	return file_in("/run/shm", i);
}

static int
home(int i)
{
	return file_in(getuid() == 0 ? "/root" : "/home", i);
}

/* Sixteen pipes of 64 KB hold a megabyte. */
static int
pipes(int i)
{
	int p[2];

	(void)i;
	for (int n = 0; n < 16; n++) {
		if (pipe2(p, O_NONBLOCK) == -1)
			return -1;
		fcntl(p[1], F_SETPIPE_SZ, 1 << 16);
		if (write(p[1], block, 1 << 16) <= 0)
			return -1;
	}
	return 0;
}

static int
sockets(int i)
{
	int s[2], size = MB;
	ssize_t n, sum = 0;

	(void)i;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == -1)
		return -1;
	setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	while ((n = write(s[0], block, 65536)) > 0)
		sum += n;
	return sum > 0 ? 0 : -1;
}

/* Page tables: one page written in each 2 MB costs 4 KB of table as well. */
static int
tables(int i)
{
	char *p = mmap(NULL, (size_t)256 << 21, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)i;
	if (p == MAP_FAILED)
		return -1;
	madvise(p, (size_t)256 << 21, MADV_NOHUGEPAGE);
	for (size_t n = 0; n < 256; n++)
		p[n << 21] = 1;
	return 0;
}

/* Thirty processes, each below what one of them may have. */
static int
shares(int i)
{
	int pid = i % 2 == 0 ? fork() : 0;

	if (i % 2 != 0)
		return 0;
	if (pid == 0) {
		for (int n = 0; n < 32; n++)
			if (anonymous(n) == -1)
				break;
		for (;;)
			pause();
	}
	return pid == -1 ? -1 : 0;
}

static const struct way {
	const char *name;
	int (*one)(int i);
} ways[] = { { "anon", anonymous }, { "memfd", memfd }, { "segment", segment },
	{ "tmp", tmp }, { "devshm", devshm }, { "run", run_shm },
	{ "home", home }, { "pipes", pipes }, { "sockets", sockets },
	{ "tables", tables }, { "shares", shares } };

int
main(int argc, char *argv[])
{
	const struct way *w;
	int wanted = argc > 2 ? atoi(argv[2]) : 0, n = 0;

	signal(SIGXFSZ, SIG_IGN);
	memset(block, 1, sizeof(block));
	for (w = ways; w < ways + sizeof(ways) / sizeof(*ways); w++) {
		if (argc < 3 || strcmp(argv[1], w->name) != 0)
			continue;
		errno = 0;
		while (n < wanted && w->one(n) == 0)
			n++;
		printf("%d MB: %s\n", n, n < wanted ? outcome(errno) : "all");
	}
	if (argc > 3)
		sleep(atoi(argv[3]));
	return n >= wanted;
}
