/*
 * barest: the least that a sandbox such as mayfly's can cost.
 *
 *	barest [-n] -j COUNT -s SECONDS MOUNTINFO COMMAND [ARGUMENT]...
 *
 * COUNT processes, each of which again and again does one clone3 into fresh
 * namespaces, makes in there the mounts that the file MOUNTINFO lists, enters
 * a user namespace, executes the command and waits for its end. With -n the
 * network stays the caller's. Nothing else: no limits, no filter, no files in
 * /etc, no init, no pipes, no way to stop it. Prints how many a second.
 *
 * MOUNTINFO is /proc/self/mountinfo as read in a sandbox of mayfly's, so that
 * whatever that mounts is mounted here as well. As there, root makes all of it
 * and leaves for a user namespace that owns none of it. For root only.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <err.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "sys.h"

#define MOUNTS_MAX 128
#define PLACES_MAX 256

enum kind {
	KIND_HOST,
	KIND_ROOT,
	KIND_OWN,
	KIND_PROC,
	KIND_PROC_OWN,
	KIND_PTS
};

struct mount {
	enum kind kind;
	uint64_t attr;
	char source[128]; /* in its file system; of a host's, where it is */
	const struct mount *first; /* that shows the same, or NULL */
	int tree;
	char at[128]; /* below the root, without a slash in front */
};

/* What must be there to mount on, parents first, and the links. */
struct place {
	char name[128];
	char link[128]; /* or empty */
	bool is_dir;
};

static struct mount mounts[MOUNTS_MAX];
static struct place places[PLACES_MAX];
static size_t mounts_count, places_count;

static uint64_t
parse_attr(char *options)
{
	static const struct {
		const char *name;
		uint64_t attr;
	} known[] = {
		{ "ro", MOUNT_ATTR_RDONLY },
		{ "nosuid", MOUNT_ATTR_NOSUID },
		{ "nodev", MOUNT_ATTR_NODEV },
		{ "noexec", MOUNT_ATTR_NOEXEC },
	};
	uint64_t attr = 0;

	for (char *o = strtok(options, ","); o != NULL; o = strtok(NULL, ","))
		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			if (strcmp(o, known[i].name) == 0)
				attr |= known[i].attr;
	return attr;
}

static enum kind
kind_of(const char *type, const char *root, const char *at)
{
	bool whole = strcmp(root, "/") == 0;

	if (strcmp(type, "proc") == 0)
		return whole ? KIND_PROC : KIND_PROC_OWN;
	if (strcmp(type, "devpts") == 0)
		return KIND_PTS;
	if (strcmp(type, "tmpfs") == 0)
		return whole && *at == '\0' ? KIND_ROOT : KIND_OWN;
	return KIND_HOST;
}

static void
mounts_read(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[1024], root[128], at[128], options[128], type[32];

	if (f == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		struct mount *m = &mounts[mounts_count++];

		if (mounts_count == MOUNTS_MAX)
			errx(1, "%s: too many mounts", path);
		if (sscanf(line, "%*d %*d %*s %127s %127s %127s", root, at,
			options) != 3)
			errx(1, "%s: %s", path, line);
		if (sscanf(strstr(line, " - "), " - %31s", type) != 1)
			errx(1, "%s: %s", path, line);
		m->kind = kind_of(type, root, at + 1);
		m->attr = parse_attr(options);
		(void)snprintf(m->at, sizeof(m->at), "%s", at + 1);
		(void)snprintf(m->source, sizeof(m->source), "%s%s",
		    m->kind == KIND_HOST ? "/" : "",
		    m->kind == KIND_HOST ? at + 1 : root + 1);
		for (struct mount *o = mounts; o < m && !m->first; o++)
			if (o->kind == KIND_OWN && m->kind == KIND_OWN &&
			    strcmp(o->source, m->source) == 0)
				m->first = o;
	}
	(void)fclose(f);
}

