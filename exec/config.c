#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "limit_keys.h"
#include "registries.h"
#include "sys.h"

#define CONFIG_FILE "/etc/mayfly/mayfly.conf"
#define CONFIG_DIR "/etc/mayfly/mayfly.conf.d"
#define CONFIG_SIZE_MAX 65536

/*
 * Ids that the conventions of systemd (524,288 to 1,879,048,191 for its
 * containers, from 2,147,352,576 on for foreign images) leave alone.
 */
#define UID_BASE UINT64_C(1879048192)
#define UID_COUNT (UINT64_C(1024) * 65536)
#define UID_END UINT64_C(4294901760)

enum kind { KIND_TEXT, KIND_PATH, KIND_NUMBER };

static const struct key {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *text; /* default of a text or path */
	uint64_t number; /* default of a number */
	uint64_t min;
	uint64_t max;
	/* Of a text, unless NULL: 0, or -1 with a sentence. */
	int (*check)(const char *value, char *why, size_t size);
} keys[] = {
	{ "state_dir", KIND_PATH, offsetof(struct config, state_dir),
	    "/var/lib/mayfly", 0, 0, 0 },
	{ "run_dir", KIND_PATH, offsetof(struct config, run_dir), "/run/mayfly",
	    0, 0, 0 },
	{ "default_image", KIND_TEXT, offsetof(struct config, default_image),
	    "host", 0, 0, 0 },
	{ "allowed_hosts", KIND_TEXT, offsetof(struct config, allowed_hosts),
	    "", 0, 0, 0 },
	{ "registries", KIND_TEXT, offsetof(struct config, registries), "", 0,
	    0, 0, registries_check },
	{ "tokens", KIND_PATH, offsetof(struct config, tokens), "", 0, 0, 0 },
	{ "session_ttl", KIND_NUMBER, offsetof(struct config, session_ttl),
	    NULL, 300, 1, 3155760000 },
	{ "session_wait", KIND_NUMBER, offsetof(struct config, session_wait),
	    NULL, 10000, 0, 3600000 },
	{ "max_image", KIND_NUMBER, offsetof(struct config, max_image), NULL,
	    16777216, 1, UINT64_C(1) << 40 },
	{ "min_free", KIND_NUMBER, offsetof(struct config, min_free), NULL,
	    65536, 0, UINT64_C(1) << 40 },
	{ "max_sessions", KIND_NUMBER, offsetof(struct config, max_sessions),
	    NULL, 10000, 0, 1000000000 },
	{ "max_snapshots", KIND_NUMBER, offsetof(struct config, max_snapshots),
	    NULL, 10000, 0, 1000000000 },
	{ "max_runs", KIND_NUMBER, offsetof(struct config, max_runs), NULL, 256,
	    1, 1000000 },
	{ "max_pulls", KIND_NUMBER, offsetof(struct config, max_pulls), NULL, 4,
	    1, 1000 },
	{ "uid_base", KIND_NUMBER, offsetof(struct config, uid_base), NULL,
	    UID_BASE, 65536, 4294836224 },
	{ "uid_count", KIND_NUMBER, offsetof(struct config, uid_count), NULL,
	    UID_COUNT, 65536, 4294836224 },
	{ "pool", KIND_NUMBER, offsetof(struct config, pool), NULL, 8, 0,
	    4096 },
};

#define KEY_COUNT (sizeof(keys) / sizeof(*keys))

void
config_defaults(struct config *c)
{
	char *base = (char *)c;

	memset(c, 0, sizeof(*c));
	limits_init(&c->limits);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (keys[i].kind == KIND_NUMBER)
			*(uint64_t *)(base + keys[i].offset) = keys[i].number;
		else
			*(const char **)(base + keys[i].offset) = keys[i].text;
	}
}

static int
set_number(const struct key *k, uint64_t *field, const char *value, char *why,
    size_t size)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 ||
	    n < k->min || n > k->max) {
		(void)snprintf(why, size,
		    "%s: '%.40s' is not a whole number from %" PRIu64
		    " to %" PRIu64,
		    k->name, value, k->min, k->max);
		return -1;
	}
	*field = n;
	return 0;
}

