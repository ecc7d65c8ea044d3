#include "relay.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
relay_init(struct relay *r, char *buf)
{
	r->buf = buf;
	r->from = r->to = -1;
	r->kept = NULL;
	r->keeps = false;
	r->limit = LIMIT_UNSET;
	r->passed = 0;
	r->over = r->whole = false;
	r->error = 0;
	r->to_socket = r->to_blocks = r->to_is_ours = r->owns_from = false;
	r->from_index = r->to_index = -1;
	r->start = r->len = 0;
	r->last = '\n';
}

void
relay_to_shared(struct relay *r, int fd)
{
	char path[32];
	struct stat st;

	r->to = fd;
	if (fstat(fd, &st) != 0 || S_ISREG(st.st_mode))
		return;
	if (S_ISSOCK(st.st_mode)) {
		r->to_socket = true;
		return;
	}
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r->to = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	r->to_is_ours = r->to >= 0;
	r->to_blocks = r->to < 0;
	if (r->to < 0)
		r->to = fd;
}

int
relay_poll(struct relay *r, struct pollfd *fds, int n)
{
	r->from_index = r->to_index = -1;
	if (r->from >= 0 && !r->over && r->len == 0) {
		r->from_index = n;
		fds[n++] = (struct pollfd){ .fd = r->from, .events = POLLIN };
	}
	if (r->to >= 0 && (r->len > 0 || r->from >= 0)) {
		/* Without data only whether the reader has gone. */
		r->to_index = n;
		fds[n++] = (struct pollfd){ .fd = r->to,
			.events = (short)(r->len > 0 ? POLLOUT : 0) };
	}
	return n;
}

static void
end_source(struct relay *r)
{
	if (r->owns_from && r->from >= 0)
		(void)close(r->from);
	r->from = -1;
}

void
relay_close(struct relay *r)
{
	end_source(r);
	if (r->to_is_ours && r->to >= 0)
		(void)close(r->to);
	r->to = -1;
	r->len = 0;
}

/*
 * What was on its way through fd is not all of it any more: the first error is
 * told. A terminal says EIO when the other side has gone, which is an end.
 */
static void
lose(struct relay *r, int fd, int error)
{
	if (r->error == 0 && !(error == EIO && isatty(fd)))
		r->error = error;
}

static void
write_some(struct relay *r)
{
	size_t len = r->len;
	ssize_t n;

	/* With poll's word, so much does not block on a pipe. */
	if (r->to_blocks && len > PIPE_BUF)
		len = PIPE_BUF;
	if (r->to_socket)
		n = send(
		    r->to, r->buf + r->start, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		n = write(r->to, r->buf + r->start, len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		/* The reader has gone: the writer shall learn of it. */
		if (errno != EPIPE || r->whole)
			lose(r, r->to, errno);
		relay_close(r);
		return;
	}
	if (n > 0)
		r->last = r->buf[r->start + (size_t)n - 1];
	r->start += (size_t)n;
	r->len -= (size_t)n;
}

/*
 * A socket whose other side has gone, or what was never to be read: nohup(1)'s
 * input, a directory.
 */
static bool
is_end(int error)
{
	return error == EBADF || error == EISDIR || error == EINVAL ||
	       error == ECONNRESET;
}

static enum relay_state
read_some(struct relay *r)
{
	enum relay_state state = RELAY_GOES_ON;
	ssize_t n = read(r->from, r->buf, RELAY_SIZE);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return state;
	if (n < 0 && !is_end(errno))
		lose(r, r->from, errno);
	if (n <= 0) {
		end_source(r);
		return state;
	}
	r->start = 0;
	r->len = (size_t)n;
	if (r->limit != LIMIT_UNSET && r->len > r->limit - r->passed) {
		r->len = (size_t)(r->limit - r->passed);
		if (r->kept != NULL)
			r->kept->truncated = true;
		/* Closing it would only have the writer complain of that. */
		state = RELAY_OVER;
		r->over = true;
	}
	r->passed += r->len;
	if (r->to < 0) {
		if (r->keeps && r->kept != NULL &&
		    kept_add(r->kept, r->buf, r->len) != 0)
			r->kept->truncated = true;
		r->len = 0;
	}
	return state;
}

enum relay_state
relay_move(struct relay *r, const struct pollfd *fds)
{
	enum relay_state state = RELAY_GOES_ON;

	if (r->to_index >= 0 && fds[r->to_index].revents != 0) {
		if (r->len > 0)
			write_some(r);
		else if (fds[r->to_index].revents &
			 (POLLERR | POLLHUP | POLLNVAL)) {
			if (r->whole)
				lose(r, r->to, EPIPE);
			relay_close(r);
		}
	}
	if (r->from_index >= 0 && r->from >= 0 && r->len == 0 &&
	    fds[r->from_index].revents != 0)
		state = read_some(r);
	if (r->to >= 0 && r->len > 0 && !r->to_blocks)
		write_some(r);
	/* The command's standard input ends where the caller's does. */
	if (r->from < 0 && r->len == 0 && r->to_is_ours)
		relay_close(r);
	return state;
}

bool
relay_pending(const struct relay *r)
{
	return r->len > 0 || (r->from >= 0 && !r->over);
}
