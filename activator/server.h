#ifndef ACTIVATOR_SERVER_H
#define ACTIVATOR_SERVER_H

#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "listen.h"
#include "pool.h"
#include "waiting.h"

/* Requests at once, as mayfly.socket has it; the others wait. */
#define SERVER_CONNECTIONS_MAX 1024

/* `mayfly serve`: what systemd does elsewhere. */
struct server {
	struct listener listeners[LISTEN_MAX];
	int count;
	long idle_exit; /* seconds without work until it ends, or -1 */
	int signals; /* signalfd */
	sigset_t mask_before;
	struct waiting waiting; /* nothing has come of these yet */
	pid_t children[SERVER_CONNECTIONS_MAX]; /* each serves a connection */
	unsigned connections; /* how many there are */
	struct pool pool;
	pid_t reaper; /* the child that reaps, or 0 */
	int64_t idle_since_ms, reaped_ms; /* CLOCK_MONOTONIC */
	int64_t accept_ms; /* no connection is accepted until then */
	bool has_spares; /* networks for who uses none: net_spare() */
	bool stopping;
};

/* Once; the listeners are added by the caller. 0 or -1/errno. */
int server_prepare(struct server *s);

/* Until it is told to end, or has been idle for so long. */
void server_run(struct server *s);

/* What is still going on is told to end, and has its verdict. */
void server_finish(struct server *s);

/* Closes the listeners, and removes what they have made. */
void server_close(struct server *s);

#endif
