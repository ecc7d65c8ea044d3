#ifndef ACTIVATOR_POOL_H
#define ACTIVATOR_POOL_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * Processes of `mayfly serve` that have all ready for a connection that has
 * not come yet: connection_await(). Each is for one. They are made when there
 * is nothing else to do, one after the other: made beside a run they would
 * take from it what the next one gains.
 */
#define POOL_MAX 4096

/* One of them. */
struct member {
	pid_t pid;
	int broker, front; /* where the connection is handed over */
};

struct pool {
	struct member members[POOL_MAX + 1];
	unsigned count; /* of those that are ready, and the one at [count] */
	bool building; /* is being made */
	uint64_t wanted;
	uint64_t not_before_us; /* CLOCK_MONOTONIC: no more until then */
	unsigned failures; /* in a row */
	uint64_t looked_us; /* when what they are made from was looked at */
	uint64_t mark; /* of that */
	char manifest[4096]; /* of the image they are made from, or "" */
};

/* Reads how many are wanted, from a configuration that is whole. */
void pool_init(struct pool *p);

/*
 * Microseconds until pool_start() is to be called, 0: now; or pool_check(),
 * where there is nothing to start; UINT64_MAX: not before something happens.
 * idle: nothing is served at the moment.
 */
uint64_t pool_next_us(const struct pool *p, bool idle);

/*
 * Makes the next one: 0 in the new process, with its ends of the channels; else
 * what start() says, which is fork(), and in the new process closes all but
 * these two.
 */
pid_t
pool_start(struct pool *p, pid_t (*start)(void *context, int broker, int front),
    void *context, int *ret_broker, int *ret_front);

/* What to poll for the one being made, or -1; and when it can be read. */
int pool_poll(const struct pool *p);
void pool_take_word(struct pool *p);

/* Something was served, begun or ended: building waits a little. */
void pool_touch(struct pool *p);

/* Gives it to one of them. Its process, or -1: there is none. */
pid_t pool_hand_over(struct pool *p, int sock);

/* Is the process that has ended one of them? Then it is no more. */
bool pool_bury(struct pool *p, pid_t pid);

/*
 * Drops all of them if the configuration, or the image that they were made
 * from, has changed since, or memory is short. Looks at most once a second.
 */
void pool_check(struct pool *p);

/* Ends all of them. */
void pool_drop(struct pool *p);

#endif
