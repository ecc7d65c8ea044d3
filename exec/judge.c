#include <sys/wait.h>

#include <errno.h>
#include <signal.h>

#include "watch.h"

static void
fill_usage(struct box *b, uint64_t now_us)
{
	struct verdict *v = b->verdict;
	uint64_t us = b->used_us > b->built_us ? b->used_us - b->built_us : 0;

	if (b->cgroup.dir >= 0)
		us = cgroup_cpu_us(&b->cgroup);
	else if (us < b->meter.cpu_us)
		us = b->meter.cpu_us;
	v->cpu_ms = us / 1000;
	v->wall_ms = (now_us - b->started_us) / 1000;
	v->memory_kb = b->most_kb;
	if (b->cgroup.memory && cgroup_peak_kb(&b->cgroup) > 0)
		v->memory_kb = cgroup_peak_kb(&b->cgroup);
	else if (v->memory_kb < b->meter.peak_kb)
		v->memory_kb = b->meter.peak_kb;
}

/* The run was not stopped by us: how did it end? */
static void
judge_end(struct box *b)
{
	struct verdict *v = b->verdict;
	int sig =
	    b->ended && WIFSIGNALED(b->status) ? WTERMSIG(b->status) : SIGKILL;

	if (b->cgroup.memory && !(b->ended && WIFEXITED(b->status)) &&
	    sig == SIGKILL && cgroup_was_oom(&b->cgroup)) {
		v->reason = REASON_MEMORY;
	} else if (!b->ended) {
		/* PID 1 was killed from outside, by somebody else. */
		v->reason = REASON_KILLED;
	} else if (WIFEXITED(b->status)) {
		v->reason = REASON_EXIT;
		v->exit_code = WEXITSTATUS(b->status);
	} else if ((sig == SIGKILL || sig == SIGXCPU) &&
		   v->cpu_ms >= b->plan->limits.value[LIMIT_TIME]) {
		v->reason = REASON_TIME; /* RLIMIT_CPU was first */
	} else {
		v->reason = REASON_SIGNAL;
		v->signal = sig;
	}
}

void
judge(struct box *b, uint64_t now_us)
{
	struct verdict *v = b->verdict;

	v->exit_code = v->signal = -1;
	fill_usage(b, now_us);
	if (v->exec_error != 0) {
		v->reason = REASON_EXIT;
		v->exit_code = v->exec_error == ENOENT ? EXIT_NOT_FOUND
						       : EXIT_CANNOT_EXECUTE;
		return;
	}
	if (!b->stopping)
		judge_end(b);
	if (v->exit_code < 0 && v->signal < 0)
		v->signal = SIGKILL;
}
