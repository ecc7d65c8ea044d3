#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "probe.h"
#include "sys.h"

static const char no_sandbox[] = "No sandbox can run.";
static const char allow_calls[] =
    "In a container, its seccomp filter or security module may refuse it; "
    "docker, podman: --security-opt seccomp=unconfined --security-opt "
    "apparmor=unconfined";

/* Tries something in namespaces such as those in which sandboxes are built. */
static int
probe_as_builder(const struct doctor *d,
    int (*try)(const void *arg, struct failure *f), const void *arg,
    struct failure *f)
{
	struct probe p = { .flags = CLONE_NEWNS | CLONE_NEWPID |
				    (d->privileged ? 0 : CLONE_NEWUSER),
		.ids = &d->ids,
		.try = try,
		.arg = arg };

	return probe(&p, f);
}

/* Reports a thing without which nothing runs, and which is there or not. */
static void
tell(struct doctor *d, const char *name, int result, const struct failure *f,
    const char *remedy)
{
	char text[320];

	if (result == 0)
		doctor_ok(d, name, "works");
	else
		doctor_lacks(d, FINDING_FAIL, name, no_sandbox, remedy, "%s",
		    failure_text(f, text, sizeof(text)));
}

/* Each alone, so that the one that is refused can be named. */
static const struct {
	uint64_t flag;
	const char *name;
	int level; /* of its absence */
} namespaces[] = {
	{ CLONE_NEWNS, "mnt", FINDING_FAIL },
	{ CLONE_NEWPID, "pid", FINDING_FAIL },
	{ CLONE_NEWNET, "net", FINDING_FAIL },
	{ CLONE_NEWIPC, "ipc", FINDING_FAIL },
	{ CLONE_NEWUTS, "uts", FINDING_FAIL },
	/* Only a sandbox with a cgroup of its own has one. */
	{ CLONE_NEWCGROUP, "cgroup", FINDING_WARN },
};

void
look_namespaces(struct doctor *d, const char *name)
{
	struct probe p = { .ids = &d->ids, .try = probe_nothing };
	char found[128] = "", refused[256] = "";
	int level = FINDING_OK, error = 0;
	struct failure f;

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++) {
		char *list = found;

		p.flags =
		    namespaces[i].flag | (d->privileged ? 0 : CLONE_NEWUSER);
		if (probe(&p, &f) != 0) {
			list = refused;
			error = f.error;
			if (namespaces[i].level > level)
				level = namespaces[i].level;
		}
		(void)sprintf(list + strlen(list), "%s%s",
		    *list != '\0' ? " " : "", namespaces[i].name);
	}
	if (level == FINDING_OK)
		doctor_ok(d, name, "%s", found);
	else
		doctor_lacks(d, level, name,
		    level == FINDING_FAIL ? no_sandbox
					  : "None where cgroups hold the "
					    "limits can run.",
		    error == ENOSPC ? "Raise user.max_NAME_namespaces (sysctl)."
				    : allow_calls,
		    "refused (%s): %s", strerror(error), refused);
}

static int
try_proc(const void *arg, struct failure *f)
{
	auto_fd proc = probe_open_proc(f);

	(void)arg;
	return proc < 0 ? -1 : 0;
}

/* How many mounts lie over parts of /proc; names the first. */
static unsigned
find_masks(char ret_first[64])
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096], where[64];
	unsigned n = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%*s %*s %*s %*s %63s", where) != 1 ||
		    strncmp(where, "/proc/", 6) != 0)
			continue;
		if (n++ == 0)
			(void)strcpy(ret_first, where);
	}
	if (f != NULL)
		(void)fclose(f);
	return n;
}

void
look_proc(struct doctor *d, const char *name)
{
	struct failure f;
	char text[320], first[64];
	unsigned masks;

	if (probe_as_builder(d, try_proc, NULL, &f) == 0) {
		doctor_ok(d, name, "can be mounted");
		return;
	}
	masks = find_masks(first);
	if (f.error != EPERM || masks == 0)
		doctor_lacks(d, FINDING_FAIL, name, no_sandbox, allow_calls,
		    "%s", failure_text(&f, text, sizeof(text)));
	else
		doctor_lacks(d, FINDING_FAIL, name,
		    "No sandbox can run: in a user namespace the kernel mounts "
		    "none where parts of the present one are covered.",
		    "docker: --security-opt systempaths=unconfined; podman: "
		    "--security-opt unmask=ALL; systemd: "
		    "ProtectKernelTunables=no ProtectKernelLogs=no "
		    "ProcSubset=all",
		    "refused: /proc is masked in %u places, such as %s", masks,
		    first);
}

