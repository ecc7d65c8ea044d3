#ifndef EXEC_IDMAP_H
#define EXEC_IDMAP_H

/*
 * A user namespace that exists to describe a map, for mount_setattr(2): on the
 * left what stands on disk, on the right who it is here. proc is a /proc.
 * Returns its descriptor or -1/errno.
 */
int idmap_open(int proc, const char *uids, const char *gids);

/* Lets the files of a detached tree belong as the map says. 0 or -1/errno. */
int idmap_apply(int tree, int map);

#endif
