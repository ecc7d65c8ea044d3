#ifndef EXEC_CONFIG_H
#define EXEC_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "limit.h"

/* mayfly.conf, its fragments and MAYFLY_* variables: mayfly.conf(5). */
struct config {
	char *state_dir;
	char *run_dir;
	char *default_image;
	char *allowed_hosts;
	char *registries;
	char *tokens; /* path of the file, "" for the usual one */
	uint64_t session_ttl; /* seconds */
	uint64_t session_wait; /* ms for which a run waits for the one before */
	uint64_t max_image; /* KB that a layer of an image may hold */
	uint64_t min_free; /* KB that must be free for sessions to grow */
	uint64_t max_sessions;
	uint64_t max_snapshots;
	uint64_t max_runs;
	uint64_t max_pulls; /* of those that HTTP asks for */
	uint64_t uid_base; /* first host id given to sandboxes */
	uint64_t uid_count; /* how many, in whole ranges of 65,536 */
	uint64_t pool; /* sandboxes that `mayfly serve` has ready */
	struct limits limits; /* default_NAME and max_NAME */
};

/*
 * Defaults, then /etc/mayfly/mayfly.conf, mayfly.conf.d/ *.conf by name, then
 * the environment. 0, or -1 with a sentence that names file and line.
 */
int config_read(struct config *c, char *why, size_t size);

/* A number that changes with any of the files. */
uint64_t config_mark(void);

/*
 * Sets one key from text. 0, or -1 with a sentence without file and line.
 * c has been through config_defaults().
 */
int config_set(struct config *c, const char *key, const char *value, char *why,
    size_t size);

void config_defaults(struct config *c);

/*
 * Reads the text of one file, NUL-terminated and changed in place; name is
 * for the error. Pure but for memory. 0 or -1.
 */
int config_parse(
    struct config *c, const char *name, char *text, char *why, size_t size);

#endif
