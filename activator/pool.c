#include "pool.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "handover.h"
#include "ids.h"
#include "images.h"
#include "sys.h"

/* With runs going on, so long after what happened last, and between two. */
#define QUIET_US 20000
#define LOOK_US 1000000
/* Nothing else happening, so often is looked whether they are still good. */
#define LOOK_IDLE_US 10000000
/* After failures: from the one to the other. */
#define RETRY_US UINT64_C(1000000)
#define RETRY_MAX_US UINT64_C(60000000)
/* So much memory stays available, at the least, and of all of it. */
#define SPARE_KB 65536
#define SPARE_PART 20

/* What the members are made from, as a number that changes with it. */
static uint64_t
look(const struct pool *p)
{
	uint64_t mark = config_mark();
	struct stat st;

	if (*p->manifest == '\0' || stat(p->manifest, &st) != 0)
		return mark;
	return mark * 31 + (uint64_t)st.st_ino +
	       (uint64_t)st.st_mtim.tv_sec * 1000000000 +
	       (uint64_t)st.st_mtim.tv_nsec;
}

/* Of all ranges of ids the pool leaves most to others. */
static uint64_t
bounded(const struct config *c)
{
	uint64_t ranges = c->uid_count / IDS_PER_SANDBOX / 4;

	return c->pool < ranges ? c->pool : ranges;
}

void
pool_init(struct pool *p)
{
	static struct config c;
	char why[512];

	p->wanted = 0;
	p->mark = config_mark();
	p->looked_us = sys_now_us();
	if (config_read(&c, why, sizeof(why)) != 0)
		return;
	*p->manifest = '\0';
	if (strcmp(c.default_image, "host") != 0)
		images_path(
		    &c, c.default_image, p->manifest, sizeof(p->manifest));
	p->mark = look(p);
	p->wanted = bounded(&c);
}

/* The number behind a key of /proc/meminfo, in KB. */
static uint64_t
meminfo(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at != NULL ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* more: for one that is to be made, such that it need not go at once. */
static bool
is_memory_short(bool more)
{
	char text[4096];
	auto_fd fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	uint64_t available, spare;

	text[n > 0 ? n : 0] = '\0';
	available = meminfo(text, "MemAvailable:");
	spare = meminfo(text, "MemTotal:") / SPARE_PART;
	if (spare < SPARE_KB)
		spare = SPARE_KB;
	return available < spare + (more ? spare / 4 : 0);
}

uint64_t
pool_next_us(const struct pool *p, bool idle)
{
	uint64_t now = sys_now_us(), look = p->looked_us + LOOK_IDLE_US;

	if (p->wanted == 0)
		return UINT64_MAX;
	if (p->building || p->count >= p->wanted)
		return look > now ? look - now : 1;
	/* That one is in the future as well where runs go on. */
	if (idle && p->failures == 0)
		return 0;
	return p->not_before_us > now ? p->not_before_us - now : 0;
}

void
pool_touch(struct pool *p)
{
	uint64_t until = sys_now_us() + QUIET_US;

	if (p->not_before_us < until)
		p->not_before_us = until;
}

/* One that could not be made, or that ended before a connection came. */
static void
fail(struct pool *p)
{
	uint64_t pause = RETRY_US << (p->failures < 6 ? p->failures : 6);

	p->failures++;
	p->not_before_us =
	    sys_now_us() + (pause < RETRY_MAX_US ? pause : RETRY_MAX_US);
}

static void
close_member(struct member *m)
{
	(void)close(m->broker);
	(void)close(m->front);
}

pid_t
pool_start(struct pool *p, pid_t (*start)(void *context, int broker, int front),
    void *context, int *ret_broker, int *ret_front)
{
	struct member *m = &p->members[p->count];
	int broker[2], front[2];

	if (is_memory_short(true)) {
		p->not_before_us = sys_now_us() + RETRY_US;
		p->failures = 1;
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, broker) !=
	    0) {
		fail(p);
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, front) != 0) {
		(void)close(broker[0]);
		(void)close(broker[1]);
		fail(p);
		return -1;
	}
	*ret_broker = broker[1];
	*ret_front = front[1];
	*m = (struct member){ start(context, broker[1], front[1]), broker[0],
		front[0] };
	if (m->pid == 0)
		return 0;
	(void)close(broker[1]);
	(void)close(front[1]);
	pool_touch(p);
	if (m->pid > 0) {
		p->building = true;
	} else {
		close_member(m);
		fail(p);
	}
	return m->pid;
}

int
pool_poll(const struct pool *p)
{
	return p->building ? p->members[p->count].broker : -1;
}

/* Its life is its broker's: that one sees that the channel has ended. */
static void
lose_building(struct pool *p)
{
	close_member(&p->members[p->count]);
	p->building = false;
	fail(p);
}

void
pool_take_word(struct pool *p)
{
	char byte;
	ssize_t n = recv(p->members[p->count].broker, &byte, 1, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != 1) {
		lose_building(p);
		return;
	}
	p->building = false;
	p->failures = 0;
	p->count++;
	/* While runs go on the next one has its pause. */
	pool_touch(p);
}

/* The one being made, behind the last one, moves along. */
static void
remove_member(struct pool *p, unsigned i)
{
	p->members[i] = p->members[--p->count];
	if (p->building)
		p->members[p->count] = p->members[p->count + 1];
}

pid_t
pool_hand_over(struct pool *p, int sock)
{
	struct member m;
	bool is_there;

	while (p->count > 0) {
		m = p->members[p->count - 1];
		remove_member(p, p->count - 1);
		/* The front is last: it reads what nobody else could then. */
		is_there = handover_send(m.broker, sock) == 0 &&
			   handover_send(m.front, sock) == 0;
		close_member(&m);
		if (is_there)
			return m.pid;
		/* A part of it was killed; what the broker got is nothing. */
		(void)kill(m.pid, SIGKILL);
	}
	return -1;
}

bool
pool_bury(struct pool *p, pid_t pid)
{
	if (p->building && p->members[p->count].pid == pid) {
		lose_building(p);
		return true;
	}
	for (unsigned i = 0; i < p->count; i++) {
		if (p->members[i].pid == pid) {
			close_member(&p->members[i]);
			remove_member(p, i);
			fail(p);
			return true;
		}
	}
	return false;
}

void
pool_drop(struct pool *p)
{
	if (p->building) {
		close_member(&p->members[p->count]);
		p->building = false;
	}
	while (p->count > 0)
		close_member(&p->members[--p->count]);
}

void
pool_check(struct pool *p)
{
	uint64_t now = sys_now_us();

	if (now < p->looked_us + LOOK_US)
		return;
	p->looked_us = now;
	if (look(p) != p->mark) {
		pool_drop(p);
		pool_init(p);
	} else if (p->count > 0 && is_memory_short(false)) {
		pool_drop(p);
	}
}
