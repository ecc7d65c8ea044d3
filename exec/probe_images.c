/* What images are made with, each of which a machine can do without. */
#include "doctor.h"

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
	const char *path = program_find(p->name);

	if (path == NULL && p->other != NULL)
		path = program_find(p->other);
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
	char text[320];

	if (work_find_tool(&f) == 0)
		doctor_ok(d, name, "mayfly-rootfs is there");
	else
		doctor_lacks(d, FINDING_WARN, name,
		    "Images can be neither made nor exported.",
		    "Install mayfly-rootfs where `make install` puts it.", "%s",
		    failure_text(&f, text, sizeof(text)));
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		look_program(d, &programs[i]);
}
