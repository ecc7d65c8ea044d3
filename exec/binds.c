#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "idmap.h"
#include "inside.h"
#include "sys.h"

/*
 * The place to show a bind at, made where it does not exist; an O_PATH
 * descriptor or -1/errno. Links that stand there lead nowhere outside.
 */
static int
open_target(struct inside *in, const char *path, bool is_dir)
{
	const uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
	char prefix[PATH_MAX];
	size_t end = 0;

	for (;;) {
		int fd;

		end += strspn(path + end, "/");
		end += strcspn(path + end, "/");
		if (end >= sizeof(prefix)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(prefix, path, end);
		prefix[end] = '\0';
		bool last = path[end + strspn(path + end, "/")] == '\0';
		fd = sys_openat2(in->root, prefix, O_PATH, resolve);
		if (fd < 0 && errno == ENOENT) {
			/* The parent exists by now; its name may be a link. */
			char *slash = strrchr(prefix, '/');
			const char *name = slash + 1;

			*slash = '\0';
			auto_fd dir = sys_openat2(in->root,
			    slash == prefix ? "/" : prefix,
			    O_PATH | O_DIRECTORY, resolve);
			if (dir < 0)
				return -1;
			if (last && !is_dir) {
				auto_fd made = openat(dir, name,
				    O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
				    0644);
				if (made < 0)
					return -1;
			} else if (mkdirat(dir, name, 0755) != 0) {
				return -1;
			}
			fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		}
		if (fd < 0 || last)
			return fd;
		(void)close(fd);
	}
}

/* Makes the writable tree the user's, where the caller is root. */
static int
map_owner(
    struct inside *in, const struct bind *b, int tree, const struct stat *st)
{
	char uids[48], gids[48];
	auto_fd map = -1;

	if (in->ids->mode != IDS_LEASED)
		return 0;
	if (st->st_uid == 0 && !in->plan->bind_root) {
		errno = EPERM;
		return inside_fail(in,
		    "%s is root's: what is written there would be root's on "
		    "the host; --bind-root allows it",
		    b->source);
	}
	/* The owner on disk is the sandbox's user; nobody else is anybody. */
	(void)snprintf(uids, sizeof(uids), "%u %u 1", st->st_uid,
	    ids_builder_uid(in->ids, in->plan, in->plan->uid));
	(void)snprintf(gids, sizeof(gids), "%u %u 1", st->st_gid,
	    ids_builder_gid(in->ids, in->plan, in->plan->gid));
	map = idmap_open(in->proc, uids, gids);
	if (map < 0)
		return inside_fail(in, "make a map for %s", b->source);
	if (idmap_apply(tree, map) != 0)
		return inside_fail(in,
		    "%s: its file system cannot map owners (idmapped mounts)",
		    b->source);
	return 0;
}

/*
 * What a tool of ours reads may be its caller's alone. A file system that
 * cannot map owners shows what everybody may read.
 */
static int
map_all(struct inside *in, int tree)
{
	char ids[48];
	auto_fd map = -1;

	if (in->ids->mode != IDS_LEASED)
		return 0;
	(void)snprintf(
	    ids, sizeof(ids), "0 %u %u", in->ids->uid_base, in->ids->count);
	map = idmap_open(in->proc, ids, ids);
	if (map < 0)
		return inside_fail(in, "make a map of ids");
	(void)idmap_apply(tree, map);
	return 0;
}

static int
open_bind(struct inside *in, const struct bind *b)
{
	struct mount_attr attr = { .attr_set =
				       MOUNT_NOSUID | MOUNT_NODEV |
				       (b->writable ? 0 : MOUNT_ATTR_RDONLY),
		.propagation = MS_PRIVATE };
	struct stat st;
	auto_fd tree = sys_open_tree(AT_FDCWD, b->source,
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (tree < 0 || fstat(tree, &st) != 0)
		return inside_fail(in, "%s", b->source);
	if (sys_mount_setattr(tree, AT_EMPTY_PATH | AT_RECURSIVE, &attr) != 0)
		return inside_fail(in, "%s", b->source);
	if (b->writable && map_owner(in, b, tree, &st) != 0)
		return -1;
	if (b->owned && map_all(in, tree) != 0)
		return -1;
	return sys_take(&tree);
}

int
binds_open(struct inside *in)
{
	for (size_t i = 0; i < in->plan->bind_count; i++) {
		in->trees[i] = open_bind(in, &in->plan->binds[i]);
		if (in->trees[i] < 0)
			return -1;
	}
	return 0;
}

int
binds_show(struct inside *in)
{
	struct stat st;

	for (size_t i = 0; i < in->plan->bind_count; i++) {
		const struct bind *b = &in->plan->binds[i];
		auto_fd tree = in->trees[i], target = -1;

		if (fstat(tree, &st) != 0)
			return inside_fail(in, "%s", b->source);
		target = open_target(in, b->target, S_ISDIR(st.st_mode));
		if (target < 0 || sys_move_mount(tree, target, "") != 0)
			return inside_fail(
			    in, "show %s at %s", b->source, b->target);
	}
	return 0;
}
