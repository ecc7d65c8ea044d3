#ifndef EXEC_IO_H
#define EXEC_IO_H

#include <stddef.h>

/*
 * All of len bytes, however many calls that takes. 0, or -1 with errno:
 * io_read has EPROTO for an end before them.
 */
int io_read(int fd, void *data, size_t len);
int io_write(int fd, const void *data, size_t len);

#endif
