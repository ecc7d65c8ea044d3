#include "late.h"

#include <sys/mman.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rights.h"

/*
 * The lists, in the order in which their strings follow each other: PID 1 has
 * a use for the first of them alone.
 */
enum list { LIST_COLLECT, LIST_ARGV, LIST_ENV, LIST_MAX };

/* The packet is this, and then cwd and the lists' strings, each with its NUL.
 */
struct head {
	struct limits limits;
	uint64_t as_kb, collect_max;
	enum network network;
	bool has_cwd, files_in, files_out; /* the descriptors, in this order */
	uint32_t count[LIST_MAX];
	uint32_t text_len;
};

struct late {
	struct head head;
	char text[LATE_TEXT_MAX];
};

static char **
list_of(const struct plan *p, enum list which)
{
	char **lists[LIST_MAX] = { [LIST_ARGV] = p->argv,
		[LIST_ENV] = p->env,
		[LIST_COLLECT] = p->collect };

	return lists[which];
}

static size_t
count_of(const struct plan *p, enum list which)
{
	char **list = list_of(p, which);
	size_t n = 0;

	while (list != NULL && list[n] != NULL)
		n++;
	return n;
}

/* Appends a string; false where there is no room. buf may be NULL. */
static bool
add(char *buf, size_t *len, const char *s)
{
	size_t n = strlen(s) + 1;

	if (n > LATE_TEXT_MAX - *len)
		return false;
	if (buf != NULL)
		memcpy(buf + *len, s, n);
	*len += n;
	return true;
}

static bool
add_all(char *buf, size_t *len, const struct plan *p)
{
	*len = 0;
	if (p->cwd != NULL && !add(buf, len, p->cwd))
		return false;
	for (enum list l = 0; l < LIST_MAX; l++) {
		for (char **s = list_of(p, l); s != NULL && *s != NULL; s++) {
			if (!add(buf, len, *s))
				return false;
		}
	}
	return true;
}

bool
late_fits(const struct plan *p)
{
	size_t len;

	return add_all(NULL, &len, p);
}

int
late_send(int control, const struct plan *p, uint64_t as_kb)
{
	static char text[LATE_TEXT_MAX];
	struct head h = { .limits = p->limits,
		.network = p->network,
		.as_kb = as_kb,
		.collect_max = p->collect_max,
		.has_cwd = p->cwd != NULL,
		.files_in = p->files_in >= 0,
		.files_out = p->files_out >= 0 };
	struct iovec iov[] = { { &h, sizeof(h) }, { text, 0 } };
	size_t len;
	int fds[2], n = 0;

	if (!add_all(text, &len, p)) {
		errno = EMSGSIZE;
		return -1;
	}
	for (enum list l = 0; l < LIST_MAX; l++)
		h.count[l] = (uint32_t)count_of(p, l);
	iov[1].iov_len = h.text_len = (uint32_t)len;
	if (h.files_in)
		fds[n++] = p->files_in;
	if (h.files_out)
		fds[n++] = p->files_out;
	return rights_send(control, iov, 2, fds, n, 0) < 0 ? -1 : 0;
}

/* The next string; there is one, or the packet is no whole one. */
static char *
take(char **at, const char *end)
{
	char *s = *at, *nul = memchr(s, '\0', (size_t)(end - s));

	if (nul == NULL)
		_exit(1);
	*at = nul + 1;
	return s;
}

static char **
take_list(char **at, const char *end, uint32_t count)
{
	char **list = calloc((size_t)count + 1, sizeof(*list));

	if (list == NULL)
		_exit(1);
	for (uint32_t i = 0; i < count; i++)
		list[i] = take(at, end);
	return list;
}

static void
fill(struct inside *in, const struct head *h, char *text)
{
	const char *end = text + h->text_len;
	struct plan *p = &in->own;
	char *at = text;

	p->limits = h->limits;
	p->network = h->network;
	p->collect_max = h->collect_max;
	p->cwd = h->has_cwd ? take(&at, end) : NULL;
	p->collect = take_list(&at, end, h->count[LIST_COLLECT]);
	p->collect_count = h->count[LIST_COLLECT];
	p->argv = take_list(&at, end, h->count[LIST_ARGV]);
	p->env = take_list(&at, end, h->count[LIST_ENV]);
	p->env_hash = NULL;
	p->env_count = h->count[LIST_ENV];
	in->as_kb = h->as_kb;
	in->backstop = h->limits.value[LIMIT_WALL] + 5000;
}

int
late_open(struct inside *in)
{
	void *shared = mmap(NULL, sizeof(*in->late), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return inside_fail(in, "mmap");
	in->late = shared;
	/* What most runs need of it is there when they come. */
	memset(in->late, 0, sizeof(in->late->head) + 1);
	return 0;
}

/* A process that was killed meanwhile is no run's end. */
static void
wait_for_word(int control, int go)
{
	struct pollfd fds[] = { { .fd = control, .events = POLLIN },
		{ .fd = go, .events = 0 } };

	while (poll(fds, 2, -1) < 0)
		;
	if (fds[1].revents != 0)
		_exit(1);
}

void
late_receive(struct inside *in, int go)
{
	struct late *l = in->late;
	struct iovec iov[] = { { &l->head, sizeof(l->head) },
		{ l->text, sizeof(l->text) } };
	int fds[2], n = 0;
	ssize_t len;

	wait_for_word(in->control, go);
	len = rights_receive(in->control, iov, 2, fds, 2, 0);
	if (len < (ssize_t)sizeof(l->head) ||
	    (size_t)len != sizeof(l->head) + l->head.text_len)
		_exit(1);
	fill(in, &l->head, l->text);
	in->own.files_in = l->head.files_in ? fds[n++] : -1;
	in->own.files_out = l->head.files_out ? fds[n++] : -1;
	/* Whose they are, only the command's process is to know. */
	in->own.argv = in->own.env = NULL;
}

void
late_take(struct inside *in)
{
	struct late *l = in->late;
	char *text = malloc(l->head.text_len);

	if (text == NULL)
		_exit(1);
	memcpy(text, l->text, l->head.text_len);
	fill(in, &l->head, text);
	/* The directory and the lists before are PID 1's as well. */
	if (in->own.argv[0] != NULL) {
		size_t kept = (size_t)(in->own.argv[0] - text);

		memset(l->text + kept, 0, l->head.text_len - kept);
	}
}
