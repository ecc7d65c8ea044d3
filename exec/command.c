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

/*
 * How many bytes at text are one control character, or 0: a terminal would act
 * on it. In UTF-8 there are such of two bytes.
 */
static size_t
find_control(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	if (*c < ' ' || *c == 0x7f)
		return 1;
	return *c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0 ? 2 : 0;
}

void
command_print(const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		size_t n = find_control(text);

		(void)putchar(n > 0 ? '?' : *text);
		text += n > 0 ? n : 1;
	}
}

void
complain(const char *fmt, ...)
{
	char text[1024], *to = text;
	va_list ap;
	size_t n;

	/* One write, so that nothing comes between its parts. */
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* What it speaks of may be an image's. */
	for (const char *p = text; *p != '\0'; p += n > 0 ? n : 1) {
		n = find_control(p);
		*to++ = n > 0 ? '?' : *p;
	}
	*to = '\0';
	(void)dprintf(
	    STDERR_FILENO, "%smayfly: %s\n", within_line ? "\n" : "", text);
	within_line = false;
}
