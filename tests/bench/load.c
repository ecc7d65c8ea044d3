/*
 * load: many requests to a server at once, and how long they took.
 *
 *	load [OPTION VALUE]... PORT [BODY]
 *		--clients N (1)		connections at once, at the most
 *		--seconds S (2)
 *		--rate R		so many begin each second, evenly; else
 *each client's next follows its last
 *		--count N		after so many it ends, whatever the time
 *		--path PATH (/run)	of the request
 *		--accept TYPE		of the answer
 *		--abandon 1		closed as soon as the request is sent
 *		--hold N		opens N connections, says `held N` and
 *keeps them until standard input ends
 *
 * Each request is a POST with the JSON that is BODY, or that is in the
 * file after the sign @, on a connection of its own; without one only the
 * connection is made, and closed. Prints one line:
 *
 *	rate=R ok=N other=N failed=N median_us=M p90_us=P p99_us=P max_us=P
 *	bytes=N
 *
 * A 200 or 201 is ok, any other answer is other; times are those of either.
 *With a rate, each counts from the moment it was due, also when all clients
 *were busy then: a server that stalls is not asked more seldom for that.
 */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define CLIENTS_MAX 4096
#define TIMES_MAX 4000000
#define PATIENCE_US 60e6

struct client {
	int sock; /* or -1 */
	double due_us;
	size_t sent;
	char head[16];
	size_t got;
};

static struct client clients[CLIENTS_MAX];
static double times[TIMES_MAX];
static size_t times_count, ok, other, failed, bytes;
static char *request;
static size_t request_len;
static struct sockaddr_in address;
static int poller;
static bool abandons;
static volatile sig_atomic_t is_stopped; /* says what there was until then */

static void
request_make(const char *path, const char *accept, const char *body)
{
	static const char head[] = "POST %s HTTP/1.1\r\nHost: localhost\r\n"
				   "Content-Type: application/json\r\n"
				   "Accept: %s\r\n"
				   "Content-Length: %zu\r\n\r\n";
	size_t len = strlen(body);
	char *read_body = NULL;
	int n;

	if (*body == '@') {
		int fd = open(body + 1, O_RDONLY | O_CLOEXEC);
		struct stat st;

		if (fd < 0 || fstat(fd, &st) != 0)
			err(1, "%s", body + 1);
		len = (size_t)st.st_size;
		read_body = malloc(len + 1);
		if (read_body == NULL ||
		    read(fd, read_body, len) != (ssize_t)len)
			err(1, "%s", body + 1);
		(void)close(fd);
		body = read_body;
	}
	request =
	    malloc(sizeof(head) + strlen(path) + strlen(accept) + 32 + len);
	if (request == NULL)
		err(1, "malloc");
	n = sprintf(request, head, path, accept, len);
	memcpy(request + n, body, len);
	request_len = (size_t)n + len;
	free(read_body);
}

static int
connect_new(void)
{
	int sock =
	    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (sock < 0)
		err(1, "socket");
	if (connect(sock, (struct sockaddr *)&address, sizeof(address)) != 0 &&
	    errno != EINPROGRESS) {
		(void)close(sock);
		return -1;
	}
	return sock;
}

static void
client_end(struct client *c, bool answered)
{
	if (c->sock >= 0)
		(void)close(c->sock);
	c->sock = -1;
	if (!answered) {
		failed++;
		return;
	}
	if (strncmp(c->head, "HTTP/1.1 20", 11) == 0 || request_len == 0)
		ok++;
	else
		other++;
	if (times_count < TIMES_MAX)
		times[times_count++] = now_us() - c->due_us;
}

static void
client_start(struct client *c, double due_us)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET,
		.data.ptr = c };

	*c = (struct client){ .sock = connect_new(), .due_us = due_us };
	if (c->sock < 0) {
		client_end(c, false);
		return;
	}
	/* Over loopback most is done at once: that saves a wait. */
	if (request_len > 0) {
		ssize_t n = send(c->sock, request, request_len, MSG_NOSIGNAL);

		if (n > 0)
			c->sent = (size_t)n;
	}
	if (abandons && c->sent == request_len) {
		memcpy(c->head, "HTTP/1.1 20", 11);
		client_end(c, true);
		return;
	}
	if (epoll_ctl(poller, EPOLL_CTL_ADD, c->sock, &e) != 0)
		err(1, "epoll_ctl");
}

static void
client_write(struct client *c)
{
	while (c->sent < request_len) {
		ssize_t n = send(c->sock, request + c->sent,
		    request_len - c->sent, MSG_NOSIGNAL);

		/* The answer may come before all is written: see below. */
		if (n < 0)
			return;
		c->sent += (size_t)n;
	}
}

static void
client_read(struct client *c)
{
	static char buf[1 << 18];

	for (;;) {
		ssize_t n = recv(c->sock, buf, sizeof(buf), 0);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			client_end(c, c->got >= sizeof(c->head) - 1);
			return;
		}
		for (ssize_t i = 0;
		     i < n && c->got + (size_t)i < sizeof(c->head) - 1; i++)
			c->head[c->got + (size_t)i] = buf[i];
		c->got += (size_t)n;
		bytes += (size_t)n;
	}
}

