/*
 * What a request costs, beside the command that does the same: each once a
 * round, so that whatever the machine does meanwhile meets all of them.
 *
 *	http [OPTION VALUE]... ROUNDS MAYFLY PORT
 *		--pause MS	before each, as requests come to a server
 *		--cold PORT	one that has nothing ready (pool = 0)
 *		--peer PROGRAM	bwrap, with the namespaces that mayfly makes
 *		--units PORT --echoes PORT	systemd accepts: see below
 *	http --rate SECONDS PORT	how many runs one client gets in a time
 *	http --echo	answers the request on descriptor 0 with a 200
 *
 * MAYFLY is spawned as `run --json -- /bin/true`, and as `activate` with a
 * connection on descriptor 0; at PORT of 127.0.0.1 it serves. At those of units
 * systemd accepts, and starts mayfly or `http --echo` for each connection. The
 * overhead is what is above posix_spawn() of the same program.
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
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define ROUNDS_MAX 10000

extern char **environ;

static const char *mayfly, *peer;
static int port, cold_port, units_port, echo_port, own_port, own;

static int
connect_to(int to)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)to),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sock < 0 || connect(sock, (struct sockaddr *)&a, sizeof(a)) != 0)
		err(1, "connect to port %d", to);
	return sock;
}

/* Sends the request and reads to the end; it must be a 200. */
static void
exchange(int sock, const char *request)
{
	char buf[65536];
	size_t len = 0;
	ssize_t n;

	if (write(sock, request, strlen(request)) < 0)
		err(1, "write");
	while ((n = read(sock, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += (size_t)n;
	(void)close(sock);
	buf[len] = '\0';
	if (strncmp(buf, "HTTP/1.1 200 ", 13) != 0)
		errx(1, "the answer is: %.200s", buf);
}

static const char run_request[] =
    "POST /run HTTP/1.1\r\nHost: localhost\r\n"
    "Content-Type: application/json\r\nContent-Length: 27\r\n\r\n"
    "{\"command\": [\"/bin/true\"]} ";
static const char off_request[] =
    "POST /run HTTP/1.1\r\nHost: localhost\r\n"
    "Content-Type: application/json\r\nContent-Length: 45\r\n\r\n"
    "{\"command\": [\"/bin/true\"],\"network\": \"off\"}  ";
/* No sandbox that is ready has this limit: one is built. */
static const char other_request[] =
    "POST /run HTTP/1.1\r\nHost: localhost\r\n"
    "Content-Type: application/json\r\nContent-Length: 39\r\n\r\n"
    "{\"command\": [\"/bin/true\"],\"disk\": 1000}";
static const char health_request[] =
    "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

static void
spawn_run(void)
{
	char *argv[] = { (char *)(uintptr_t)mayfly, "run", "--json", "--",
		"/bin/true", NULL };
	posix_spawn_file_actions_t to_pipe;
	char buf[4096];
	int out[2], status;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) != 0)
		err(1, "pipe");
	(void)posix_spawn_file_actions_init(&to_pipe);
	(void)posix_spawn_file_actions_adddup2(&to_pipe, out[1], 1);
	if (posix_spawn(&pid, mayfly, &to_pipe, NULL, argv, environ) != 0)
		err(1, "spawn");
	(void)posix_spawn_file_actions_destroy(&to_pipe);
	(void)close(out[1]);
	while (read(out[0], buf, sizeof(buf)) > 0)
		;
	(void)close(out[0]);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		errx(1, "run ended with %d", status);
}

static void
spawn_true(void)
{
	char *argv[] = { "/bin/true", NULL };
	int status;
	pid_t pid;

	if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid)
		err(1, "spawn");
}

static void
spawn_peer(void)
{
	char *argv[] = { (char *)(uintptr_t)peer, "--unshare-all", "--ro-bind",
		"/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink",
		"usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--proc",
		"/proc", "--dev", "/dev", "--tmpfs", "/tmp", "/bin/true",
		NULL };
	int status;
	pid_t pid;

	if (posix_spawn(&pid, peer, NULL, NULL, argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid || status != 0)
		err(1, "%s", peer);
}

static void
cold_run(void)
{
	exchange(connect_to(cold_port), run_request);
}

static void
other_run(void)
{
	exchange(connect_to(port), other_request);
}

static void
off_run(void)
{
	exchange(connect_to(port), off_request);
}

static void
serve_run(void)
{
	exchange(connect_to(port), run_request);
}

static void
serve_health(void)
{
	exchange(connect_to(port), health_request);
}

/* As inetd: accept, then the program with the connection on 0. */
static void
activate_run(void)
{
	char *argv[] = { (char *)(uintptr_t)mayfly, "activate", NULL };
	posix_spawn_file_actions_t to_0;
	int sock = connect_to(own_port), there, status;
	pid_t pid;

	there = accept4(own, NULL, NULL, SOCK_CLOEXEC);
	(void)posix_spawn_file_actions_init(&to_0);
	(void)posix_spawn_file_actions_adddup2(&to_0, there, 0);
	if (there < 0 ||
	    posix_spawn(&pid, mayfly, &to_0, NULL, argv, environ) != 0)
		err(1, "spawn");
	(void)posix_spawn_file_actions_destroy(&to_0);
	(void)close(there);
	exchange(sock, run_request);
	(void)waitpid(pid, &status, 0);
}

static void
units_run(void)
{
	exchange(connect_to(units_port), run_request);
}

static void
units_health(void)
{
	exchange(connect_to(units_port), health_request);
}

static void
echo_run(void)
{
	exchange(connect_to(echo_port), run_request);
}

static int always = 1, has_peer;

static const struct {
	const char *name;
	void (*once)(void);
	const int *needs; /* not 0 */
} ways[] = {
	{ "posix_spawn of /bin/true", spawn_true, &always },
	{ "mayfly run --json, spawned", spawn_run, &always },
	{ "POST /run, serve", serve_run, &always },
	{ "POST /run, network off, serve", off_run, &always },
	{ "POST /run that nothing ready fits, serve", other_run, &always },
	{ "GET /health, serve", serve_health, &always },
	{ "POST /run, serve, pool = 0", cold_run, &cold_port },
	{ "POST /run, connection on fd 0", activate_run, &always },
	{ "POST /run, systemd accepts", units_run, &units_port },
	{ "GET /health, systemd accepts", units_health, &units_port },
	{ "a unit that only echoes", echo_run, &echo_port },
	{ "bwrap --unshare-all, spawned", spawn_peer, &has_peer },
};

#define WAYS (sizeof(ways) / sizeof(*ways))
#define WAY_SPAWN 0
#define WAY_RUN 1
#define WAY_PEER (WAYS - 1)

static int
echo(void)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\n\r\n";
	char buf[4096];

	if (read(0, buf, sizeof(buf)) <= 0 ||
	    write(0, answer, sizeof(answer) - 1) < 0)
		return 1;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/*
 * What went before matters: a unit that starts within some ms of another does
 * not wait for the kernel's grace period when it moves into its cgroup.
 */
static void
shuffle(size_t *order, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t j = (size_t)random() % i, kept = order[j];

		order[j] = order[i - 1];
		order[i - 1] = kept;
	}
}

