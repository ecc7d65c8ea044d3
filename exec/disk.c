#include "disk.h"

#include <sys/statvfs.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "project.h"
#include "sys.h"

/*
 * A bound on inodes: one for every 16 KB, as mke2fs(8) makes them, so that
 * sessions that fit on a disk by their size do so by their inodes.
 */
#define KB_PER_INODE 16
#define INODES_MIN 1024

/* What one CPU can fill at most, in KB and inodes for each microsecond. */
#define FILL_KB 4
#define FILL_INODES_US 4 /* the other way: microseconds for an inode */
/* Pauses between two looks, in microseconds. */
#define PAUSE_MIN 5000
#define PAUSE_MAX 1000000
/* Counting takes no more than one part of this many of a run's time. */
#define SHARE 20

/* Where it stands in the lock file, and in what form. */
#define NOTE_OFFSET 64
#define NOTE_FORM "%c %20" PRIu64 " %20" PRIu64 " %20" PRIu64 " %20" PRIu64 "\n"
#define NOTE_SIZE 86

/* What the whole file system holds. */
static struct usage
look_around(struct disk *d)
{
	struct usage u = { 0, 0 };
	struct statvfs v;

	if (fstatvfs(d->session, &v) != 0)
		return d->around;
	u.kb = (uint64_t)(v.f_blocks - v.f_bfree) * v.f_frsize / 1024;
	d->free_kb = (uint64_t)v.f_bavail * v.f_frsize / 1024;
	u.inodes = (uint64_t)(v.f_files - v.f_ffree);
	d->blind = v.f_files == 0;
	return u;
}

static uint64_t
growth(uint64_t before, uint64_t after)
{
	return after > before ? after - before : 0;
}

/* What it can hold, when the file system holds that much. */
static struct usage
estimate(const struct disk *d, struct usage around, uint64_t us, unsigned cpus)
{
	struct usage u = d->counted;

	u.kb += growth(d->around.kb, around.kb);
	u.inodes += d->blind ? us * cpus / FILL_INODES_US
			     : growth(d->around.inodes, around.inodes);
	return u;
}

/* It was counted, which began at a moment. */
static void
set_counted(
    struct disk *d, struct usage counted, struct usage around, uint64_t began)
{
	d->counted = counted;
	d->around = around;
	d->counted_us = d->opened_us = began;
	d->cost_us = sys_now_us() - began;
	d->spared_us = 0;
}

/* Counts and waits for it. 0 or -1. */
static int
count_now(struct disk *d)
{
	struct usage around = look_around(d), counted;
	uint64_t began = sys_now_us();

	if (tally(d->config, d->session, &d->most, &counted) != 0)
		return -1;
	set_counted(d, counted, around, began);
	return 0;
}

/* Of the run before, unless that one was killed: then nobody knows. */
static bool
read_note(struct disk *d)
{
	char text[NOTE_SIZE + 1] = "", valid;

	return pread(d->lock, text, NOTE_SIZE, NOTE_OFFSET) == NOTE_SIZE &&
	       sscanf(text, NOTE_FORM, &valid, &d->counted.kb,
		   &d->counted.inodes, &d->cost_us, &d->spared_us) == 5 &&
	       valid == '+';
}

/*
 * A note that cannot be written is none: the next run counts. So it does where
 * counting ended at what is too much, and nobody knows how much there is.
 */
static void
write_note(const struct disk *d, char valid)
{
	char text[NOTE_SIZE + 1];

	(void)snprintf(text, sizeof(text), NOTE_FORM, valid, d->counted.kb,
	    d->counted.inodes, d->cost_us, d->spared_us);
	(void)!pwrite(d->lock, text, NOTE_SIZE, NOTE_OFFSET);
}

void
disk_forget(int lock)
{
	const struct disk empty = { .lock = lock };

	write_note(&empty, '+');
}

int
disk_recall(int lock, uint64_t *ret_kb)
{
	struct disk d = { .lock = lock };
	bool known = read_note(&d);

	*ret_kb = d.counted.kb;
	return known ? 0 : -1;
}

