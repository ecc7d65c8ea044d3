/* What a front that was taken over can tell whoever places files. */
#include "files.h"

#include <fcntl.h>

#include "unit.h"

/* Says what one head and so many bytes of a name make of it. */
static int
place(uint32_t name_len, size_t sent)
{
	static char bytes[8192];
	struct file_in head = { .name_len = name_len, .mode = 0644 };
	char *name = guarded(bytes, FILES_NAME_MAX + 1);
	struct plan p;
	int fds[2], r;

	plan_init(&p);
	memset(bytes, 'x', sizeof(bytes));
	HOLDS(pipe2(fds, O_CLOEXEC) == 0);
	HOLDS(write(fds[1], &head, sizeof(head)) == sizeof(head));
	HOLDS(write(fds[1], bytes, sent) == (ssize_t)sent);
	(void)close(fds[1]);
	p.files_in = fds[0];
	r = files_place(&p, name);
	(void)close(fds[0]);
	return r;
}

static void
names(void)
{
	static const uint32_t longer[] = { FILES_NAME_MAX + 1,
		FILES_NAME_MAX + 2, 8192, INT32_MAX, UINT32_MAX };

	for (size_t i = 0; i < LENGTH(longer); i++) {
		expect_number(place(longer[i], 8192), -1, "result");
		expect_number(errno, ENAMETOOLONG, "errno");
	}
	/* There is room for it, but no file system has such a name. */
	expect_number(place(FILES_NAME_MAX, FILES_NAME_MAX), -1, "result");
	expect_number(errno, ENAMETOOLONG, "errno");
}

static void
broken_off(void)
{
	expect_number(place(10, 9), -1, "in a name");
	expect_number(place(0, 0), 0, "the end");
}

static const struct testcase cases[] = {
	{ "a longer name than there is room for is refused", names },
	{ "what ends in the middle is refused", broken_off },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
