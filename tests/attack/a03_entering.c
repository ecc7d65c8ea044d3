/*
 * A3: lies in wait for whoever enters the sandbox later, and reaches for his
 * descriptors, memory, root and directory. argv: a file for what was got.
 *
 * Leaves two such processes behind, in sessions of their own, which no signal
 * but SIGKILL ends, and itself ends once they are there.
 */
#include "attack.h"

#include <sys/ptrace.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int log_fd;

static void
got(int pid, const char *what)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "got %s of %d\n", what, pid);

	(void)!write(log_fd, text, (size_t)n);
}

static void
reach(int pid)
{
	static const char *const files[] = { "mem", "environ", "root", "cwd",
		"exe", "fd", "maps", "root/etc/passwd", "cwd/..", "fd/0",
		"fd/3", "syscall", "stack" };
	char path[64];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		if (open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY) >= 0)
			got(pid, files[i]);
	}
	if (ptrace(PTRACE_ATTACH, pid, 0, 0) == 0)
		got(pid, "a trace");
	if (kill(pid, SIGSTOP) == 0)
		got(pid, "a stop");
}

/* Every process that comes after those of this family. */
static void
lie_in_wait(int last)
{
	for (;;)
		for (int pid = last + 1; pid < last + 40; pid++)
			if (pid != getpid())
				reach(pid);
}

int
main(int argc, char *argv[])
{
	int ready[2], go[2], child = 0;
	char byte;

	if (argc != 2 || pipe2(ready, O_CLOEXEC) == -1 ||
	    pipe2(go, O_CLOEXEC) == -1)
		return 2;
	log_fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (log_fd == -1)
		return 2;
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (sig != SIGCHLD)
			signal(sig, SIG_IGN);
	for (int i = 0; i < 2; i++) {
		child = fork();
		if (child != 0)
			continue;
		setsid();
		(void)!write(ready[1], "", 1);
		if (read(go[0], &child, sizeof(child)) != sizeof(child))
			return 2;
		close(0);
		close(1);
		close(2);
		lie_in_wait(child);
	}
	for (int i = 0; i < 2; i++)
		if (read(ready[0], &byte, 1) != 1 ||
		    write(go[1], &child, sizeof(child)) != sizeof(child))
			return 2;
	return 0;
}
