#include "ready.h"

#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "inside.h"
#include "late.h"
#include "net.h"
#include "sys.h"

int
ready_build(
    struct box *b, struct plan *p, const struct config *c, struct failure *f)
{
	static struct verdict none;

	p->prepared = true;
	box_init(b, p, c, &none, f);
	net_remember();
	if (box_start(b) == 0) {
		while (!b->ready && !b->dead)
			watch_turn(b);
		if (b->ready && !b->dead)
			return 0;
		if (!b->failed)
			(void)failure_set(f, "start", 0,
			    "the sandbox's first process died while building");
	}
	ready_drop(b);
	return -1;
}

void
ready_spare(struct box *b)
{
	if (b->plan->network == NETWORK_NONE)
		net_keep();
}

void
ready_hand_mask(struct box *from, struct box *to)
{
	const sigset_t before = from->mask_before;

	if (to->signals < 0)
		return;
	from->mask_before = to->mask_before;
	to->mask_before = before;
}

void
ready_drop(struct box *b)
{
	net_return();
	/* What it has is given back as after a run that failed. */
	(void)box_verdict(b, -1);
	box_end(b);
}

static bool
same_layers(const struct plan *a, const struct plan *b)
{
	struct stat s, t;

	if (a->layer_count != b->layer_count || a->over_host != b->over_host)
		return false;
	for (size_t i = 0; i < a->layer_count; i++) {
		if (fstat(a->layers[i], &s) != 0 ||
		    fstat(b->layers[i], &t) != 0 || s.st_dev != t.st_dev ||
		    s.st_ino != t.st_ino)
			return false;
	}
	return true;
}

bool
ready_suits(const struct box *b, const struct plan *p)
{
	const struct plan *has = b->plan;
	struct pollfd end = { .fd = b->pidfd, .events = POLLIN };
	const uint64_t *is = has->limits.value, *want = p->limits.value;

	if (b->pid < 0 || b->dead || poll(&end, 1, 0) != 0 ||
	    p->network > NETWORK_OFF || has->uid != p->uid ||
	    has->gid != p->gid || p->user != NULL || p->tty ||
	    p->bind_count > 0 || p->session >= 0 || p->work >= 0 ||
	    p->argv == NULL || !same_layers(has, p) || !late_fits(p))
		return false;
	/*
	 * The user namespace was made with a bound on its processes, which a
	 * cgroup can lower.
	 */
	return want[LIMIT_DISK] == is[LIMIT_DISK] &&
	       (want[LIMIT_NPROC] == is[LIMIT_NPROC] ||
		   (b->cgroup.pids && want[LIMIT_NPROC] < is[LIMIT_NPROC]));
}

int
ready_tell(
    struct box *b, const struct plan *p, struct verdict *v, struct failure *f)
{
	memset(v, 0, sizeof(*v));
	b->verdict = v;
	b->failure = f;
	b->started_us = sys_now_us();
	cgroup_limit(&b->cgroup, &b->plan->limits, &p->limits);
	b->plan = p;
	if (late_send(b->control, p, box_as_kb(b)) != 0) {
		(void)failure_set(f, "start", errno, "tell what to run");
		ready_drop(b);
		return -1;
	}
	box_close_given(p);
	return 0;
}

int
ready_run(struct box *b)
{
	watch_begin(b);
	return box_verdict(b, 0);
}
