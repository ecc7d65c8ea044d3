/*
 * C9: large arguments and environments. Prints how many of each came through,
 * and how long the longest is.
 */
#include <stdio.h>
#include <string.h>

extern char **environ;

static void
count(const char *what, char **list)
{
	size_t n = 0, longest = 0;

	for (; list[n] != NULL; n++)
		if (strlen(list[n]) > longest)
			longest = strlen(list[n]);
	printf("%s %zu %zu\n", what, n, longest);
}

int
main(int argc, char *argv[])
{
	(void)argc;
	count("arguments", argv + 1);
	count("variables", environ);
	return 0;
}