static void
place_add(const char *name, const char *link, bool is_dir)
{
	struct place *p = &places[places_count];

	for (size_t i = 0; i < places_count; i++)
		if (strcmp(places[i].name, name) == 0)
			return;
	if (++places_count == PLACES_MAX)
		errx(1, "too many places");
	(void)snprintf(p->name, sizeof(p->name), "%s", name);
	(void)snprintf(p->link, sizeof(p->link), "%s", link);
	p->is_dir = is_dir;
}

static void
places_plan(void)
{
	static const char *const links[] = { "bin", "sbin", "lib", "lib32",
		"lib64", "libx32" };
	char path[160], link[128];
	struct stat st;

	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		(void)snprintf(path, sizeof(path), "/%s", links[i]);
		ssize_t n = readlink(path, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = '\0';
		place_add(links[i], link, false);
	}
	for (size_t i = 0; i < mounts_count; i++) {
		const struct mount *m = &mounts[i];

		/* /proc has its own. */
		if (m->kind == KIND_ROOT || strncmp(m->at, "proc/", 5) == 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s", m->at);
		for (char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
			*s = '\0';
			place_add(path, "", true);
			*s = '/';
		}
		(void)snprintf(path, sizeof(path), "/%s", m->at);
		if (stat(path, &st) != 0)
			err(1, "%s", path);
		place_add(m->at, "", S_ISDIR(st.st_mode));
	}
}

/* In the sandbox: a failure is the end of it. */

static int
done(int result, const char *what)
{
	if (result < 0)
		err(1, "%s", what);
	return result;
}

static int
fs_make(const char *type, const char *const options[][2], uint64_t attr)
{
	int fs = done(sys_fsopen(type), type), made;

	for (size_t i = 0; options[i][0] != NULL; i++)
		done(sys_fsconfig(
			 fs, FSCONFIG_SET_STRING, options[i][0], options[i][1]),
		    options[i][0]);
	done(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL), type);
	made = done(sys_fsmount(fs, (unsigned)attr), type);
	(void)close(fs);
	return made;
}

static void
places_make(int root)
{
	for (size_t i = 0; i < places_count; i++) {
		const struct place *p = &places[i];

		if (p->link[0] != '\0')
			done(symlinkat(p->link, root, p->name), p->name);
		else if (p->is_dir)
			done(mkdirat(root, p->name, 0755), p->name);
		else
			done(
			    mknodat(root, p->name, S_IFREG | 0644, 0), p->name);
	}
}

/*
 * Of several that show the same, the others are made from the first: it has the
 * attributes, and what was there before something else was mounted over it.
 */
static int
clone_tree(int from, struct mount *m)
{
	const unsigned recursive = m->kind == KIND_HOST ? AT_RECURSIVE : 0;
	const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive;
	struct mount_attr attr = { .attr_set = m->attr,
		.attr_clr = MOUNT_ATTR_NODEV & ~m->attr };

	if (m->first != NULL) {
		m->tree =
		    sys_open_tree(m->first->tree, "", flags | AT_EMPTY_PATH);
		return done(m->tree, m->source);
	}
	m->tree = done(sys_open_tree(from, m->source, flags), m->source);
	done(sys_mount_setattr(m->tree, AT_EMPTY_PATH | recursive, &attr),
	    m->at);
	return m->tree;
}

static void
mount_make(int root, int proc, struct mount *m)
{
	static const char *const of_proc[][2] = { { "hidepid", "invisible" },
		{ NULL, NULL } };
	static const char *const of_pts[][2] = { { "max", "12" },
		{ "ptmxmode", "0666" }, { "mode", "0620" }, { NULL, NULL } };

	switch (m->kind) {
	case KIND_ROOT:
		return;
	case KIND_HOST:
		m->tree = clone_tree(AT_FDCWD, m);
		break;
	case KIND_OWN:
		m->tree = clone_tree(root, m);
		break;
	case KIND_PROC:
		m->tree = fs_make("proc", of_proc, m->attr);
		break;
	case KIND_PROC_OWN:
		m->tree = clone_tree(proc, m);
		break;
	case KIND_PTS:
		m->tree = fs_make("devpts", of_pts, m->attr);
		break;
	}
	done(sys_move_mount(m->tree, root, m->at), m->at);
}

