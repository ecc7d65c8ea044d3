/*
 * Layers that a tool of ours reads. What they are as a root, with all that the
 * higher ones hide of the lower, only the kernel's own overlay says: so that is
 * what the tool is shown, beside the layers as they are.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "inside.h"
#include "sys.h"

#define OPTIONS_MAX 4095

/* An overlay of the n lowest, which takes two of them at least. */
static int
mount_lowest(struct inside *in, const char *name, size_t n)
{
	static char text[OPTIONS_MAX + 1];
	int len = snprintf(text, sizeof(text), "lowerdir=l%zu", n - 1);

	for (size_t i = n - 1; i > 0; i--)
		len += snprintf(
		    text + len, sizeof(text) - (size_t)len, ":l%zu", i - 1);
	(void)snprintf(text + len, sizeof(text) - (size_t)len,
	    ",redirect_dir=nofollow,metacopy=off,xino=off%s",
	    in->ids->mode != IDS_LEASED ? ",userxattr" : "");
	return sys_mount("overlay", name, "overlay",
		   MS_RDONLY | MS_NOSUID | MS_NODEV, text) == 0
		   ? 0
		   : inside_fail(in, "put the layers over each other");
}

/* What the n lowest make, as the directory `name` of the present one. */
static int
show_lowest(struct inside *in, int dir, const char *name, size_t n)
{
	if (mkdirat(dir, name, 0755) != 0)
		return inside_fail(in, "mkdir");
	if (n > 1)
		return mount_lowest(in, name, n);
	if (n == 0)
		return 0;
	auto_fd tree =
	    sys_open_tree(dir, "l0", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return tree >= 0 && sys_move_mount(tree, dir, name) == 0
		   ? 0
		   : inside_fail(in, "show a layer");
}

int
view_show(struct inside *in)
{
	const size_t n = in->plan->layer_count;

	if (!in->plan->layers_shown)
		return 0;
	if (mkdirat(in->root, &PLAN_SHOWN[1], 0755) != 0)
		return inside_fail(in, "mkdir");
	auto_fd dir =
	    openat(in->root, &PLAN_SHOWN[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* The overlay finds the layers by short names, from here. */
	if (dir < 0 || fchdir(dir) != 0)
		return inside_fail(in, "open");
	return layers_show(in, dir) != 0 ||
		       show_lowest(in, dir, "all", n) != 0 ||
		       (n > 0 && show_lowest(in, dir, "below", n - 1) != 0)
		   ? -1
		   : 0;
}
