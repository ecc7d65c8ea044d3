#include "feed.h"

#include <errno.h>
#include <unistd.h>

#define WRITE_SIZE 65536

static void
finish(struct feed *f)
{
	(void)close(f->fd);
	f->fd = -1;
}

void
feed_move(struct feed *f)
{
	size_t n = f->len < WRITE_SIZE ? f->len : WRITE_SIZE;
	ssize_t done;

	if (n > 0) {
		done = write(f->fd, f->data, n);
		if (done < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (done < 0) {
			/* Who does not read may leave it. */
			f->lost = errno != EPIPE;
			finish(f);
			return;
		}
		f->data += done;
		f->len -= (size_t)done;
	}
	if (f->len == 0)
		finish(f);
}
