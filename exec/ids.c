#include "ids.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "defence.h"
#include "place.h"
#include "rundir.h"
#include "subids.h"
#include "sys.h"

/* When all ranges are in use: how long one is awaited, and how often looked. */
#define PATIENCE_MS 300
#define PAUSE_MS 3

/* The capabilities without which root cannot build. */
static const struct {
	int number;
	const char *name;
} builder_caps[] = {
	{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
	{ CAP_SETUID, "CAP_SETUID" },
	{ CAP_SETGID, "CAP_SETGID" },
	{ CAP_CHOWN, "CAP_CHOWN" },
	{ CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE" },
};

const char *
ids_lacking(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2] = { 0 };

	/* Not to be told is no lack: the step that has one says so. */
	if (syscall(SYS_capget, &head, data) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof(builder_caps) / sizeof(*builder_caps);
	     i++) {
		if ((data[0].effective & (1U << builder_caps[i].number)) == 0)
			return builder_caps[i].name;
	}
	return NULL;
}

bool
ids_privileged(void)
{
	return geteuid() == 0 && ids_lacking() == NULL;
}

/*
 * Root of a user namespace in which there is nobody else is somebody ordinary
 * outside of it, or as good as that.
 */
static bool
is_alone(void)
{
	char map[128], *end;
	auto_fd fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, map, sizeof(map) - 1);

	map[n > 0 ? n : 0] = '\0';
	(void)strtoul(map, &end, 10);
	(void)strtoul(end, &end, 10);
	return strtoul(end, &end, 10) == 1 && strcmp(end, "\n") == 0;
}

int
ids_refuse_root(struct failure *f)
{
	const char *lacking = ids_lacking();

	if (geteuid() != 0 || lacking == NULL || is_alone())
		return 0;
	return failure_set(f, "ids", 0,
	    "root without %s could make a sandbox only of itself: give that "
	    "capability, or call as an ordinary user",
	    lacking);
}

struct ranges {
	const struct config *config;
	/* Set where /etc/subuid or /etc/subgid has given one of them away. */
	bool *given_away;
};

/* Has nobody else been given it, and has its last sandbox ended? */
static int
is_free(const void *context, int fd, uint64_t n)
{
	const struct ranges *ranges = context;
	uint64_t start = ranges->config->uid_base + n * IDS_PER_SANDBOX;
	auto_fd left = place_left(fd, n);
	struct failure f;
	int r;

	if (left >= 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	r = subids_meet(start, IDS_PER_SANDBOX, &f);
	if (r < 0)
		errno = f.error;
	else if (r > 0)
		*ranges->given_away = true;
	return r < 0 ? -1 : r == 0;
}

static int
open_leases(const struct config *c, struct failure *f)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/ids", c->run_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == ENOENT) {
		if (rundir_path(c, path, sizeof(path)) != 0)
			return failure_set(
			    f, "ids", errno, "mkdir %s", c->run_dir);
		(void)snprintf(path, sizeof(path), "%s/ids", c->run_dir);
		fd =
		    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	}
	if (fd < 0)
		return failure_set(f, "ids", errno, "open %s", path);
	return fd;
}

/*
 * A run whose verdict is known gives its range back a moment later, and who has
 * heard that verdict may be here by then.
 */
