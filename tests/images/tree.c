/*
 * Lists a tree, a line for each file: all that an image says of it. Names that
 * come after the tree are left out, with what is below them.
 *
 *	tree DIRECTORY [NAME]...
 */
#include <sys/stat.h>
#include <sys/xattr.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t root_len;
static char **left_out;

/* Enough to tell files apart that nobody made to be alike. */
static uint64_t
digest(const char *path)
{
	static unsigned char buf[65536];
	uint64_t sum = UINT64_C(14695981039346656037);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			sum = (sum ^ buf[i]) * UINT64_C(1099511628211);
	}
	(void)close(fd);
	return n == 0 ? sum : 0;
}

static void
put_text(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text > ' ' && *text <= '~' && *text != '%')
			(void)putchar(*text);
		else
			(void)printf("%%%02x", (unsigned char)*text);
	}
}

/* In order, and those alone that an image may have. */
static void
put_attributes(const char *path)
{
	static char names[65536], value[65536];
	ssize_t len = llistxattr(path, names, sizeof(names)), n;
	const char *last = "", *next;

	for (;;) {
		next = NULL;
		for (const char *p = names; len > 0 && p < names + len;
		     p += strlen(p) + 1) {
			if (strcmp(p, last) > 0 &&
			    (next == NULL || strcmp(p, next) < 0))
				next = p;
		}
		if (next == NULL)
			return;
		last = next;
		if (strncmp(next, "user.", 5) != 0 ||
		    strncmp(next, "user.overlay.", 13) == 0 ||
		    strncmp(next, "user.rootlesscontainers", 23) == 0)
			continue;
		n = lgetxattr(path, next, value, sizeof(value) - 1);
		value[n > 0 ? n : 0] = '\0';
		(void)printf(" %s=", next);
		put_text(value);
	}
}

static int
put(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + root_len;
	char target[4096];
	ssize_t n;

	(void)type;
	(void)ftw;
	for (char **out = left_out; *out != NULL; out++) {
		size_t len = strlen(*out);

		if (strncmp(name, *out, len) == 0 &&
		    (name[len] == '\0' || name[len] == '/'))
			return 0;
	}
	put_text(*name != '\0' ? name : "/");
	(void)printf(" %o %u:%u", st->st_mode, st->st_uid, st->st_gid);
	if (!S_ISDIR(st->st_mode))
		(void)printf(" %ju %ju", (uintmax_t)st->st_nlink,
		    (uintmax_t)st->st_size);
	(void)printf(
	    " %jd.%09ld", (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	if (S_ISREG(st->st_mode))
		(void)printf(" %016jx", (uintmax_t)digest(path));
	if (S_ISLNK(st->st_mode)) {
		n = readlink(path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		(void)printf(" ");
		put_text(target);
	}
	put_attributes(path);
	(void)putchar('\n');
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		return 64;
	root_len = strcmp(argv[1], "/") == 0 ? 0 : strlen(argv[1]);
	left_out = argv + 2;
	return nftw(argv[1], put, 20, FTW_PHYS) != 0;
}