static int
set_key(struct config *c, struct limit_keys *k, unsigned line, const char *key,
    const char *value, char *why, size_t size)
{
	char *base = (char *)c;
	int r;

	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcmp(keys[i].name, key) != 0)
			continue;
		if (keys[i].kind == KIND_NUMBER)
			return set_number(&keys[i],
			    (uint64_t *)(base + keys[i].offset), value, why,
			    size);
		if (keys[i].kind == KIND_PATH && *value != '/') {
			(void)snprintf(why, size,
			    "%s: '%.80s' is not an absolute path", key, value);
			return -1;
		}
		if (keys[i].check != NULL &&
		    keys[i].check(value, why, size) != 0)
			return -1;
		*(const char **)(base + keys[i].offset) = value;
		return 0;
	}
	r = limit_keys_set(&c->limits, k, line, key, value, why, size);
	if (r == 1)
		(void)snprintf(why, size, "unknown key '%.40s'", key);
	return r == 0 ? 0 : -1;
}

int
config_set(struct config *c, const char *key, const char *value, char *why,
    size_t size)
{
	struct limit_keys k = { 0 };

	if (set_key(c, &k, 1, key, value, why, size) != 0)
		return -1;
	return limit_keys_settle(&c->limits, &k, why, size) == LIMIT_MAX ? 0
									 : -1;
}

/* Cuts the blanks at both ends. */
static char *
trim(char *s)
{
	char *end;

	s += strspn(s, " \t\r");
	end = s + strlen(s);
	while (end > s && strchr(" \t\r", end[-1]) != NULL)
		*--end = '\0';
	return s;
}

/* The line number at line, which is changed. 0, or -1 with a sentence. */
static int
parse_line(struct config *c, struct limit_keys *k, unsigned number, char *line,
    char *why, size_t size)
{
	char *equals;

	line = trim(line);
	if (*line == '\0' || *line == '#')
		return 0;
	equals = strchr(line, '=');
	if (equals == NULL) {
		(void)snprintf(why, size, "not of the form key = value");
		return -1;
	}
	*equals = '\0';
	return set_key(c, k, number, trim(line), trim(equals + 1), why, size);
}

int
config_parse(
    struct config *c, const char *name, char *text, char *why, size_t size)
{
	struct limit_keys k = { 0 };
	unsigned number = 0, wrong = 0;
	char *line, *next, reason[160], high[160];
	enum limit limit;

	for (line = text; line != NULL && wrong == 0; line = next) {
		number++;
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (parse_line(c, &k, number, line, reason, sizeof(reason)) !=
		    0)
			wrong = number;
	}
	limit = limit_keys_settle(&c->limits, &k, high, sizeof(high));
	if (wrong != 0)
		(void)snprintf(why, size, "%s:%u: %s", name, wrong, reason);
	else if (limit != LIMIT_MAX)
		(void)snprintf(
		    why, size, "%s:%u: %s", name, k.line[limit], high);
	return wrong != 0 || limit != LIMIT_MAX ? -1 : 0;
}

/* Not to be confused with a link to what is not there. */
static bool
is_absent(const char *path)
{
	struct stat st;
	bool absent = lstat(path, &st) != 0;

	errno = ENOENT;
	return absent;
}

