/*
 * A20: attributes by which an overlay finds its layers, set from inside on what
 * lies in its upper one. argv: files and directories.
 */
#include "attack.h"

#include <sys/xattr.h>

#include <stdio.h>
#include <string.h>

static const struct attribute {
	const char *name, *value;
} attributes[] = {
	{ "redirect", "/usr" },
	{ "redirect", "/../session/work" },
	{ "opaque", "y" },
	{ "opaque", "x" },
	{ "metacopy", "" },
	{ "origin", "" },
	{ "impure", "y" },
	{ "nlink", "U+1" },
	{ "upper", "" },
	{ "whiteout", "" },
	{ "whiteouts", "" },
	{ "protattr", "i" },
	{ "overlay.redirect", "/usr" },
	{ "overlay.opaque", "y" },
};

int
main(int argc, char *argv[])
{
	static const char *const classes[] = { "user.overlay",
		"trusted.overlay" };
	char name[64];

	for (int i = 1; i < argc; i++)
		for (size_t c = 0; c < 2; c++)
			for (size_t n = 0;
			     n < sizeof(attributes) / sizeof(*attributes);
			     n++) {
				snprintf(name, sizeof(name), "%s.%s",
				    classes[c], attributes[n].name);
				tried(
				    setxattr(argv[i], name, attributes[n].value,
					strlen(attributes[n].value), 0),
				    "%s on %s", name, argv[i]);
			}
	return 0;
}
