/*
 * A20: extended attributes that a file system or an overlay would trust.
 *
 * argv: files to set them on.
 */
#include "attack.h"

#include <sys/xattr.h>

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

int
main(int argc, char *argv[])
{
	static const char *const names[] = { "trusted.overlay.redirect",
		"trusted.overlay.opaque", "trusted.overlay.metacopy",
		"security.ima", "security.evm", "trusted.mayfly" };
	struct vfs_cap_data v2 = { .magic_etc = VFS_CAP_REVISION_2 |
						VFS_CAP_FLAGS_EFFECTIVE,
		.data = { { ~0U, 0 }, { ~0U, 0 } } };
	struct vfs_ns_cap_data v3 = { .magic_etc = VFS_CAP_REVISION_3 |
						   VFS_CAP_FLAGS_EFFECTIVE,
		.data = { { ~0U, 0 }, { ~0U, 0 } } };

	for (int i = 1; i < argc; i++) {
		for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++)
			refused(setxattr(argv[i], names[n], "/", 1, 0),
			    "%s on %s", names[n], argv[i]);
		refused(setxattr(
			    argv[i], "security.capability", &v2, sizeof(v2), 0),
		    "capabilities on %s", argv[i]);
		refused(setxattr(
			    argv[i], "security.capability", &v3, sizeof(v3), 0),
		    "capabilities of a namespace on %s", argv[i]);
	}
	return verdict();
}