/* One file, which need not exist. Its text stays: values point into it. */
static int
read_file(struct config *c, const char *path, char *why, size_t size)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;
	ssize_t n;

	if (fd < 0 && errno == ENOENT && is_absent(path))
		return 0;
	text = malloc(CONFIG_SIZE_MAX + 1);
	n = fd < 0 || text == NULL ? -1 : read(fd, text, CONFIG_SIZE_MAX + 1);
	if (n < 0) {
		(void)snprintf(why, size, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (n > CONFIG_SIZE_MAX || memchr(text, '\0', (size_t)n) != NULL) {
		(void)snprintf(why, size, "%s: not a text of at most %d bytes",
		    path, CONFIG_SIZE_MAX);
		return -1;
	}
	text[n] = '\0';
	return config_parse(c, path, text, why, size);
}

/* Half of an administrator's limits would be worse than none. */
static int
read_directory(struct config *c, char *why, size_t size)
{
	glob_t found;
	bool none;
	int r;

	none = access(CONFIG_DIR, F_OK) != 0 &&
	       (errno == ENOENT || errno == ENOTDIR);
	if (none && is_absent(CONFIG_DIR))
		return 0;
	r = none ? GLOB_ABORTED
		 : glob(CONFIG_DIR "/*.conf", GLOB_ERR, NULL, &found);
	if (r == GLOB_NOMATCH)
		return 0;
	if (r != 0) {
		(void)snprintf(why, size, CONFIG_DIR ": cannot be read");
		return -1;
	}
	for (size_t i = 0; i < found.gl_pathc && r == 0; i++)
		r = read_file(c, found.gl_pathv[i], why, size);
	globfree(&found);
	return r;
}

/* Before a sentence that begins with a key its variable is named. */
static void
blame_variable(const char *reason, char *why, size_t size)
{
	char name[64];
	size_t i = 0;

	for (; reason[i] != '\0' && reason[i] != ':' && i + 1 < sizeof(name);
	     i++)
		name[i] = (char)(reason[i] >= 'a' && reason[i] <= 'z'
				     ? reason[i] - ('a' - 'A')
				     : reason[i]);
	name[i] = '\0';
	(void)snprintf(why, size, "environment: MAYFLY_%s: %s", name, reason);
}

/* MAYFLY_KEY for every key; other MAYFLY_ variables are not ours to judge. */
static int
read_environment(struct config *c, char *why, size_t size)
{
	extern char **environ;
	struct limit_keys k = { 0 };
	char key[64], reason[160];
	size_t len;

	for (char **e = environ; *e != NULL; e++) {
		if (strncmp(*e, "MAYFLY_", 7) != 0)
			continue;
		len = strcspn(*e + 7, "=");
		/* In small letters no variable is one of a key. */
		if ((*e)[7 + len] != '=' || len >= sizeof(key) ||
		    strcspn(*e + 7, "abcdefghijklmnopqrstuvwxyz") < len)
			continue;
		for (size_t i = 0; i < len; i++)
			key[i] = (char)((*e)[7 + i] >= 'A' && (*e)[7 + i] <= 'Z'
					    ? (*e)[7 + i] + ('a' - 'A')
					    : (*e)[7 + i]);
		key[len] = '\0';
		if (set_key(c, &k, 1, key, *e + 7 + len + 1, reason,
			sizeof(reason)) != 0 &&
		    strncmp(reason, "unknown key", 11) != 0) {
			blame_variable(reason, why, size);
			return -1;
		}
	}
	if (limit_keys_settle(&c->limits, &k, reason, sizeof(reason)) ==
	    LIMIT_MAX)
		return 0;
	blame_variable(reason, why, size);
	return -1;
}

int
config_read(struct config *c, char *why, size_t size)
{
	config_defaults(c);
	if (read_file(c, CONFIG_FILE, why, size) != 0)
		return -1;
	if (read_directory(c, why, size) != 0 ||
	    read_environment(c, why, size) != 0)
		return -1;
	/* Behind the last id the host's 0 would follow. */
	if (c->uid_base + c->uid_count > UID_END) {
		(void)snprintf(why, size,
		    "uid_base and uid_count: their sum is above %" PRIu64,
		    UID_END);
		return -1;
	}
	return 0;
}

static uint64_t
mix(uint64_t mark, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return mark * 31 + (uint64_t)errno;
	return ((mark * 31 + (uint64_t)st.st_ino) * 31 +
		   (uint64_t)st.st_mtim.tv_sec) *
		   1000000007 +
	       (uint64_t)st.st_mtim.tv_nsec;
}

uint64_t
config_mark(void)
{
	uint64_t mark = mix(mix(1, CONFIG_FILE), CONFIG_DIR);
	glob_t found;

	if (glob(CONFIG_DIR "/*.conf", 0, NULL, &found) != 0)
		return mark;
	for (size_t i = 0; i < found.gl_pathc; i++)
		mark = mix(mark, found.gl_pathv[i]);
	globfree(&found);
	return mark;
}
