#ifndef EXEC_DOCTOR_H
#define EXEC_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "cgroup.h"
#include "config.h"
#include "ids.h"
#include "report.h"

/* What the checks share, and what they have found. */
struct doctor {
	struct config config;
	bool privileged; /* builds without a user namespace of its own */
	struct ids ids; /* who a probe is in a user namespace */
	struct cgroup cgroup; /* for the probes, where one is delegated */
	struct finding *findings;
	size_t count;
};

/*
 * A check looks at one thing and adds one finding under the name it is given,
 * or one for each of several things.
 */
void doctor_ok(struct doctor *d, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * level is FINDING_WARN, or FINDING_FAIL where no sandbox can run at all. cost
 * and remedy are kept; fmt says what was found.
 */
void doctor_lacks(struct doctor *d, int level, const char *name,
    const char *cost, const char *remedy, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/* A formatted text that is never freed, to be a cost or a remedy. */
const char *
doctor_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Has nothing failed so far? */
bool doctor_can_run(const struct doctor *d);

/* First line of a file without its newline. Its length, or -1/errno. */
int doctor_read(const char *path, char *buf, size_t size);

/* probe_ids.c: who calls, and whose ids the sandboxes would have. */
void look_caller(struct doctor *d, const char *name);
void look_user_namespaces(struct doctor *d, const char *name);
void look_host_ids(struct doctor *d, const char *name);

/* probe_mounts.c: what a root file system is made with. */
void look_namespaces(struct doctor *d, const char *name);
void look_proc(struct doctor *d, const char *name);
void look_mount_api(struct doctor *d, const char *name);
void look_pivot_root(struct doctor *d, const char *name);
void look_overlay(struct doctor *d, const char *name);
void look_idmapped_mounts(struct doctor *d, const char *name);

/* probe_cgroup.c */
void look_cgroup(struct doctor *d, const char *name);
void look_cgroup_delegation(struct doctor *d, const char *name);
void look_cgroup_controllers(struct doctor *d, const char *name);
void look_cgroup_kill(struct doctor *d, const char *name);
void look_memory_peak(struct doctor *d, const char *name);

/* probe_kernel.c */
void look_kernel(struct doctor *d, const char *name);
void look_seccomp(struct doctor *d, const char *name);
void look_bpf_jit(struct doctor *d, const char *name);
void look_landlock(struct doctor *d, const char *name);
void look_smt(struct doctor *d, const char *name);
void look_ksm(struct doctor *d, const char *name);
void look_sandbox(struct doctor *d, const char *name);

/* probe_disk.c */
void look_session_disk(struct doctor *d, const char *name);

/* probe_images.c: what they are made with, a finding each. */
void look_images(struct doctor *d, const char *name);

/*
 * rootfs/ knows where: is mayfly-rootfs there? 0, or -1 with f; and the path of
 * a program that images are made with, until the next call, or NULL.
 */
int work_find_tool(struct failure *f);
const char *program_find(const char *name);

/* settings.c: what the host's kernel is told, a finding each; its modules. */
void look_settings(struct doctor *d, const char *name);
void look_core_pattern(struct doctor *d, const char *name);
void look_modules(struct doctor *d, const char *name);

#endif
