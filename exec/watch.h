#ifndef EXEC_WATCH_H
#define EXEC_WATCH_H

#include <sys/resource.h>
#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "cgroup.h"
#include "config.h"
#include "control.h"
#include "disk.h"
#include "ids.h"
#include "meter.h"
#include "plan.h"
#include "relay.h"
#include "tty.h"
#include "verdict.h"

/* One run, as its supervisor sees it. */
struct box {
	const struct plan *plan;
	const struct config *config;
	struct verdict *verdict;
	struct failure *failure;
	struct ids ids;
	struct cgroup cgroup;
	struct disk disk;
	struct meter meter;
	struct tty tty;
	struct relay relays[3];
	pid_t pid; /* of the sandbox's PID 1 */
	int pidfd;
	int control;
	int terminal; /* master of the command's, or -1 */
	int signals; /* signalfd of those that end the run, and SIGWINCH */
	sigset_t mask_before;

	uint64_t started_us, look_us, ended_us; /* CLOCK_MONOTONIC */
	uint64_t look_disk_us;
	uint64_t built_us; /* CPU time that building took */
	bool ready, begun, failed, ended, dead;
	bool alone; /* nothing but its PID 1 is left, which waits */
	bool input_ended; /* the terminal has been told */
	bool caller_gone;
	bool left; /* the sandbox's PID 1 ended by itself */
	bool stopping; /* a limit or signal ended it: reason is set */
	bool collecting; /* then, and PID 1 gives files back before it ends */
	bool killed; /* PID 1 has killed all the rest for that */
	int status; /* of the command, once ended */
	uint64_t used_us,
	    most_kb; /* by everything inside, once dead or alone */
};

/*
 * box.c: nothing of it is there yet; it starts, and on failure there is none;
 * where r, what came of that, is 0, it goes on until the verdict is known; and
 * its end, after which nothing is left.
 */
void box_init(struct box *b, const struct plan *p, const struct config *c,
    struct verdict *v, struct failure *f);
int box_start(struct box *b);
int box_verdict(struct box *b, int r);
void box_end(struct box *b);

/* Descriptors that the plan gave away are the sandbox's now. */
void box_close_given(const struct plan *p);

/* The command's RLIMIT_AS in KB, or LIMIT_UNSET. */
uint64_t box_as_kb(const struct box *b);

/* The signals that tell mayfly to stop, but for those that are ignored. */
void watch_stop_signals(sigset_t *set);

/* Before the sandbox starts: signals and the caller's terminal. 0, or -1. */
int watch_prepare(struct box *b);

/* Until the end; fills the verdict. 0, or -1 with the failure. */
int watch(struct box *b);

/*
 * hear.c: takes one message of the sandbox's PID 1, without waiting. False
 * when there is none.
 */
bool watch_hear(struct box *b);

/* The run begins: from now on there are limits. */
void watch_begin(struct box *b);

/* One wait, and everything that it brought. */
void watch_turn(struct box *b);

void watch_kill(struct box *b);

/*
 * Ends the run. The first cause stays; a command that has ended was ended by
 * nothing.
 */
void watch_stop(struct box *b, enum reason reason);

/*
 * watch_limits.c. What does the session hold? Ends the run where that is too
 * much.
 */
void watch_look_at_disk(struct box *b);

/*
 * Has PID 1 end all the rest and give the files back that are asked for. False
 * where there are none.
 */
bool watch_collect(struct box *b);

/* All has ended but for that. */
bool watch_collects(const struct box *b);

/* Looks at the clocks and counters, and ends the run that is over a limit. */
void watch_check_limits(struct box *b);

/* For so many microseconds nothing is to be done unless something happens. */
uint64_t watch_next_us(struct box *b);

/* The moment at which the time is up. */
uint64_t watch_wall_us(const struct box *b);

/* judge.c: how did it end, and what did it use? Fills the verdict. */
void judge(struct box *b, uint64_t now_us);

/* Ends a sandbox that could not be started properly. */
void watch_abandon(struct box *b);

/* Gives back what watch_prepare() took. */
void watch_finish(struct box *b);

#endif