static int
try_mount_api(const void *arg, struct failure *f)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY |
					       MOUNT_ATTR_NOSUID |
					       MOUNT_ATTR_NODEV,
		.propagation = MS_PRIVATE };
	auto_fd root = probe_mount_tmpfs(f);
	auto_fd tree = -1;

	(void)arg;
	if (root < 0)
		return -1;
	tree = sys_open_tree(AT_FDCWD, "/usr",
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0)
		return failure_set(f, "mount", errno, "open_tree");
	if (sys_mount_setattr(tree, AT_EMPTY_PATH | AT_RECURSIVE, &attr) != 0)
		return failure_set(f, "mount", errno, "mount_setattr");
	if (mkdirat(root, "usr", 0755) != 0 ||
	    sys_move_mount(tree, root, "usr") != 0)
		return failure_set(f, "mount", errno, "move_mount");
	return 0;
}

void
look_mount_api(struct doctor *d, const char *name)
{
	struct failure f;
	int r = probe_as_builder(d, try_mount_api, NULL, &f);

	tell(d, name, r, &f, allow_calls);
}

static int
try_pivot_root(const void *arg, struct failure *f)
{
	(void)arg;
	return probe_enter_tmpfs(f);
}

void
look_pivot_root(struct doctor *d, const char *name)
{
	struct failure f;
	int r = probe_as_builder(d, try_pivot_root, NULL, &f);

	tell(d, name, r, &f,
	    "The root directory here must be a mount of its own, and not the "
	    "initial ramfs. In a container, its seccomp filter may refuse it.");
}

/* arg: more options of the mount. A directory is replaced, as rm -rf does. */
static int
try_overlay(const void *arg, struct failure *f)
{
	char options[128];

	(void)snprintf(options, sizeof(options),
	    "lowerdir=/lower,upperdir=/upper,workdir=/work%s",
	    (const char *)arg);
	if (probe_enter_tmpfs(f) != 0)
		return -1;
	if (mkdir("/lower", 0755) != 0 || mkdir("/lower/d", 0755) != 0 ||
	    mkdir("/lower/d/old", 0755) != 0 || mkdir("/upper", 0755) != 0 ||
	    mkdir("/work", 0755) != 0 || mkdir("/merged", 0755) != 0)
		return failure_set(f, "overlay", errno, "mkdir");
	if (sys_mount("overlay", "/merged", "overlay", 0, options) != 0)
		return failure_set(f, "mount", errno, "overlay");
	if (rmdir("/merged/d/old") != 0 || rmdir("/merged/d") != 0 ||
	    mkdir("/merged/d", 0755) != 0)
		return failure_set(f, "replace", errno, "replace a directory");
	if (access("/merged/d/old", F_OK) == 0)
		return failure_set(f, "replace", 0,
		    "what was in a removed directory comes back");
	return 0;
}

static const char *
overlay_remedy(const struct failure *f)
{
	char modprobe[256];

	if (strcmp(f->step, "replace") == 0)
		return "Linux 6.6 or later has user attributes on tmpfs.";
	if (f->error != ENODEV)
		return allow_calls;
	if (doctor_read(
		"/proc/sys/kernel/modprobe", modprobe, sizeof(modprobe)) > 0 &&
	    access(modprobe, X_OK) != 0)
		return "The kernel finds no modprobe to load it with: apt-get "
		       "install kmod, on the host.";
	return "modprobe overlay, and the name in /etc/modules-load.d/ to "
	       "keep it; or a kernel with CONFIG_OVERLAY_FS";
}

/* Only root of the host has trusted attributes; either kind will do. */
void
look_overlay(struct doctor *d, const char *name)
{
	struct probe in_user_namespace = { .flags = CLONE_NEWNS | CLONE_NEWPID |
						    CLONE_NEWUSER,
		.ids = &d->ids,
		.try = try_overlay,
		.arg = ",userxattr" };
	struct failure f;
	char text[320];
	bool trusted =
	    d->privileged && probe_as_builder(d, try_overlay, "", &f) == 0;
	bool user = probe(&in_user_namespace, &f) == 0;

	if (trusted || user)
		doctor_ok(d, name, "works with %s%s%s attributes",
		    trusted ? "trusted" : "", trusted && user ? " and " : "",
		    user ? "user" : "");
	else
		doctor_lacks(d, FINDING_WARN, name,
		    "Only the image host can be used, and no sessions.",
		    overlay_remedy(&f), "%s",
		    failure_text(&f, text, sizeof(text)));
}

