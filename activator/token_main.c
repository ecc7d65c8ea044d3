#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "sys.h"
#include "tokens.h"
#include "verdict.h"

#define SECRET_BYTES 32

static const char usage[] =
    "usage: mayfly token add NAME [--admin]\n"
    "       mayfly token list\n"
    "       mayfly token remove NAME\n\n"
    "A token is shown once, when it is added; what is kept is its SHA-256.\n";

/* 256 random bits in hexadecimal. */
static int
make_secret(char ret[2 * SECRET_BYTES + 1])
{
	unsigned char bytes[SECRET_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -1;
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* The directories above the file: the last one is the caller's alone. */
static int
make_parents(const char *path)
{
	char copy[4096];

	(void)snprintf(copy, sizeof(copy), "%s", path);
	for (char *slash = strchr(copy + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) != 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return 0;
}

/* One at a time changes the file: a lock on a file beside it. */
static int
lock_file(const char *path)
{
	char name[4200];
	int fd;

	(void)snprintf(name, sizeof(name), "%s.lock", path);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		return -1;
	return fd;
}

/* Else a token that was removed could be back after a power cut. */
static int
sync_parent(const char *path)
{
	char copy[4096];

	(void)snprintf(copy, sizeof(copy), "%s", path);
	auto_fd dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : fsync(dir);
}

/* The whole file anew, or as it was; on disk. */
static int
write_tokens(const char *path, const struct tokens *t)
{
	char name[4200];
	FILE *f;
	int fd;

	(void)snprintf(name, sizeof(name), "%s.new", path);
	fd = open(
	    name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (f == NULL)
		return -1;
	for (size_t i = 0; i < t->count; i++)
		(void)fprintf(f, "%s %s%s\n", t->all[i].name, t->all[i].hash,
		    t->all[i].admin ? " admin" : "");
	if (fflush(f) != 0 || fsync(fd) != 0 || fclose(f) != 0)
		return -1;
	return rename(name, path) != 0 ? -1 : sync_parent(path);
}

static size_t
find(const struct tokens *t, const char *name)
{
	size_t i = 0;

	while (i < t->count && strcmp(t->all[i].name, name) != 0)
		i++;
	return i;
}

static int
add(struct tokens *t, const char *name, bool admin, const char *path)
{
	char secret[2 * SECRET_BYTES + 1];
	struct token *new = &t->all[t->count];

	if (find(t, name) < t->count || t->count == TOKENS_MAX) {
		complain("token: there is %s",
		    t->count == TOKENS_MAX ? "no room for more"
					   : "one of this name already");
		return EXIT_OWN;
	}
	if (make_secret(secret) != 0) {
		complain("token: no random numbers: %s", strerror(errno));
		return EXIT_OWN;
	}
	(void)snprintf(new->name, sizeof(new->name), "%s", name);
	sha256_hex(secret, strlen(secret), new->hash);
	new->admin = admin;
	t->count++;
	if (write_tokens(path, t) != 0) {
		complain("token: %s: %s", path, strerror(errno));
		return EXIT_OWN;
	}
	if (puts(secret) >= 0 && fflush(stdout) == 0)
		return 0;
	complain("stdout: %s", strerror(errno));
	clearerr(stdout);
	/* Nobody has it: it would only stand in the way of another one. */
	t->count--;
	if (write_tokens(path, t) != 0)
		complain("token: %s: %s", path, strerror(errno));
	return EXIT_OWN;
}

/* All of that name: who edits the file can give two the same. */
static int
forget(struct tokens *t, const char *name, const char *path)
{
	size_t i = find(t, name);

	if (i == t->count) {
		complain("token: there is none named '%s'", name);
		return EXIT_OWN;
	}
	for (; i < t->count; i = find(t, name))
		t->all[i] = t->all[--t->count];
	if (write_tokens(path, t) != 0) {
		complain("token: %s: %s", path, strerror(errno));
		return EXIT_OWN;
	}
	return 0;
}

static int
list(const struct tokens *t)
{
	for (size_t i = 0; i < t->count; i++)
		(void)printf(
		    "%s%s\n", t->all[i].name, t->all[i].admin ? " admin" : "");
	return 0;
}

static int
act(const struct config *c, const char *verb, const char *name, bool admin)
{
	char buf[4096], why[512];
	const char *path = tokens_path(c, buf, sizeof(buf));
	struct tokens t;
	int r = EXIT_OWN;

	/* The lock goes with the process. */
	if (name != NULL && path != NULL &&
	    (make_parents(path) != 0 || lock_file(path) < 0)) {
		complain("token: %s: %s", path, strerror(errno));
		return EXIT_OWN;
	}
	if (tokens_read(c, &t, why, sizeof(why)) != 0)
		complain("%s", why);
	else if (t.all == NULL &&
		 (t.all = calloc(TOKENS_MAX, sizeof(*t.all))) == NULL)
		complain("token: no memory");
	else if (name == NULL)
		r = list(&t);
	else
		r = strcmp(verb, "add") == 0 ? add(&t, name, admin, path)
					     : forget(&t, name, path);
	free(t.all);
	return r;
}

int
token_main(int argc, char **argv)
{
	static struct config c;
	const char *verb = argc > 1 ? argv[1] : "", *name = NULL;
	bool admin = false, adds = strcmp(verb, "add") == 0;
	char why[512];

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			(void)fputs(usage, stdout);
			return 0;
		}
	}
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--admin") == 0 && adds) {
			admin = true;
		} else if (argv[i][0] == '-' || name != NULL) {
			complain("token: unexpected '%.80s'", argv[i]);
			return EXIT_USAGE;
		} else {
			name = argv[i];
		}
	}
	if (!adds && strcmp(verb, "remove") != 0 && strcmp(verb, "list") != 0) {
		complain("token: '%.80s' is not add, list or remove", verb);
		return EXIT_USAGE;
	}
	if ((strcmp(verb, "list") == 0) != (name == NULL) ||
	    (name != NULL && !tokens_is_name(name))) {
		complain("token: %s: a name of [A-Za-z0-9._-], at most %d, "
			 "is %s",
		    verb, TOKEN_NAME_MAX,
		    strcmp(verb, "list") == 0 ? "not wanted" : "needed");
		return EXIT_USAGE;
	}
	if (config_read(&c, why, sizeof(why)) != 0) {
		complain("config: %s", why);
		return EXIT_OWN;
	}
	return act(&c, verb, name, admin);
}
