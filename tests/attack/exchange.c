/*
 * Outside helper: for races against whoever removes a directory. Exchanges the
 * names dN and lN in it, one pair without end until one of the two has gone,
 * then the next pair, in the order in which the directory is read.
 *
 * argv: the directory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define PAIRS_MAX 10000

static int order[PAIRS_MAX];

static size_t
read_order(DIR *d)
{
	const struct dirent *e;
	size_t n = 0;

	while (n < PAIRS_MAX && (e = readdir(d)) != NULL)
		if (*e->d_name == 'd' || *e->d_name == 'l')
			order[n++] = atoi(e->d_name + 1);
	return n;
}

int
main(int argc, char *argv[])
{
	DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
	char one[16], other[16];
	size_t n;

	if (d == NULL)
		return 2;
	n = read_order(d);
	puts("begun");
	fflush(stdout);
	for (size_t i = 0; i < n; i++) {
		snprintf(one, sizeof(one), "d%d", order[i]);
		snprintf(other, sizeof(other), "l%d", order[i]);
		while (renameat2(dirfd(d), one, dirfd(d), other,
			   RENAME_EXCHANGE) == 0)
			;
	}
	return 0;
}
