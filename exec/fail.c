#include "fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "verdict.h"

int
failure_set(
    struct failure *f, const char *step, int error, const char *fmt, ...)
{
	va_list ap;

	memset(f, 0, sizeof(*f));
	(void)snprintf(f->step, sizeof(f->step), "%s", step);
	f->error = error;
	va_start(ap, fmt);
	(void)vsnprintf(f->detail, sizeof(f->detail), fmt, ap);
	va_end(ap);
	return -1;
}

bool
fail_is_machines(int error)
{
	static const int errors[] = { EIO, ENOMEM, EMFILE, ENFILE, ENOSPC,
		EDQUOT, EROFS, EINTR, EAGAIN, ENOBUFS, EPROTO };

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		if (error == errors[i])
			return true;
	}
	return false;
}

void
fail_memory(void)
{
	complain("memory: there is none left");
	_exit(EXIT_OWN);
}

const char *
failure_text(const struct failure *f, char *buf, size_t size)
{
	if (f->error != 0)
		(void)snprintf(buf, size, "%s: %s: %s", f->step, f->detail,
		    strerror(f->error));
	else
		(void)snprintf(buf, size, "%s: %s", f->step, f->detail);
	return buf;
}
