#ifndef EXEC_IO_H
#define EXEC_IO_H

#include <stddef.h>

/*
 * All of len bytes, however many calls that takes. 0, or -1 with errno:
 * io_read has EPROTO for an end before them. io_write waits for room also where
 * fd does not block.
 */
int io_read(int fd, void *data, size_t len);
int io_write(int fd, const void *data, size_t len);

/*
 * The file `name` in dir, of at most max bytes: malloc()ed, with a NUL behind
 * it. NULL/errno.
 */
char *io_read_file(int dir, const char *name, size_t max, size_t *ret_len);

/*
 * Makes that file anew, synced, in place of one of that name; the directory is
 * the caller's to sync, and nobody else writes it meanwhile. 0 or -1/errno.
 */
int io_write_file(int dir, const char *name, const void *data, size_t len);

/*
 * Closes every descriptor but the n in keep, in any order; -1 in it is none. 0
 * or -1/errno.
 */
int io_close_but(const int *keep, size_t n);

#endif