static void
build(void)
{
	static const char *const options[][2] = { { "size", "65536k" },
		{ "nr_inodes", "16384" }, { "mode", "0755" }, { NULL, NULL } };
	int root, proc = -1;

	done(sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	root = fs_make("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	done(sys_move_mount(root, AT_FDCWD, "/"), "root");
	places_make(root);
	done(mknodat(root, "dev/null", S_IFCHR | 0666, makedev(1, 3)), "null");
	for (size_t i = 0; i < mounts_count; i++) {
		mount_make(root, proc, &mounts[i]);
		if (mounts[i].kind == KIND_PROC)
			proc = mounts[i].tree;
	}
	done(fchdir(root), "root");
	done(sys_pivot_root(".", "."), "pivot_root");
	done(sys_umount(".", MNT_DETACH), "umount");
	done(chdir("/"), "chdir");
}

static void
write_file(const char *path, const char *text)
{
	int fd = done(open(path, O_WRONLY | O_CLOEXEC), path);

	done((int)write(fd, text, strlen(text)), path);
	(void)close(fd);
}

static void
enter_user(void)
{
	done(unshare(CLONE_NEWUSER), "user namespace");
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", "0 0 1");
	write_file("/proc/self/gid_map", "0 0 1");
}

static void
sandbox_run(uint64_t network, char **argv)
{
	struct clone_args args = { .flags = CLONE_NEWNS | CLONE_NEWPID |
					    CLONE_NEWIPC | CLONE_NEWUTS |
					    CLONE_NEWCGROUP | network,
		.exit_signal = SIGCHLD };
	pid_t pid = sys_clone3(&args);
	int status;

	if (pid < 0)
		err(1, "clone3");
	if (pid == 0) {
		build();
		enter_user();
		(void)execv(argv[0], argv);
		err(1, "%s", argv[0]);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		errx(1, "a sandbox ended with status %#x", (unsigned)status);
}

/* Runs a second; counted up to the end of its last one, as in bench.c. */
static double
work(double seconds, uint64_t network, char **argv)
{
	double began = now_us(), elapsed;
	size_t runs = 0;

	do {
		sandbox_run(network, argv);
		runs++;
		elapsed = now_us() - began;
	} while (elapsed < seconds * 1e6);
	return (double)runs / elapsed * 1e6;
}

static double
work_all(size_t workers, double seconds, uint64_t network, char **argv)
{
	double *rates = mmap(NULL, workers * sizeof(double),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double sum = 0;
	int status;

	if (rates == MAP_FAILED)
		err(1, "mmap");
	for (size_t w = 0; w < workers; w++) {
		if (fork() == 0) {
			rates[w] = work(seconds, network, argv);
			_exit(0);
		}
	}
	while (wait(&status) != -1)
		if (status != 0)
			errx(1, "a worker failed");
	for (size_t w = 0; w < workers; w++)
		sum += rates[w];
	return sum;
}

int
main(int argc, char **argv)
{
	uint64_t network = CLONE_NEWNET;
	size_t workers = 0;
	double seconds = 0;
	int c;

	while ((c = getopt(argc, argv, "+j:ns:")) != -1)
		switch (c) {
		case 'j':
			workers = strtoul(optarg, NULL, 10);
			break;
		case 'n':
			network = 0;
			break;
		case 's':
			seconds = strtod(optarg, NULL);
			break;
		default:
			return 64;
		}
	if (argc - optind < 2 || workers == 0 || !(seconds > 0))
		errx(64, "wants -j COUNT, -s SECONDS, mounts and a command");
	mounts_read(argv[optind]);
	places_plan();
	printf(
	    "%.1f\n", work_all(workers, seconds, network, argv + optind + 1));
	return 0;
}
