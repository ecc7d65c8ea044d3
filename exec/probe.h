#ifndef EXEC_PROBE_H
#define EXEC_PROBE_H

#include <stdint.h>

#include "fail.h"
#include "ids.h"

/*
 * Something to be tried in a child of its own, which it may spoil: only trying
 * tells what a machine allows, its version does not. What it mounts or makes
 * goes with the child.
 */
struct probe {
	uint64_t flags; /* of clone3: its namespaces, CLONE_INTO_CGROUP */
	int cgroup; /* the directory, with that flag */
	const struct ids *ids; /* with CLONE_NEWUSER: who it is there */
	/* 0, with what there is to tell in f->detail; or -1 with f. */
	int (*try)(const void *arg, struct failure *f);
	const void *arg;
	void (*meanwhile)(const void *arg); /* by the parent; or NULL */
	int patience; /* ms until it is killed; 0: some seconds */
};

/*
 * Steps of the failure that are not the probe's own: "start" (clone3), "ids"
 * (the map), "hang", "killed" and "ended".
 */
int probe(const struct probe *p, struct failure *f);

/* Has nothing to try but what the flags ask for. */
int probe_nothing(const void *arg, struct failure *f);

/* For probes in a mount namespace: */

/* Mounts a tmpfs over "/", where it is not yet seen, and returns it. */
int probe_mount_tmpfs(struct failure *f);

/* Makes such a tmpfs the root directory. */
int probe_enter_tmpfs(struct failure *f);

/* A procfs of this PID namespace, mounted nowhere, with hidepid. */
int probe_open_proc(struct failure *f);

#endif
