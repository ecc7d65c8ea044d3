#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verdict.h"

/* Which of 0, 1, 2 the caller gave us. */
static bool streams_given[3];

static bool within_line;

void
command_begin_line(bool within)
{
	within_line = within;
}

bool
command_stream_given(int fd)
{
	return streams_given[fd];
}

void
command_fill_streams(void)
{
	for (int fd = 0; fd < 3; fd++) {
		streams_given[fd] = fcntl(fd, F_GETFD) >= 0;
		if (!streams_given[fd] &&
		    open("/dev/null", O_RDWR | O_CLOEXEC) != fd) {
			complain("streams: /dev/null: %s", strerror(errno));
			_exit(EXIT_OWN);
		}
	}
}

void
complain(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	/* One write, so that nothing comes between its parts. */
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* What it speaks of may be an image's. */
	for (char *p = text; *p != '\0'; p++)
		*p = command_plain(*p);
	(void)dprintf(
	    STDERR_FILENO, "%smayfly: %s\n", within_line ? "\n" : "", text);
	within_line = false;
}