/* Whose ids, and where: NULL is a tmpfs. */
struct idmap {
	const struct ids *ids;
	const char *path;
};

/* A user namespace that maps one id; it lives as long as the probe. */
static int
open_idmap(unsigned id, struct failure *f)
{
	struct clone_args args = { .flags = CLONE_NEWUSER,
		.exit_signal = SIGCHLD };
	auto_fd proc = probe_open_proc(f);
	auto_fd dir = -1;
	char name[16], map[32];
	pid_t pid;
	int ns;

	if (proc < 0)
		return -1;
	pid = sys_clone3(&args);
	if (pid < 0)
		return failure_set(f, "idmap", errno, "clone3");
	/* Ends with PID 1 of its namespace. */
	if (pid == 0) {
		for (;;)
			(void)pause();
	}
	(void)snprintf(name, sizeof(name), "%d", (int)pid);
	(void)snprintf(map, sizeof(map), "0 %u 1", id);
	dir = openat(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || ids_write(dir, "uid_map", map) != 0 ||
	    ids_write(dir, "gid_map", map) != 0)
		return failure_set(f, "idmap", errno, "map id %u", id);
	ns = openat(dir, "ns/user", O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		return failure_set(f, "idmap", errno, "open its namespace");
	return ns;
}

static int
try_idmap(const void *arg, struct failure *f)
{
	const struct idmap *m = arg;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	auto_fd ns = open_idmap(m->ids->uid_base, f);
	auto_fd tree = -1;

	if (ns < 0)
		return -1;
	if (m->path == NULL) {
		auto_fd fs = sys_fsopen("tmpfs");

		if (fs < 0 ||
		    sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) != 0)
			return failure_set(f, "idmap", errno, "make a tmpfs");
		tree = sys_fsmount(fs, 0);
	} else {
		tree = sys_open_tree(
		    AT_FDCWD, m->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	}
	if (tree < 0)
		return failure_set(f, "idmap", errno, "open a tree");
	attr.userns_fd = (uint64_t)ns;
	if (sys_mount_setattr(tree, AT_EMPTY_PATH, &attr) != 0)
		return failure_set(f, "idmap", errno, "mount_setattr");
	return 0;
}

/* What exists of the path's directories. */
static void
find_existing(char *path)
{
	struct stat st;
	char *slash;

	while (stat(path, &st) != 0 && (slash = strrchr(path, '/')) != NULL)
		slash[slash == path ? 1 : 0] = '\0';
}

void
look_idmapped_mounts(struct doctor *d, const char *name)
{
	struct idmap on_tmpfs = { &d->ids, NULL };
	struct idmap on_state = on_tmpfs;
	struct failure f;
	char text[320], path[1024];

	if (!d->privileged) {
		doctor_ok(d, name, "only root's sandboxes use them");
		return;
	}
	(void)snprintf(path, sizeof(path), "%s", d->config.state_dir);
	find_existing(path);
	on_state.path = path;
	if (probe_as_builder(d, try_idmap, &on_tmpfs, &f) != 0)
		doctor_lacks(d, FINDING_WARN, name,
		    "--bind and sessions do not work on a tmpfs.",
		    "Linux 6.3 or later has them there.", "not on tmpfs: %s",
		    failure_text(&f, text, sizeof(text)));
	else if (probe_as_builder(d, try_idmap, &on_state, &f) != 0)
		doctor_lacks(d, FINDING_WARN, name,
		    "Images and sessions cannot be kept there, and --bind "
		    "fails on such a file system.",
		    f.error == EPERM
			? "It belongs to another user namespace, whose root "
			  "should call mayfly."
			: "Set state_dir to a directory on ext4, xfs or btrfs.",
		    "not at %s: %s", path,
		    failure_text(&f, text, sizeof(text)));
	else
		doctor_ok(d, name, "on tmpfs and at %s", path);
}