/* One that only connects is done when it is connected. */
static void
client_turn(struct client *c, uint32_t events)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (request_len == 0) {
		(void)getsockopt(c->sock, SOL_SOCKET, SO_ERROR, &error, &len);
		client_end(c, error == 0 && (events & EPOLLERR) == 0);
		return;
	}
	if ((events & EPOLLOUT) != 0)
		client_write(c);
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		client_read(c);
}

static struct client *
client_free(size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (clients[i].sock < 0)
			return &clients[i];
	return NULL;
}

/* What is asked of it. */
struct load {
	size_t clients;
	double seconds, rate; /* 0: each client's next follows its last */
	size_t most; /* or 0 */
	useconds_t pause_us;
	double began_us;
	size_t started;
};

/* When the next one is due, or a negative number when it was the last. */
static double
next_due(const struct load *l)
{
	double now = now_us(),
	       due = l->rate > 0
			 ? l->began_us + (double)l->started / l->rate * 1e6
			 : now;

	if (is_stopped || (l->most > 0 && l->started >= l->most) ||
	    due >= l->began_us + l->seconds * 1e6)
		return -1;
	return due;
}

/* Starts what is due. Returns how many ms until the next one is. */
static int
start_due(struct load *l)
{
	struct client *c;
	double due, now;

	while ((c = client_free(l->clients)) != NULL) {
		due = next_due(l);
		now = now_us();
		if (due < 0)
			break;
		/* The last bit is waited for by looking again and again. */
		if (due > now)
			return due - now > 2000 ? (int)((due - now) / 1e3) - 1
						: 0;
		client_start(c, due);
		l->started++;
	}
	return 1000;
}

/* Returns how long it took. */
static double
run(struct load *l)
{
	struct epoll_event events[256];
	double until;

	l->began_us = now_us();
	until = l->began_us + l->seconds * 1e6 + PATIENCE_US;
	while (next_due(l) >= 0 || ok + other + failed < l->started) {
		if (l->started > 0 && ok + other + failed == l->started)
			(void)usleep(l->pause_us);
		int wait = start_due(l);
		int n = epoll_wait(poller, events, 256, wait);

		for (int i = 0; i < n; i++)
			client_turn(events[i].data.ptr, events[i].events);
		if (is_stopped)
			break;
		if (now_us() > until)
			errx(1, "some got no answer");
	}
	return now_us() - l->began_us;
}

static void
stop(int signo)
{
	(void)signo;
	is_stopped = 1;
}

static void
hold(size_t count)
{
	size_t held = 0;
	char c;

	while (held < count) {
		int sock = connect_new();

		if (sock < 0)
			break;
		held++;
		/* The backlog is short: the other side must keep up. */
		if (held % 128 == 0)
			(void)usleep(2000);
	}
	printf("held %zu\n", held);
	(void)fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
percentile(size_t percent)
{
	size_t rank = (times_count * percent + 99) / 100;

	return times_count == 0 ? 0 : times[rank > 0 ? rank - 1 : 0];
}

int
main(int argc, char **argv)
{
	struct load l = { .clients = 1, .seconds = 2 };
	size_t held = 0;
	const char *path = "/run", *accept = "application/json";
	double elapsed;

	for (; argc > 2 && strncmp(argv[1], "--", 2) == 0; argc -= 2) {
		const char *option = argv[1] + 2, *value = argv[2];

		if (strcmp(option, "clients") == 0)
			l.clients = strtoul(value, NULL, 10);
		else if (strcmp(option, "seconds") == 0)
			l.seconds = strtod(value, NULL);
		else if (strcmp(option, "rate") == 0)
			l.rate = strtod(value, NULL);
		else if (strcmp(option, "pause") == 0)
			l.pause_us =
			    (useconds_t)strtoul(value, NULL, 10) * 1000;
		else if (strcmp(option, "count") == 0)
			l.most = strtoul(value, NULL, 10);
		else if (strcmp(option, "path") == 0)
			path = value;
		else if (strcmp(option, "accept") == 0)
			accept = value;
		else if (strcmp(option, "abandon") == 0)
			abandons = *value == '1';
		else if (strcmp(option, "hold") == 0)
			held = strtoul(value, NULL, 10);
		else
			errx(64, "what is --%s?", option);
		argv += 2;
	}
	if (argc < 2 || argc > 3 || l.clients < 1 || l.clients > CLIENTS_MAX)
		errx(64, "usage: load [OPTION VALUE]... PORT [BODY]");
	address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(argv[1])),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (held > 0) {
		hold(held);
		return 0;
	}
	if (argc == 3)
		request_make(path, accept, argv[2]);
	for (size_t i = 0; i < l.clients; i++)
		clients[i].sock = -1;
	(void)signal(SIGTERM, stop);
	poller = epoll_create1(EPOLL_CLOEXEC);
	if (poller < 0)
		err(1, "epoll");
	elapsed = run(&l);
	qsort(times, times_count, sizeof(double), compare);
	printf("rate=%.1f ok=%zu other=%zu failed=%zu median_us=%.0f"
	       " p90_us=%.0f p99_us=%.0f max_us=%.0f bytes=%zu\n",
	    (double)(ok + other) / elapsed * 1e6, ok, other, failed,
	    percentile(50), percentile(90), percentile(99), percentile(100),
	    bytes);
	return 0;
}