static int
open_sampled(struct disk *d, struct failure *f)
{
	bool known = read_note(d);

	d->by = ENFORCED_SAMPLED;
	if (known && !usage_is_more(&d->counted, &d->most)) {
		d->around = look_around(d);
	} else if (count_now(d) != 0) {
		d->by = ENFORCED_NONE;
		return 0;
	}
	d->at_first = d->around;
	if (!usage_is_more(&d->counted, &d->most)) {
		/* Valid again when this run has ended as it should. */
		write_note(d, '-');
		return 0;
	}
	d->by = ENFORCED_NONE;
	return failure_set(f, "limits", 0,
	    "session_disk: the session holds more than %" PRIu64
	    " KB or %" PRIu64 " files: raise it for a run that removes some",
	    d->most.kb, d->most.inodes);
}

int
disk_open(struct disk *d, const struct config *c, const struct plan *p,
    struct failure *f)
{
	uint64_t kb = p->limits.value[LIMIT_SESSION_DISK];
	enum project_limited limited;

	*d = (struct disk){ .by = ENFORCED_NONE,
		.config = c,
		.session = p->session,
		.lock = p->lock,
		.most = { kb, kb / KB_PER_INODE },
		.tally = { 0, -1 } };
	if (p->session < 0)
		return 0;
	if (d->most.inodes < INODES_MIN)
		d->most.inodes = INODES_MIN;
	d->opened_us = d->counted_us = sys_now_us();
	limited = project_limit(p->session, "upper", &d->most, true);
	if (limited == PROJECT_NONE)
		return open_sampled(d, f);
	d->by = ENFORCED_QUOTA;
	d->spare = limited == PROJECT_SPARE;
	return 0;
}

void
disk_built(struct disk *d)
{
	if (d->spare)
		(void)project_limit(d->session, "upper", &d->most, false);
	d->spare = false;
}

/* The time in which the rest can be filled, but for the pauses' bounds. */
static uint64_t
pause_us(const struct disk *d, struct usage u, unsigned cpus)
{
	uint64_t kb = (d->most.kb - u.kb) / FILL_KB / cpus;
	uint64_t inodes = (d->most.inodes - u.inodes) * FILL_INODES_US / cpus;
	uint64_t us = kb < inodes ? kb : inodes;

	return us < PAUSE_MIN ? PAUSE_MIN : us > PAUSE_MAX ? PAUSE_MAX : us;
}

bool
disk_look(struct disk *d, int proc, unsigned cpus, uint64_t *ret_us)
{
	uint64_t now = sys_now_us();
	struct usage around, u;

	*ret_us = UINT64_MAX;
	if (d->by != ENFORCED_SAMPLED)
		return false;
#ifdef MUTATE_DISK_LOOKS
	return false;
#endif
	around = look_around(d);
	if (d->free_kb < d->config->min_free &&
	    growth(d->at_first.kb, around.kb) > d->most.kb)
		return true;
	u = estimate(d, around, now - d->counted_us, cpus);
	*ret_us = PAUSE_MIN;
	if (!usage_is_more(&u, &d->most)) {
		*ret_us = pause_us(d, u, cpus);
		return false;
	}
	if (d->tally.pid > 0 || now < d->again_us)
		return false;
	/* To have it done takes longer, and all the while more is written. */
	if (tally_few(d->session, proc, &d->most, &u) == 0) {
		set_counted(d, u, around, now);
		d->again_us = now + SHARE * d->cost_us;
		return usage_is_more(&u, &d->most);
	}
	tally_start(&d->tally, d->config, d->session, proc, &d->most);
	d->then = around;
	d->then_us = now;
	return false;
}

bool
disk_is_over(struct disk *d)
{
	struct usage u;

	/* Who moves directories about while they are counted gains nothing. */
	if (tally_take(&d->tally, &u) != 0 || usage_is_more(&u, &d->most))
		return true;
	set_counted(d, u, d->then, d->then_us);
	d->again_us = sys_now_us() + SHARE * d->cost_us;
	return false;
}

bool
disk_close(struct disk *d)
{
	struct usage around;
	uint64_t now = sys_now_us();

	if (d->by != ENFORCED_SAMPLED)
		return false;
	tally_stop(&d->tally);
	around = look_around(d);
	d->spared_us += now - d->opened_us;
	d->counted = estimate(d, around, now - d->counted_us, 1);
	if ((d->spared_us >= SHARE * d->cost_us ||
		usage_is_more(&d->counted, &d->most)) &&
	    count_now(d) != 0)
		return false;
	write_note(d, usage_is_more(&d->counted, &d->most) ? '-' : '+');
	return usage_is_more(&d->counted, &d->most);
}