static void
listen_own(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);

	own = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (own < 0 || bind(own, (struct sockaddr *)&a, n) != 0 ||
	    listen(own, 16) != 0 ||
	    getsockname(own, (struct sockaddr *)&a, &n) != 0)
		err(1, "listen");
	own_port = ntohs(a.sin_port);
}

static int
count_rate(double seconds)
{
	double until = now_us() + seconds * 1e6;
	int n = 0;

	for (; now_us() < until; n++)
		serve_run();
	printf("%d\n", n);
	return 0;
}

static double times[WAYS][ROUNDS_MAX];

/* Medians, and the overhead as a part of the peer's. */
static void
report(const size_t *order, size_t count, size_t rounds)
{
	const size_t half = rounds / 2;

	for (size_t i = 0; i < count; i++)
		qsort(times[order[i]], rounds, sizeof(double), compare);
	printf("| way | median us | p90 | p99 | / run --json |%s\n"
	       "|---|--:|--:|--:|--:|%s\n",
	    has_peer ? " overhead / bwrap's |" : "", has_peer ? "--:|" : "");
	for (size_t w = 0; w < WAYS; w++) {
		if (*ways[w].needs == 0)
			continue;
		printf("| %s | %.0f | %.0f | %.0f | %.2f |", ways[w].name,
		    times[w][half], times[w][rounds * 9 / 10],
		    times[w][rounds * 99 / 100],
		    times[w][half] / times[WAY_RUN][half]);
		if (has_peer)
			printf(" %.2f |",
			    (times[w][half] - times[WAY_SPAWN][half]) /
				(times[WAY_PEER][half] -
				    times[WAY_SPAWN][half]));
		printf("\n");
	}
}

static void
measure(size_t rounds, long pause_ms)
{
	const struct timespec pause = { 0, pause_ms * 1000000 };
	size_t order[WAYS], count = 0;

	for (size_t w = 0; w < WAYS; w++) {
		if (*ways[w].needs != 0)
			order[count++] = w;
	}
	for (size_t i = 0; i < rounds; i++) {
		shuffle(order, count);
		for (size_t w = 0; w < count; w++) {
			double began;

			if (pause_ms > 0)
				(void)nanosleep(&pause, NULL);
			began = now_us();
			ways[order[w]].once();
			times[order[w]][i] = now_us() - began;
		}
	}
	report(order, count, rounds);
}

int
main(int argc, char **argv)
{
	long pause_ms = 0;
	size_t rounds;

	if (argc == 2 && strcmp(argv[1], "--echo") == 0)
		return echo();
	if (argc == 4 && strcmp(argv[1], "--rate") == 0) {
		port = atoi(argv[3]);
		return count_rate(atof(argv[2]));
	}
	for (; argc > 2 && strncmp(argv[1], "--", 2) == 0; argc -= 2) {
		const char *option = argv[1] + 2, *value = argv[2];

		if (strcmp(option, "pause") == 0)
			pause_ms = atol(value);
		else if (strcmp(option, "cold") == 0)
			cold_port = atoi(value);
		else if (strcmp(option, "units") == 0)
			units_port = atoi(value);
		else if (strcmp(option, "echoes") == 0)
			echo_port = atoi(value);
		else if (strcmp(option, "peer") == 0)
			peer = value;
		else
			errx(2, "what is --%s?", option);
		argv += 2;
	}
	if (argc != 4)
		errx(2, "usage: http [OPTION VALUE]... ROUNDS MAYFLY PORT");
	has_peer = peer != NULL;
	rounds = strtoul(argv[1], NULL, 10);
	if (rounds < 1 || rounds > ROUNDS_MAX)
		errx(2, "1 to %d rounds", ROUNDS_MAX);
	mayfly = argv[2];
	port = atoi(argv[3]);
	listen_own();
	measure(rounds, pause_ms);
	return 0;
}
