/*
 * What a request costs, beside the command that does the same: each once a
 * round, so that whatever the machine does meanwhile meets all of them.
 *
 *	http ROUNDS MAYFLY PORT [PORT-OF-UNITS PORT-OF-AN-ECHO]
 *	http --rate SECONDS PORT	how many runs one client gets in a time
 *	http --echo	answers the request on descriptor 0 with a 200
 *
 * MAYFLY is spawned as `run --json -- /bin/true`, and as `activate` with a
 * connection on descriptor 0; at PORT of 127.0.0.1 it serves. At the others
 * systemd accepts, and starts mayfly or `http --echo` for each connection.
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

extern char **environ;

static const char *mayfly;
static int port, units_port, echo_port, own_port, own;

static double
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

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

static const struct {
	const char *name;
	void (*once)(void);
} ways[] = {
	{ "posix_spawn of /bin/true", spawn_true },
	{ "mayfly run --json, spawned", spawn_run },
	{ "POST /run, serve", serve_run },
	{ "GET /health, serve", serve_health },
	{ "POST /run, connection on fd 0", activate_run },
	{ "POST /run, systemd accepts", units_run },
	{ "GET /health, systemd accepts", units_health },
	{ "a unit that only echoes", echo_run },
};

#define WAYS (sizeof(ways) / sizeof(*ways))
/* The last ways are through systemd. */
#define WAYS_OF_UNITS 3

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

int
main(int argc, char **argv)
{
	size_t rounds, count;
	size_t order[WAYS];
	double *times[WAYS], base;

	if (argc == 2 && strcmp(argv[1], "--echo") == 0)
		return echo();
	if (argc < 4)
		errx(2, "usage: http ROUNDS MAYFLY PORT [UNITS ECHO]");
	if (strcmp(argv[1], "--rate") == 0) {
		port = atoi(argv[3]);
		return count_rate(atof(argv[2]));
	}
	rounds = strtoul(argv[1], NULL, 10);
	mayfly = argv[2];
	port = atoi(argv[3]);
	count = argc > 5 ? WAYS : WAYS - WAYS_OF_UNITS;
	units_port = argc > 5 ? atoi(argv[4]) : 0;
	echo_port = argc > 5 ? atoi(argv[5]) : 0;
	listen_own();
	for (size_t w = 0; w < count; w++) {
		times[w] = calloc(rounds, sizeof(**times));
		order[w] = w;
	}
	for (size_t i = 0; i < rounds; i++) {
		shuffle(order, count);
		for (size_t w = 0; w < count; w++) {
			double began = now_us();

			ways[order[w]].once();
			times[order[w]][i] = now_us() - began;
		}
	}
	for (size_t w = 0; w < count; w++)
		qsort(times[w], rounds, sizeof(double), compare);
	base = times[1][rounds / 2];
	printf("| way | median us | p90 | p99 | / run --json |\n"
	       "|---|--:|--:|--:|--:|\n");
	for (size_t w = 0; w < count; w++)
		printf("| %s | %.0f | %.0f | %.0f | %.2f |\n", ways[w].name,
		    times[w][rounds / 2], times[w][rounds * 9 / 10],
		    times[w][rounds * 99 / 100], times[w][rounds / 2] / base);
	return 0;
}
