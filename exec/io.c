#include "io.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys.h"

int
io_read(int fd, void *data, size_t len)
{
	char *to = data;

	while (len > 0) {
		ssize_t n = read(fd, to, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EPROTO;
		if (n <= 0)
			return -1;
		to += n;
		len -= (size_t)n;
	}
	return 0;
}

int
io_write(int fd, const void *data, size_t len)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	const char *from = data;

	while (len > 0) {
		ssize_t n = write(fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		/* Others may have set what they share with us so. */
		if (n < 0 && errno == EAGAIN &&
		    (poll(&room, 1, -1) == 1 || errno == EINTR))
			continue;
		if (n < 0)
			return -1;
		from += n;
		len -= (size_t)n;
	}
	return 0;
}

char *
io_read_file(int dir, const char *name, size_t max, size_t *ret_len)
{
	auto_fd fd =
	    openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	char *buf;
	int error;

	if (fd < 0 || fstat(fd, &st) != 0)
		return NULL;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > max) {
		errno = EFBIG;
		return NULL;
	}
	*ret_len = (size_t)st.st_size;
	buf = malloc(*ret_len + 1);
	if (buf == NULL)
		return NULL;
	buf[*ret_len] = '\0';
	if (io_read(fd, buf, *ret_len) == 0)
		return buf;
	error = errno;
	free(buf);
	errno = error;
	return NULL;
}

int
io_write_file(int dir, const char *name, const void *data, size_t len)
{
	char new[NAME_MAX + 1];
	int error;

	(void)snprintf(new, sizeof(new), "%.200s.new", name);
	(void)unlinkat(dir, new, 0);
	auto_fd fd = openat(dir, new,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (io_write(fd, data, len) == 0 && fsync(fd) == 0 &&
	    renameat(dir, new, dir, name) == 0)
		return 0;
	error = errno;
	(void)unlinkat(dir, new, 0);
	errno = error;
	return -1;
}

int
io_close_but(const int *keep, size_t n)
{
	unsigned from = 0;

	for (;;) {
		unsigned next = ~0U;

		for (size_t i = 0; i < n; i++) {
			if (keep[i] >= (int)from && (unsigned)keep[i] < next)
				next = (unsigned)keep[i];
		}
		if (from < next &&
		    sys_close_range(from, next == ~0U ? ~0U : next - 1, 0) != 0)
			return -1;
		if (next == ~0U)
			return 0;
		from = next + 1;
	}
}
