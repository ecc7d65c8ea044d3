/* What images are made with, each of which a machine can do without. */
#include <stdio.h>
#include <unistd.h>

#include "doctor.h"

/* Where apt-get puts them. */
static const char *
find_program(const char *name)
{
	static const char *const dirs[] = { "/usr/bin", "/usr/sbin" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		const char *path = doctor_text("%s/%s", dirs[i], name);

		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

static const struct program {
	const char *name, *other; /* either will do */
	const char *cost;
} programs[] = {
	{ "skopeo", NULL, "Images cannot be pulled; they can be imported." },
	{ "mmdebstrap", "debootstrap",
	    "mayfly image build cannot make Debian and Ubuntu." },
	{ "buildah", NULL, "mayfly image from-dockerfile cannot build." },
};

static void
look_program(struct doctor *d, const struct program *p)
{
	const char *path = find_program(p->name);

	if (path == NULL && p->other != NULL)
		path = find_program(p->other);
	if (path != NULL)
		doctor_ok(d, p->name, "%s", path);
	else
		doctor_lacks(d, FINDING_WARN, p->name, p->cost,
		    doctor_text("apt-get install %s", p->name), "not there");
}

void
look_images(struct doctor *d, const char *name)
{
	struct failure f;

	if (work_find_tool(&f) == 0)
		doctor_ok(d, name, "mayfly-rootfs is there");
	else
		doctor_lacks(d, FINDING_WARN, name,
		    "Images can be neither made nor exported.",
		    "Install mayfly-rootfs where `make install` puts it.", "%s",
		    f.detail);
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		look_program(d, &programs[i]);
}
