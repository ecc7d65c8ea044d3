#include "waiting.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "front.h"
#include "sys.h"

/* So many wait at most. */
#define WAITING_MAX 16384

int
waiting_init(struct waiting *w, unsigned own)
{
	struct rlimit r;
	rlim_t wanted = WAITING_MAX + own;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return -1;
	if (r.rlim_cur < wanted && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max < wanted ? r.rlim_max : wanted;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
	w->size = (int)(r.rlim_cur < wanted ? r.rlim_cur : wanted);
	w->max = (unsigned)w->size > 2 * own ? w->size - (int)own : w->size / 2;
	w->oldest = w->newest = -1;
	w->count = 0;
	w->slots = calloc((size_t)w->size, sizeof(*w->slots));
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	return w->slots == NULL || w->epoll < 0 ? -1 : 0;
}

bool
waiting_has_ended(int sock)
{
	struct pollfd p = { .fd = sock, .events = POLLRDHUP };

	return poll(&p, 1, 0) > 0;
}

bool
waiting_has_data(int sock, bool *ret_gone)
{
	int len = 0;

	*ret_gone = false;
	if (ioctl(sock, FIONREAD, &len) == 0 && len > 0)
		return true;
	*ret_gone = waiting_has_ended(sock);
	return false;
}

/* It is not one of them any more, and open. */
static void
forget(struct waiting *w, int sock)
{
	struct waiter *s = &w->slots[sock];

	(void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, sock, NULL);
	if (s->last >= 0)
		w->slots[s->last].next = s->next;
	else
		w->oldest = s->next;
	if (s->next >= 0)
		w->slots[s->next].last = s->last;
	else
		w->newest = s->last;
	s->until_ms = 0;
	w->count--;
}

static void
refuse(struct waiting *w, int sock)
{
	forget(w, sock);
	(void)close(sock);
}

void
waiting_add(struct waiting *w, int sock)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP,
		.data.fd = sock };

	if (w->count >= w->max)
		refuse(w, w->oldest);
	if (sock >= w->size ||
	    epoll_ctl(w->epoll, EPOLL_CTL_ADD, sock, &e) != 0) {
		(void)close(sock);
		return;
	}
	w->slots[sock] = (struct waiter){ .next = -1,
		.last = w->newest,
		.until_ms = sys_now_ms() + FRONT_HEAD_MS };
	if (w->newest >= 0)
		w->slots[w->newest].next = sock;
	else
		w->oldest = sock;
	w->newest = sock;
	w->count++;
}

int
waiting_take(struct waiting *w)
{
	struct epoll_event e;
	bool gone;

	while (w->count > 0 && epoll_wait(w->epoll, &e, 1, 0) == 1) {
		if (waiting_has_data(e.data.fd, &gone)) {
			forget(w, e.data.fd);
			return e.data.fd;
		}
		if (!gone)
			break;
		refuse(w, e.data.fd);
	}
	return -1;
}

void
waiting_expire(struct waiting *w)
{
	int64_t now = sys_now_ms();
	bool gone;
	int sock;

	while ((sock = w->oldest) >= 0 && w->slots[sock].until_ms <= now) {
		/* It waits for us, and not we for it. */
		if (waiting_has_data(sock, &gone)) {
			forget(w, sock);
			waiting_add(w, sock);
		} else {
			refuse(w, sock);
		}
	}
}

int
waiting_next_ms(const struct waiting *w)
{
	int64_t now = sys_now_ms(), until;

	if (w->oldest < 0)
		return -1;
	until = w->slots[w->oldest].until_ms;
	return until > now ? (int)(until - now) : 0;
}

void
waiting_drop(struct waiting *w)
{
	/* Without a word to the epoll, which another process may have too. */
	for (int sock = w->oldest; sock >= 0; sock = w->slots[sock].next)
		(void)close(sock);
	w->oldest = w->newest = -1;
	w->count = 0;
	if (w->epoll >= 0)
		(void)close(w->epoll);
	w->epoll = -1;
}
