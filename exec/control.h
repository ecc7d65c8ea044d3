#ifndef EXEC_CONTROL_H
#define EXEC_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "fail.h"

/*
 * What the sandbox's first process tells the supervisor over a sequenced
 * socket pair: one struct each, in this order. The command never holds the
 * socket.
 */
enum control_type {
	CONTROL_MAP, /* entered its user namespace: write its maps */
	CONTROL_READY, /* built; with CONTROL_FDS descriptors */
	CONTROL_FAILED, /* a step failed; nothing follows */
	CONTROL_EXEC, /* the command could not be started: error */
	CONTROL_ENDED, /* the command ended: status, and all below */
	CONTROL_KILLED, /* nobody else runs any more: files are collected */
	CONTROL_NET, /* the other way: a network namespace's descriptor */
	CONTROL_MAX
};

/* What comes with CONTROL_READY, in this order. */
enum control_fd {
	CONTROL_FD_PROC, /* the sandbox's own /proc */
	CONTROL_FD_ROOT, /* its tmpfs, for the sum of what is written */
	CONTROL_FD_TTY, /* the master of its pseudo-terminal, if it has one */
	CONTROL_FD_MAX
};

struct control {
	enum control_type type;
	int error; /* CONTROL_EXEC: errno of execve */
	int status; /* CONTROL_ENDED: as from wait(2) */
	uint64_t cpu_us; /* spent on building, and in the end on all */
	uint64_t memory_kb; /* the most that a process of it had */
	/*
	 * Nothing else is left inside. PID 1 has nothing more to do, and where
	 * plan_answers_first() it waits to be ended.
	 */
	bool alone;
	struct failure failure;
};

/* Sends with n descriptors. 0 or -1/errno. */
int control_send(int sock, const struct control *c, const int *fds, int n);

/*
 * Receives one message. Descriptors that came along are the caller's, those
 * that did not are -1. 1, 0 at end of file, -1/errno (EAGAIN with wait
 * false and nothing there, EPROTO for what no sandbox of ours sends).
 */
int
control_receive(int sock, struct control *c, int fds[CONTROL_FD_MAX], int wait);

#endif
