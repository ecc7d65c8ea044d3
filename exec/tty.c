#include "tty.h"

#include <sys/ioctl.h>

#include <unistd.h>

void
tty_take(struct tty *t, const int *fds, int n)
{
	struct termios raw;

	t->fd = -1;
	t->raw = false;
	for (int i = 0; i < n && t->fd < 0; i++) {
		if (fds[i] >= 0 && tcgetattr(fds[i], &t->before) == 0)
			t->fd = fds[i];
	}
	if (t->fd < 0)
		return;
	raw = t->before;
	cfmakeraw(&raw);
	t->raw = tcsetattr(t->fd, TCSADRAIN, &raw) == 0;
}

void
tty_copy_size(const struct tty *t, int master)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };

	if (t->fd >= 0)
		(void)ioctl(t->fd, TIOCGWINSZ, &size);
	(void)ioctl(master, TIOCSWINSZ, &size);
}

void
tty_restore(struct tty *t)
{
	if (t->raw)
		(void)tcsetattr(t->fd, TCSADRAIN, &t->before);
	t->raw = false;
}