static int
take_range(int fd, uint64_t count, const struct ranges *ranges, uint64_t *ret)
{
	const struct timespec pause = { 0, PAUSE_MS * 1000000 };
	const int64_t until = sys_now_ms() + PATIENCE_MS;

	while (place_take(fd, count, is_free, ranges, ret) != 0) {
		if (errno != EAGAIN || sys_now_ms() >= until)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

static int
lease(struct ids *ids, const struct config *c, struct failure *f)
{
	uint64_t count = c->uid_count / IDS_PER_SANDBOX;
	bool given_away = false;
	const struct ranges ranges = { c, &given_away };
	auto_fd fd = open_leases(c, f);

	if (fd < 0)
		return -1;
	if (take_range(fd, count, &ranges, &ids->range) != 0) {
		if (errno != EAGAIN)
			return failure_set(f, "ids", errno, "lock a range");
		return failure_set(f, "ids", 0,
		    "all %" PRIu64 " ranges of host ids are in use%s", count,
		    given_away ? " or given away in /etc/subuid or "
				 "/etc/subgid: set uid_base and uid_count"
			       : ": raise uid_count");
	}
	ids->uid_base = ids->gid_base =
	    (uid_t)(c->uid_base + ids->range * IDS_PER_SANDBOX);
	ids->count = IDS_PER_SANDBOX;
	ids->lease = sys_take(&fd);
	return 0;
}

int
ids_unmapped(const struct ids *ids, struct failure *f)
{
	return failure_set(f, "ids", 0,
	    "host ids %u to %u are not all mapped in the user namespace this "
	    "is in: set uid_base and uid_count",
	    ids->uid_base, ids->uid_base + ids->count - 1);
}

int
ids_note(const struct ids *ids, pid_t pid, int64_t before_us)
{
	return ids->lease >= 0
		   ? place_note(ids->lease, ids->range, pid, before_us)
		   : 0;
}

int
ids_take(
    struct ids *ids, const struct config *c, bool one_owner, struct failure *f)
{
	struct subids own;
	int r;

	memset(ids, 0, sizeof(*ids));
	ids->lease = -1;
	ids->caller = geteuid();
	ids->caller_group = getegid();
	if (ids_privileged()) {
		ids->mode = IDS_LEASED;
		return lease(ids, c, f);
	}
	if (DEFENCE(REFUSE_ROOT) && ids_refuse_root(f) != 0)
		return -1;
	ids->mode = IDS_SINGLE;
	if (one_owner)
		return 0;
	r = subids_find(&own, f);
	if (r <= 0)
		return r;
	ids->mode = IDS_SUBUID;
	ids->uid_base = (uid_t)own.uids;
	ids->gid_base = (gid_t)own.gids;
	ids->count = (unsigned)(own.uid_count < own.gid_count ? own.uid_count
							      : own.gid_count);
	if (ids->count > IDS_PER_SANDBOX)
		ids->count = IDS_PER_SANDBOX;
	return 0;
}

int
ids_write(int proc, const char *name, const char *text)
{
	auto_fd fd = openat(proc, name, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);

	if (fd < 0)
		return -1;
	return write(fd, text, len) == (ssize_t)len ? 0 : -1;
}

/* It does not inherit what mayfly ignores. 0 or an errno value. */
static int
spawn(pid_t *ret_pid, char **argv)
{
	char *env[] = { NULL };
	posix_spawnattr_t attr;
	sigset_t own;
	int error = posix_spawnattr_init(&attr);

	if (error != 0)
		return error;
	(void)sigemptyset(&own);
	(void)sigaddset(&own, SIGXFSZ);
	(void)posix_spawnattr_setsigdefault(&attr, &own);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	error = posix_spawn(ret_pid, argv[0], NULL, &attr, argv, env);
	(void)posix_spawnattr_destroy(&attr);
	return error;
}

/* newuidmap PID 0 CALLER 1 1 BASE COUNT; it and newgidmap may, we may not. */
static int
run_newidmap(const char *program, pid_t pid, unsigned own, unsigned base,
    unsigned count, struct failure *f)
{
	char path[32], text[5][16], zero[] = "0", one[] = "1";
	char *argv[] = { path, text[0], zero, text[1], one, text[2], text[3],
		text[4], NULL };
	int status, error;
	pid_t child;

	(void)snprintf(path, sizeof(path), "/usr/bin/%s", program);
	(void)snprintf(text[0], sizeof(text[0]), "%d", (int)pid);
	(void)snprintf(text[1], sizeof(text[1]), "%u", own);
	(void)snprintf(text[2], sizeof(text[2]), "1");
	(void)snprintf(text[3], sizeof(text[3]), "%u", base);
	(void)snprintf(text[4], sizeof(text[4]), "%u", count);
	error = spawn(&child, argv);
	if (error != 0)
		return failure_set(f, "ids", error, "%s", path);
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return failure_set(
			    f, "ids", errno, "wait for %s", path);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return failure_set(f, "ids", 0, "%s could not map ids %u to %u",
		    program, base, base + count - 1);
	return 0;
}

int
ids_map_builder(const struct ids *ids, pid_t pid, struct failure *f)
{
	char path[32], uids[48], gids[48];

	if (ids->mode == IDS_SUBUID)
		return run_newidmap("newuidmap", pid, ids->caller,
			   ids->uid_base, ids->count, f) != 0 ||
			       run_newidmap("newgidmap", pid, ids->caller_group,
				   ids->gid_base, ids->count, f) != 0
			   ? -1
			   : 0;
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	(void)snprintf(uids, sizeof(uids), "0 %u 1", ids->caller);
	(void)snprintf(gids, sizeof(gids), "0 %u 1", ids->caller_group);
	{
		auto_fd proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (proc < 0 || ids_write(proc, "uid_map", uids) != 0 ||
		    ids_write(proc, "setgroups", "deny") != 0 ||
		    ids_write(proc, "gid_map", gids) != 0)
			return failure_set(
			    f, "ids", errno, "map the one id %u", ids->caller);
	}
	return 0;
}

/*
 * With a range from /etc/subuid the builder's 0 is the caller and 1 is where
 * the range begins. The sandbox's user, and nobody else, is the caller, so
 * that a bound directory of the caller's is that user's inside.
 */
static unsigned
builder_id(const struct ids *ids, unsigned base, unsigned user, unsigned inside)
{
	switch (ids->mode) {
	case IDS_LEASED:
		return base + inside;
	case IDS_SUBUID:
		return inside == user ? 0 : inside < user ? inside + 1 : inside;
	default:
		return 0;
	}
}

/*
 * What one run of a session has written belongs to the same users in the next
 * one, whoever that is run as, and so it is with layers: there it is always
 * root who is the caller. Also where it is not known yet who the user is.
 */
static unsigned
caller_inside(const struct ids *ids, const struct plan *p, unsigned user)
{
	bool fixed = plan_is_layered(p) || p->work >= 0 || p->user != NULL;

	return fixed && ids->mode == IDS_SUBUID ? 0 : user;
}

uid_t
ids_builder_uid(const struct ids *ids, const struct plan *p, uid_t inside)
{
	return builder_id(
	    ids, ids->uid_base, caller_inside(ids, p, p->uid), inside);
}

gid_t
ids_builder_gid(const struct ids *ids, const struct plan *p, gid_t inside)
{
	return builder_id(
	    ids, ids->gid_base, caller_inside(ids, p, p->gid), inside);
}

static void
sandbox_map(
    const struct ids *ids, unsigned base, unsigned user, char *buf, size_t size)
{
	unsigned after = user < ids->count ? ids->count - user : 0;
	int n = 0;

	switch (ids->mode) {
	case IDS_LEASED:
		(void)snprintf(buf, size, "0 %u %u", base, ids->count);
		break;
	case IDS_SUBUID:
		if (user > 0)
			n = snprintf(buf, size, "0 1 %u\n",
			    user < ids->count ? user : ids->count);
		n += snprintf(buf + n, size - (size_t)n, "%u 0 1\n", user);
		if (after > 0)
			(void)snprintf(buf + n, size - (size_t)n, "%u %u %u\n",
			    user + 1, user + 1, after);
		break;
	default:
		(void)snprintf(buf, size, "%u 0 1", user);
		break;
	}
}

int
ids_map_sandbox(const struct ids *ids, const struct plan *p, int proc)
{
	char uids[128], gids[128];

	sandbox_map(ids, ids->uid_base, caller_inside(ids, p, p->uid), uids,
	    sizeof(uids));
	sandbox_map(ids, ids->gid_base, caller_inside(ids, p, p->gid), gids,
	    sizeof(gids));
	if (ids_write(proc, "uid_map", uids) != 0)
		return -1;
	if (ids->mode == IDS_SINGLE &&
	    ids_write(proc, "setgroups", "deny") != 0)
		return -1;
	return ids_write(proc, "gid_map", gids);
}
