/*
 * splice: how long a program's output takes to a client with nothing between
 * but the kernel.
 *
 *	splice COUNT COMMAND [ARGUMENT]...
 *
 * COUNT times a client connects over loopback, and a process of its own
 * accepts, starts the command with its output in a pipe, and moves that to the
 * connection with splice(2). Prints the median of the times from before the
 * connection to the end of what is read, and how much that was: `median_us=M
 * bytes=N`.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"

#define COUNT_MAX 10000
#define AT_ONCE (1 << 20)

static void
serve(int listener, char **argv)
{
	posix_spawn_file_actions_t to_pipe;
	int sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC), out[2];
	ssize_t n;
	pid_t pid;

	if (sock < 0 || pipe2(out, O_CLOEXEC) != 0)
		err(1, "accept");
	(void)posix_spawn_file_actions_init(&to_pipe);
	(void)posix_spawn_file_actions_adddup2(&to_pipe, out[1], 1);
	if (posix_spawn(&pid, argv[0], &to_pipe, NULL, argv, environ) != 0)
		err(1, "%s", argv[0]);
	(void)posix_spawn_file_actions_destroy(&to_pipe);
	(void)close(out[1]);
	while (
	    (n = splice(out[0], NULL, sock, NULL, AT_ONCE, SPLICE_F_MOVE)) > 0)
		;
	if (n < 0)
		err(1, "splice");
	(void)close(out[0]);
	(void)close(sock);
	if (waitpid(pid, NULL, 0) != pid)
		err(1, "wait");
}

/* Returns how much came. */
static size_t
ask(const struct sockaddr_in *a)
{
	static char buf[1 << 18];
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t sum = 0;
	ssize_t n;

	if (sock < 0 ||
	    connect(sock, (const struct sockaddr *)a, sizeof(*a)) != 0)
		err(1, "connect");
	while ((n = recv(sock, buf, sizeof(buf), 0)) > 0)
		sum += (size_t)n;
	(void)close(sock);
	return sum;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	static double times[COUNT_MAX];
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0, bytes = 0;
	pid_t pid;

	if (count < 1 || count > COUNT_MAX)
		errx(64, "usage: splice COUNT COMMAND [ARGUMENT]...");
	if (listener < 0 || bind(listener, (struct sockaddr *)&a, len) != 0 ||
	    listen(listener, 16) != 0 ||
	    getsockname(listener, (struct sockaddr *)&a, &len) != 0)
		err(1, "listen");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		for (size_t i = 0; i < count; i++)
			serve(listener, argv + 2);
		_exit(0);
	}
	for (size_t i = 0; i < count; i++) {
		double began = now_us();

		bytes = ask(&a);
		times[i] = now_us() - began;
	}
	(void)waitpid(pid, NULL, 0);
	qsort(times, count, sizeof(*times), compare);
	printf("median_us=%.0f bytes=%zu\n", times[(count - 1) / 2], bytes);
	return 0;
}
