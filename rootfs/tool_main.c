#include "tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	int count; /* of arguments */
} verbs[] = {
	{ "unpack", tool_unpack, 5 },
	{ "pack", tool_pack, 1 },
	{ "diff", tool_diff, 3 },
	{ "describe", tool_describe, 1 },
};

void
tool_die(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("mayfly-rootfs: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(1);
}

void
tool_say(const char *key, const char *fmt, ...)
{
	va_list ap;

	(void)printf("%s=", key);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\0');
}

const char *
tool_quote(const char *name)
{
	static char text[128];
	size_t i;

	for (i = 0; i < sizeof(text) - 1 && name[i] != '\0'; i++)
		text[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
	text[i] = '\0';
	return text;
}

int
main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (argc < 2 || strcmp(argv[1], verbs[i].name) != 0)
			continue;
		if (argc != 2 + verbs[i].count)
			tool_die(
			    "%s takes %d arguments", argv[1], verbs[i].count);
		if (verbs[i].run(argc - 1, argv + 1) != 0)
			return 1;
		if (fflush(stdout) != 0 || ferror(stdout))
			tool_die("stdout cannot be written");
		return 0;
	}
	tool_die("it is started by mayfly image; see mayfly-image(1)");
}
