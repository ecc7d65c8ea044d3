/* When a run is to be looked at, and what its limits make of it. */
#include "watch.h"

#include <sys/socket.h>

#include "sys.h"

/* What the files that are to be given back may take. */
#define COLLECT_US UINT64_C(10000000)
/* So soon PID 1 has killed the rest, or is kept from it. */
#define KILL_US UINT64_C(1000000)

void
watch_look_at_disk(struct box *b)
{
	uint64_t us;

	if (disk_look(&b->disk, b->meter.proc, b->meter.cpus, &us))
		watch_stop(b, REASON_DISK);
	b->look_disk_us = us == UINT64_MAX ? us : sys_now_us() + us;
}

bool
watch_collect(struct box *b)
{
	if (b->plan->files_out < 0 || !b->begun ||
	    send(b->control, "", 1, MSG_NOSIGNAL) != 1)
		return false;
	b->collecting = true;
	b->ended_us = sys_now_us();
	return true;
}

bool
watch_collects(const struct box *b)
{
	return !b->dead && b->plan->files_out >= 0 &&
	       (b->ended || b->collecting);
}

/* Has a limit been reached, and the command goes on all the same? */
static bool
goes_on(const struct box *b)
{
	return b->collecting && !b->killed && !b->dead;
}

/* All has ended, or is to: files are given back, which has an end too. */
static uint64_t
check_collecting(struct box *b, uint64_t now)
{
	uint64_t end = b->ended_us + (goes_on(b) ? KILL_US : COLLECT_US);

	if (!watch_collects(b))
		return UINT64_MAX;
	if (now >= end) {
		watch_kill(b);
		return UINT64_MAX;
	}
	if (goes_on(b) && b->look_us < end)
		end = b->look_us > now ? b->look_us : now;
	return end - now;
}

uint64_t
watch_wall_us(const struct box *b)
{
	return b->started_us + b->plan->limits.value[LIMIT_WALL] * 1000;
}

/*
 * A limit has been reached, but who looks late finds that when it was, all was
 * over: the command had said so, or the kernel was ending it for its memory.
 */
static void
stop_at_limit(struct box *b, enum reason reason)
{
	while (b->control >= 0 && watch_hear(b))
		;
	if (b->cgroup.memory && cgroup_was_oom(&b->cgroup))
		reason = REASON_MEMORY;
	watch_stop(b, reason);
}

/* More memory than may be, where it is looked at? */
static bool
has_too_much(struct box *b)
{
	const struct limits *l = &b->plan->limits;

	meter_read(&b->meter, l->value[LIMIT_MEM]);
	b->look_us = sys_now_us() + meter_next_us(&b->meter, l);
	return meter_samples_memory(&b->meter) &&
	       b->meter.memory_kb > l->value[LIMIT_MEM];
}

void
watch_check_limits(struct box *b)
{
	uint64_t now = sys_now_us();
	bool over;

	if (goes_on(b) && now >= b->look_us && has_too_much(b))
		watch_kill(b);
	if (b->stopping || b->ended || b->dead)
		return;
	if (now >= watch_wall_us(b))
		stop_at_limit(b, REASON_WALL);
	if (b->begun && now >= b->look_us) {
		over = has_too_much(b);
		if (b->meter.cpu_us >= b->plan->limits.value[LIMIT_TIME] * 1000)
			stop_at_limit(b, REASON_TIME);
		else if (over)
			stop_at_limit(b, REASON_MEMORY);
	}
	if (b->begun && !b->stopping && now >= b->look_disk_us)
		watch_look_at_disk(b);
}

uint64_t
watch_next_us(struct box *b)
{
	uint64_t now = sys_now_us(), next = watch_wall_us(b);

	if (b->stopping || b->ended)
		return check_collecting(b, now);
	if (b->begun && b->look_us < next)
		next = b->look_us;
	if (b->begun && b->look_disk_us < next)
		next = b->look_disk_us;
	return next > now ? next - now : 0;
}
