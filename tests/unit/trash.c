/* Trees of every shape are removed, and nothing that is not theirs. */
#include "trash.h"

#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>

#include "unit.h"

static int top = -1; /* an empty directory of the case's own */
static char told[256];
static int told_error;

static void
tell(const char *name, int error)
{
	(void)snprintf(told, sizeof(told), "%s", name);
	told_error = error;
}

static void
begin(void)
{
	char path[128];

	(void)snprintf(
	    path, sizeof(path), "%s/%d", getenv("TREES"), (int)getpid());
	(void)mkdir(path, 0755);
	HOLDS(chdir(path) == 0);
	top = open(".", O_RDONLY | O_DIRECTORY);
	HOLDS(mkdir("tree", 0755) == 0);
}

static enum trash_result
clean(uint64_t budget)
{
	*told = '\0';
	return trash_tree(top, "tree", budget, tell);
}

static bool
is_there(const char *name)
{
	return faccessat(top, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The tree is gone, and so are the parts that it was taken into. */
static void
expect_gone(void)
{
	struct stat st;

	HOLDS(!is_there("tree"));
	HOLDS(fstat(top, &st) == 0 && st.st_nlink <= 2);
	expect_text(told, "", "what was told");
}

static void
make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0644);

	HOLDS(fd >= 0);
	(void)close(fd);
}

static void
shapes(void)
{
	begin();
	make_file("kept");
	HOLDS(mkdir("keep", 0755) == 0);
	make_file("keep/file");
	HOLDS(chdir("tree") == 0);
	make_file("a");
	make_file("\n\"\\\xff");
	make_file("-rf");
	make_file(" ");
	HOLDS(symlink("../kept", "link") == 0);
	HOLDS(symlink("../keep", "dir-link") == 0);
	HOLDS(symlink("/", "root-link") == 0);
	HOLDS(link("../kept", "hard") == 0);
	HOLDS(mkfifo("fifo", 0600) == 0);
	HOLDS(mkdir("closed", 0700) == 0);
	make_file("closed/file");
	HOLDS(mkdir("closed/in", 0700) == 0);
	HOLDS(chmod("closed/in", 0) == 0);
	HOLDS(chmod("closed", 0) == 0);
	HOLDS(mkdir("unread", 0700) == 0);
	make_file("unread/file");
	HOLDS(chmod("unread", 0500) == 0);
	HOLDS(chdir("..") == 0);
	expect_number(clean(UINT64_MAX), TRASH_GONE, "result");
	HOLDS(!is_there("tree"));
	expect_text(told, "", "what was told");
	HOLDS(is_there("kept") && is_there("keep/file"));
}

static void
single(void)
{
	begin();
	HOLDS(rmdir("tree") == 0);
	expect_number(clean(UINT64_MAX), TRASH_GONE, "nothing");
	make_file("tree");
	expect_number(clean(UINT64_MAX), TRASH_GONE, "a file");
	HOLDS(symlink("/etc", "tree") == 0);
	expect_number(clean(UINT64_MAX), TRASH_GONE, "a link");
	expect_gone();
}

/* Files and directories in each of many levels, and few descriptors. */
static void
deep(void)
{
	const struct rlimit few = { 64, 64 };

	begin();
	HOLDS(chdir("tree") == 0);
	for (int i = 0; i < 4000; i++) {
		if (i % 100 == 0) {
			make_file("file");
			HOLDS(mkdir("more", 0700) == 0);
			make_file("more/file");
		}
		if (mkdir("d", i % 7 == 0 ? 0300 : 0700) != 0 ||
		    chdir("d") != 0) {
			HOLDS(false);
			break;
		}
	}
	(void)!fchdir(top);
	(void)setrlimit(RLIMIT_NOFILE, &few);
	expect_number(clean(UINT64_MAX), TRASH_GONE, "result");
	expect_gone();
}

static void
wide(void)
{
	char name[32];

	begin();
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof(name), "tree/%d", i);
		if (i % 10 == 0)
			HOLDS(mkdir(name, 0700) == 0);
		else
			make_file(name);
	}
	expect_number(clean(100), TRASH_LEFT, "a budget of 100");
	HOLDS(is_there("tree"));
	expect_number(clean(UINT64_MAX), TRASH_GONE, "the rest");
	expect_gone();
}

static void
mounted(void)
{
	begin();
	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		skip("nothing can be mounted here");
	/* What is open leads to where nothing will be mounted. */
	(void)close(top);
	top = open(".", O_RDONLY | O_DIRECTORY);
	HOLDS(mkdir("canary", 0755) == 0);
	make_file("canary/file");
	make_file("canary/other");
	HOLDS(mkdir("tree/a", 0755) == 0 && mkdir("tree/a/here", 0755) == 0);
	make_file("tree/a/file");
	make_file("tree/z");
	HOLDS(mount("canary", "tree/a/here", NULL, MS_BIND, NULL) == 0);
	expect_number(clean(UINT64_MAX), TRASH_FAILED, "result");
	HOLDS(is_there("canary/file"));
	expect_text(told, "here", "what was told");
	expect_number(told_error, EBUSY, "why");
	/* All else is gone. */
	HOLDS(!is_there("tree/a/file") && !is_there("tree/z"));
	HOLDS(umount("tree/a/here") == 0);
	HOLDS(mount("canary/file", "canary/file", NULL, MS_BIND, NULL) == 0);
	make_file("tree/a/one");
	HOLDS(mount("canary/file", "tree/a/one", NULL, MS_BIND, NULL) == 0);
	expect_number(clean(UINT64_MAX), TRASH_FAILED, "a file's mount");
	expect_text(told, "one", "what was told");
	HOLDS(umount("tree/a/one") == 0);
	HOLDS(mount("canary", "tree", NULL, MS_BIND, NULL) == 0);
	/* Here it is not what rmdir(2) says that keeps everybody out. */
	expect_number(clean(UINT64_MAX), TRASH_FAILED, "the top");
	HOLDS(is_there("canary/file") && is_there("canary/other"));
	HOLDS(umount("tree") == 0);
	expect_number(clean(UINT64_MAX), TRASH_GONE, "at last");
	HOLDS(is_there("canary/file"));
}

static void
set_flags(const char *path, int flags)
{
	int fd = open(path, O_RDONLY);

	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) != 0)
		skip("no file can be made immutable here");
	(void)close(fd);
}

static void
immutable(void)
{
	begin();
	HOLDS(mkdir("tree/d", 0755) == 0);
	make_file("tree/d/fixed");
	make_file("tree/d/grows");
	make_file("tree/d/other");
	HOLDS(mkdir("tree/e", 0755) == 0);
	set_flags("tree/d/fixed", FS_IMMUTABLE_FL);
	set_flags("tree/d/grows", FS_APPEND_FL);
	set_flags("tree/e", FS_IMMUTABLE_FL);
	set_flags("tree/d", FS_IMMUTABLE_FL);
	set_flags("tree", FS_APPEND_FL);
	expect_number(clean(UINT64_MAX), TRASH_GONE, "result");
	expect_gone();
}

static const struct testcase cases[] = {
	{ "entries of every kind and mode go, and no link is followed",
	    shapes },
	{ "what is no directory goes as well", single },
	{ "a tree of 4,000 levels goes with 64 descriptors", deep },
	{ "no more goes than the budget allows", wide },
	{ "what is mounted in a tree stays, is told, and all else goes",
	    mounted },
	{ "files that cannot be changed go where that can be undone",
	    immutable },
};

int
main(void)
{
	char template[] = "/tmp/mayfly-unit.XXXXXX";

	return cases_run_in(template, "TREES", cases, LENGTH(cases));
}
