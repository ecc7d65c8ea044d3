/*
 * load: many requests to a server at once, and how long they took.
 *
 *	load [OPTION VALUE]... PORT [BODY]
 *		--clients N (1)		connections at once, at the most
 *		--seconds S (2)
 *		--rate R		so many begin each second, evenly; else
 *each client's next follows its last
 *		--count N		after so many it ends, whatever the time
 *		--hold N		opens N connections, says `held N` and
 *keeps them until standard input ends
 *
 * Each request is a POST /run with the JSON that is BODY, or that is in the
 * file after the sign @, on a connection of its own; without one only the
 * connection is made, and closed. Prints one line:
 *
 *	rate=R ok=N other=N failed=N median_us=M p90_us=P p99_us=P max_us=P
 *	bytes=N
 *
 * A 200 is ok, any other answer is other; times are those of either. With a
 * rate, each counts from the moment it was due, also when all clients were busy
 * then: a server that stalls is not asked more seldom for that.
 */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

static double
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
request_make(const char *body)
{
	static const char head[] = "POST /run HTTP/1.1\r\nHost: localhost\r\n"
				   "Content-Type: application/json\r\n"
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
	request = malloc(sizeof(head) + 32 + len);
	if (request == NULL)
		err(1, "malloc");
	n = sprintf(request, head, len);
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
	if (strncmp(c->head, "HTTP/1.1 200 ", 13) == 0 || request_len == 0)
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

/* Returns how long it took. */
static double
run(size_t count, double seconds, double rate, size_t most)
{
	struct epoll_event events[256];
	double began = now_us(), until = began + seconds * 1e6, now = began;
	struct client *c;
	size_t started = 0, ended = 0;
	bool more;

	for (;;) {
		double due = began + (double)started / rate * 1e6;

		now = now_us();
		more = rate > 0 ? due < until : now < until;
		if (most > 0 && started >= most)
			more = false;
		if (!more && ended == started)
			break;
		if (more && (rate <= 0 || due <= now) &&
		    (c = client_free(count)) != NULL) {
			client_start(c, rate > 0 ? due : now_us());
			started++;
			ended = ok + other + failed;
			if (client_free(count) != NULL && rate <= 0)
				continue;
		}
		if (now > until + PATIENCE_US)
			errx(1, "%zu got no answer", started - ended);
		/* Less than a ms is waited for by looking again. */
		due = began + (double)started / rate * 1e6;
		int wait =
		    !more || rate <= 0 || client_free(count) == NULL
			? 1000
			: (due - now > 2000 ? (int)((due - now) / 1e3) - 1 : 0);
		int n = epoll_wait(poller, events, 256, wait);

		for (int i = 0; i < n; i++)
			client_turn(events[i].data.ptr, events[i].events);
		ended = ok + other + failed;
	}
	return now_us() - began;
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
	size_t count = 1, most = 0, held = 0;
	double seconds = 2, rate = 0, elapsed;

	for (; argc > 2 && strncmp(argv[1], "--", 2) == 0; argc -= 2) {
		const char *option = argv[1] + 2, *value = argv[2];

		if (strcmp(option, "clients") == 0)
			count = strtoul(value, NULL, 10);
		else if (strcmp(option, "seconds") == 0)
			seconds = strtod(value, NULL);
		else if (strcmp(option, "rate") == 0)
			rate = strtod(value, NULL);
		else if (strcmp(option, "count") == 0)
			most = strtoul(value, NULL, 10);
		else if (strcmp(option, "hold") == 0)
			held = strtoul(value, NULL, 10);
		else
			errx(64, "what is --%s?", option);
		argv += 2;
	}
	if (argc < 2 || argc > 3 || count < 1 || count > CLIENTS_MAX)
		errx(64, "usage: load [OPTION VALUE]... PORT [BODY]");
	address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(argv[1])),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (held > 0) {
		hold(held);
		return 0;
	}
	if (argc == 3)
		request_make(argv[2]);
	for (size_t i = 0; i < count; i++)
		clients[i].sock = -1;
	poller = epoll_create1(EPOLL_CLOEXEC);
	if (poller < 0)
		err(1, "epoll");
	elapsed = run(count, seconds, rate, most);
	qsort(times, times_count, sizeof(double), compare);
	printf("rate=%.1f ok=%zu other=%zu failed=%zu median_us=%.0f"
	       " p90_us=%.0f p99_us=%.0f max_us=%.0f bytes=%zu\n",
	    (double)(ok + other) / elapsed * 1e6, ok, other, failed,
	    percentile(50), percentile(90), percentile(99), percentile(100),
	    bytes);
	return 0;
}
