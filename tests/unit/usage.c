/* What trees of every shape take up, counted as du(1) and find(1) do. */
#include "usage.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>

#include "unit.h"

static const char *const names[] = { "tree", "absent", "second", NULL };
static int top = -1; /* an empty directory of the case's own */

static void
begin(void)
{
	char path[128];

	(void)snprintf(
	    path, sizeof(path), "%s/%d", getenv("TREES"), (int)getpid());
	HOLDS(mkdir(path, 0755) == 0 && chdir(path) == 0);
	top = open(".", O_RDONLY | O_DIRECTORY);
	HOLDS(mkdir("tree", 0755) == 0 && mkdir("second", 0700) == 0);
}

static void
make_file(const char *path, size_t size)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0644);
	static char block[65536];

	for (size_t left = size, n; left > 0; left -= n) {
		n = left < sizeof(block) ? left : sizeof(block);
		HOLDS(write(fd, block, n) == (ssize_t)n);
	}
	HOLDS(fd >= 0 && fsync(fd) == 0 && close(fd) == 0);
}

static int64_t
answer_of(const char *command)
{
	FILE *f = popen(command, "r");
	long long n = -1;

	if (f != NULL) {
		HOLDS(fscanf(f, "%lld", &n) == 1);
		(void)pclose(f);
	}
	return n;
}

static void
expect_counted(const struct usage *most)
{
	struct usage u;

	HOLDS(fchdir(top) == 0);
	HOLDS(usage_count(top, names, most, &u) == 0);
	expect_number(
	    (int64_t)u.kb, answer_of("du -skc tree second | tail -n 1"), "KB");
	expect_number((int64_t)u.inodes,
	    answer_of("find tree second -printf '%i\\n' | sort -u | wc -l"),
	    "inodes");
}

static void
shapes(void)
{
	begin();
	expect_counted(NULL);
	HOLDS(chdir("tree") == 0);
	make_file("empty", 0);
	make_file("one", 1);
	make_file("large", 3000000);
	HOLDS(symlink("/", "root") == 0 && symlink("..", "up") == 0);
	HOLDS(mkfifo("pipe", 0600) == 0);
	HOLDS(mkdir("dir", 0755) == 0 && mkdir("dir/empty", 0) == 0);
	make_file("../second/other", 5000);
	make_file("sparse", 1);
	HOLDS(truncate("sparse", 1 << 30) == 0);
	/* As many of it as the file system lets one have. */
	for (size_t size = 60000; size > 100; size /= 2) {
		char value[60000];

		memset(value, 'x', sizeof(value));
		if (setxattr("one", "user.large", value, size, 0) == 0)
			break;
	}
	sync();
	expect_counted(NULL);
}

static void
many_names(void)
{
	char path[64];

	begin();
	make_file("tree/file", 100000);
	HOLDS(mkdir("tree/dir", 0755) == 0);
	for (int i = 0; i < 300; i++) {
		(void)snprintf(path, sizeof(path), "%s/n%d",
		    i % 3 == 0 ? "second" : "tree/dir", i);
		HOLDS(link("tree/file", path) == 0);
	}
	expect_counted(NULL);
}

/* Deeper than descriptors go, and with something to read on the way back. */
static void
depth(void)
{
	begin();
	HOLDS(chdir("tree") == 0);
	for (int i = 0; i < 700; i++) {
		for (char name[] = "a"; *name <= 'd'; (*name)++)
			HOLDS(mkdir(name, 0755) == 0);
		make_file("c/f", 1);
		make_file("z", i % 7 == 0);
		HOLDS(chdir(i % 2 == 0 ? "b" : "c") == 0);
	}
	sync();
	expect_counted(NULL);
}

static void
stops(void)
{
	struct usage most = { 100, 1000000 }, u;
	char path[64];

	begin();
	for (int i = 0; i < 100; i++) {
		(void)snprintf(path, sizeof(path), "tree/f%d", i);
		make_file(path, 40960);
	}
	HOLDS(usage_count(top, names, &most, &u) == 0);
	HOLDS(u.kb > 100 && u.kb < 200 && u.inodes < 10);
	most = (struct usage){ 1000000, 50 };
	HOLDS(usage_count(top, names, &most, &u) == 0);
	expect_number((int64_t)u.inodes, 51, "inodes");
	most = (struct usage){ 1000000, 102 };
	expect_counted(&most);
}

static void
mounts(void)
{
	struct usage before, after;

	begin();
	HOLDS(mkdir("tree/here", 0755) == 0);
	HOLDS(usage_count(top, names, NULL, &before) == 0);
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "tree/here", "tmpfs", 0, NULL) != 0)
		skip("nothing can be mounted here");
	make_file("tree/here/file", 1000000);
	HOLDS(usage_count(top, names, NULL, &after) == 0);
	expect_number((int64_t)after.inodes, (int64_t)before.inodes, "inodes");
	HOLDS(after.kb <= before.kb);
}

static void
denied(void)
{
	struct usage u;

	begin();
	HOLDS(mkdir("tree/dir", 0755) == 0);
	make_file("tree/dir/file", 1);
	HOLDS(chown("tree", 54321, 54321) == 0 || geteuid() != 0);
	if (geteuid() == 0 && setuid(54321) != 0)
		skip("no other user can be had");
	HOLDS(chmod("tree/dir", 0) == 0 || chmod("tree", 0) == 0);
	HOLDS(usage_count(top, names, NULL, &u) == -1 && errno == EACCES);
}

/* Whatever is moved meanwhile: an answer, and never a wrong step. */
static void
moved(void)
{
	struct usage u;
	pid_t pid;

	begin();
	HOLDS(chdir("tree") == 0);
	for (int i = 0; i < 60; i++)
		HOLDS(mkdir("d", 0755) == 0 && chdir("d") == 0);
	HOLDS(fchdir(top) == 0);
	pid = fork();
	if (pid == 0) {
		for (;;) {
			(void)rename("tree/d/d/d/d", "second/d");
			(void)rename("second/d", "tree/d/d/d/d");
		}
	}
	for (int i = 0; i < 2000; i++) {
		if (usage_count(top, names, NULL, &u) != 0 && errno != ESTALE &&
		    errno != ENOENT)
			HOLDS(false);
		HOLDS(u.inodes <= 124);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static const struct testcase cases[] = {
	{ "trees of every shape are counted as they are", shapes },
	{ "a file with many names is counted once", many_names },
	{ "trees deeper than descriptors go are counted", depth },
	{ "counting ends at what is too much", stops },
	{ "what is mounted in a tree is not its own", mounts },
	{ "what cannot be read is said", denied },
	{ "directories may move while they are counted", moved },
};

int
main(void)
{
	char trees[] = "/var/tmp/mayfly-usage.XXXXXX";

	return cases_run_in(trees, "TREES", cases, LENGTH(cases));
}
