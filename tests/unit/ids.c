/* The maps of ids, written to files as the kernel would get them. */
#include "ids.h"

#include <sys/stat.h>

#include <fcntl.h>

#include "unit.h"

static struct plan plan;
static char dir[] = "/tmp/mayfly-ids.XXXXXX";
static int proc = -1;

static const char *const names[] = { "uid_map", "gid_map", "setgroups" };

static void
start(void)
{
	if (mkdtemp(dir) == NULL)
		skip("no directory to be had");
	proc = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	HOLDS(proc >= 0);
}

static void
clean(void)
{
	for (size_t i = 0; i < LENGTH(names); i++)
		(void)unlinkat(proc, names[i], 0);
	(void)rmdir(dir);
}

static void
expect_file(const char *name, const char *wanted)
{
	char text[200];
	int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	expect_text(text, wanted, name);
	(void)close(fd);
}

/* Writes the maps for a user and compares; groups NULL: not written. */
static void
maps(const struct ids *ids, unsigned uid, unsigned gid, const char *uids,
    const char *gids, const char *groups)
{
	plan.uid = uid;
	plan.gid = gid;
	for (size_t i = 0; i < LENGTH(names); i++)
		(void)close(
		    openat(proc, names[i], O_CREAT | O_TRUNC | O_WRONLY, 0600));
	HOLDS(ids_map_sandbox(ids, &plan, proc) == 0);
	expect_file("uid_map", uids);
	expect_file("gid_map", gids);
	expect_file("setgroups", groups != NULL ? groups : "");
}

static void
leased(void)
{
	const struct ids ids = { .mode = IDS_LEASED,
		.uid_base = 131072,
		.gid_base = 196608,
		.count = 65536 };

	start();
	maps(&ids, 0, 0, "0 131072 65536", "0 196608 65536", NULL);
	maps(&ids, 1000, 5, "0 131072 65536", "0 196608 65536", NULL);
	HOLDS(ids_builder_uid(&ids, &plan, 0) == 131072);
	HOLDS(ids_builder_uid(&ids, &plan, 65535) == 196607);
	HOLDS(ids_builder_gid(&ids, &plan, 5) == 196613);
	clean();
}

static void
subuid(void)
{
	const struct ids ids = { .mode = IDS_SUBUID,
		.uid_base = 100000,
		.gid_base = 200000,
		.count = 65536 };

	start();
	maps(&ids, 0, 0, "0 0 1\n1 1 65536\n", "0 0 1\n1 1 65536\n", NULL);
	maps(&ids, 1000, 1, "0 1 1000\n1000 0 1\n1001 1001 64536\n",
	    "0 1 1\n1 0 1\n2 2 65535\n", NULL);
	maps(&ids, 65535, 65535, "0 1 65535\n65535 0 1\n65536 65536 1\n",
	    "0 1 65535\n65535 0 1\n65536 65536 1\n", NULL);
	clean();
}

/* The user may be beyond the range's end. */
static void
small_range(void)
{
	const struct ids ids = { .mode = IDS_SUBUID,
		.uid_base = 100000,
		.gid_base = 100000,
		.count = 10 };

	start();
	maps(&ids, 9, 10, "0 1 9\n9 0 1\n10 10 1\n", "0 1 10\n10 0 1\n", NULL);
	maps(&ids, 1000, 11, "0 1 10\n1000 0 1\n", "0 1 10\n11 0 1\n", NULL);
	clean();
}

static void
single(void)
{
	const struct ids ids = { .mode = IDS_SINGLE };

	start();
	maps(&ids, 0, 0, "0 0 1", "0 0 1", "deny");
	maps(&ids, 1000, 7, "1000 0 1", "7 0 1", "deny");
	HOLDS(ids_builder_uid(&ids, &plan, 0) == 0);
	HOLDS(ids_builder_uid(&ids, &plan, 1000) == 0);
	clean();
}

/* Where map sends id, or -1: a second reading of uid_map's form. */
static int64_t
look_up(const char *map, unsigned id)
{
	unsigned inside, outside, count;
	int n;

	while (sscanf(map, "%u %u %u%n", &inside, &outside, &count, &n) == 3) {
		if (id >= inside && id - inside < count)
			return (int64_t)outside + (id - inside);
		map += n;
	}
	return -1;
}

