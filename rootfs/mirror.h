#ifndef ROOTFS_MIRROR_H
#define ROOTFS_MIRROR_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Where the machine's own apt finds this release, or, if it has not this one,
 * its own: the first such source of those that are files. false where the
 * machine is of another distribution, or no source has either.
 */
bool mirror_of_machine(
    const char *distro, const char *suite, char *ret, size_t size);

#endif