/* What the builder calls an id is what the kernel will make of it. */
static void
agree(void)
{
	static const unsigned users[] = { 0, 1, 2, 999, 1000, 65534, 65535 };
	const struct ids all[] = {
		{ .mode = IDS_LEASED,
		    .uid_base = 131072,
		    .gid_base = 131072,
		    .count = 65536 },
		{ .mode = IDS_SUBUID, .uid_base = 7, .count = 65536 },
	};
	char map[200];

	start();
	for (size_t i = 0; i < LENGTH(all) * LENGTH(users); i++) {
		const struct ids *ids = &all[i / LENGTH(users)];
		int fd;
		ssize_t n;

		plan.uid = plan.gid = users[i % LENGTH(users)];
		for (size_t j = 0; j < LENGTH(names); j++)
			(void)close(openat(proc, names[j],
			    O_CREAT | O_TRUNC | O_WRONLY, 0600));
		HOLDS(ids_map_sandbox(ids, &plan, proc) == 0);
		fd = openat(proc, "uid_map", O_RDONLY | O_CLOEXEC);
		n = read(fd, map, sizeof(map) - 1);
		map[n > 0 ? n : 0] = '\0';
		(void)close(fd);
		for (unsigned id = 0; id < 65536; id++) {
			if (!HOLDS(look_up(map, id) ==
				   ids_builder_uid(ids, &plan, id)))
				break;
		}
	}
	clean();
}

static void
writes(void)
{
	int fd;

	start();
	HOLDS(ids_write(proc, "uid_map", "x") == -1 && errno == ENOENT);
	HOLDS(ids_map_sandbox(
		  &(struct ids){ .mode = IDS_SINGLE }, &plan, proc) == -1);
	fd = openat(proc, "uid_map", O_CREAT | O_WRONLY, 0600);
	(void)close(fd);
	HOLDS(ids_write(proc, "uid_map", "0 0 1") == 0);
	expect_file("uid_map", "0 0 1");
	HOLDS(ids_write(-1, "uid_map", "0 0 1") == -1);
	clean();
}

/* Each lease is a range of its own; a closed one is free again. */
static void
leases(void)
{
	struct config c;
	struct ids a, b, third;
	struct failure f;
	char run[sizeof(dir) + 4];

	if (!ids_privileged())
		skip("only root leases ranges");
	start();
	config_defaults(&c);
	(void)snprintf(run, sizeof(run), "%s/r", dir);
	c.run_dir = run;
	c.uid_base = 1900019712;
	c.uid_count = 2 * 65536 + 65535;
	HOLDS(ids_take(&a, &c, false, &f) == 0 &&
	      ids_take(&b, &c, false, &f) == 0);
	HOLDS(a.mode == IDS_LEASED && a.count == 65536);
	HOLDS(a.uid_base == a.gid_base && a.lease >= 0);
	HOLDS(a.uid_base != b.uid_base);
	HOLDS(a.uid_base + b.uid_base == 2U * 1900019712U + 65536U);
	HOLDS(fcntl(a.lease, F_GETFD) == FD_CLOEXEC);
	HOLDS(ids_take(&third, &c, false, &f) == -1);
	expect_text(f.step, "ids", "step");
	expect_has(f.detail, "all 2 ranges", "detail");
	(void)close(a.lease);
	HOLDS(ids_take(&third, &c, false, &f) == 0);
	HOLDS(third.uid_base == a.uid_base);
	(void)unlinkat(proc, "r/ids", 0);
	(void)unlinkat(proc, "r", AT_REMOVEDIR);
	clean();
}

static const struct testcase cases[] = {
	{ "root's sandbox has a range as it is", leased },
	{ "with a subordinate range the user is the caller", subuid },
	{ "a user beyond a small range is the caller too", small_range },
	{ "a single id is the user, and groups are denied", single },
	{ "the builder's ids are those of the map", agree },
	{ "a file that is not there is an error", writes },
	{ "a range is leased once at a time", leases },
};

int
main(void)
{
	plan_init(&plan);
	return cases_run(cases, LENGTH(cases));
}
