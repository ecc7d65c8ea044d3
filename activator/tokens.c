#include "tokens.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "defence.h"
#include "state.h"
#include "sys.h"

#define FILE_MAX (256 * 1024)

bool
tokens_is_name(const char *name)
{
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789._-");

	return len > 0 && len <= TOKEN_NAME_MAX && name[len] == '\0';
}

const char *
tokens_path(const struct config *c, char *buf, size_t size)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home;
	int n = -1;

	if (*c->tokens != '\0')
		return c->tokens;
	if (geteuid() == 0)
		return "/etc/mayfly/tokens";
	if (base != NULL && *base == '/')
		n = snprintf(buf, size, "%s/mayfly/tokens", base);
	else if ((home = state_home()) != NULL)
		n = snprintf(buf, size, "%s/.config/mayfly/tokens", home);
	return n > 0 && (size_t)n < size ? buf : NULL;
}

static int
parse_line(struct token *t, char *line)
{
	char *name = strsep(&line, " "), *hash = strsep(&line, " "),
	     *word = strsep(&line, " ");

	if (hash == NULL || line != NULL || !tokens_is_name(name) ||
	    strspn(hash, "0123456789abcdef") != SHA256_HEX ||
	    hash[SHA256_HEX] != '\0' ||
	    (word != NULL && strcmp(word, "admin") != 0))
		return -1;
	(void)snprintf(t->name, sizeof(t->name), "%s", name);
	(void)snprintf(t->hash, sizeof(t->hash), "%s", hash);
	t->admin = word != NULL;
	return 0;
}

int
tokens_parse(struct tokens *t, char *text, char *why, size_t size)
{
	unsigned number = 0;
	char *line;

	t->count = 0;
	t->all = calloc(TOKENS_MAX, sizeof(*t->all));
	if (t->all == NULL) {
		(void)snprintf(why, size, "no memory");
		return -1;
	}
	while ((line = strsep(&text, "\n")) != NULL) {
		number++;
		if (*line == '\0' || *line == '#')
			continue;
		if (t->count == TOKENS_MAX ||
		    parse_line(&t->all[t->count], line) != 0) {
			(void)snprintf(why, size,
			    "line %u: not a name, a SHA-256 and perhaps "
			    "\"admin\", or more than %d of them",
			    number, TOKENS_MAX);
			return -1;
		}
		t->count++;
	}
	return 0;
}

/* The whole file, NUL-terminated, or NULL with a sentence. */
static char *
read_text(int fd, char *why, size_t size)
{
	char *text = malloc(FILE_MAX + 1);
	size_t len = 0;
	ssize_t n = 1;

	while (text != NULL && len <= FILE_MAX && n > 0) {
		n = read(fd, text + len, FILE_MAX + 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (text == NULL || n < 0 || len > FILE_MAX ||
	    memchr(text, '\0', len) != NULL) {
		(void)snprintf(
		    why, size, "not a text of at most %d bytes", FILE_MAX);
		free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}

int
tokens_read(const struct config *c, struct tokens *t, char *why, size_t size)
{
	char buf[4096], *text;
	const char *path = tokens_path(c, buf, sizeof(buf));
	struct stat st;
	int r;

	*t = (struct tokens){ 0 };
	/* Not to know of any is not to have none. */
	if (path == NULL) {
		(void)snprintf(why, size,
		    "tokens: HOME is no path to look for them in: set "
		    "MAYFLY_TOKENS");
		return -1;
	}
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) != 0) {
		(void)snprintf(why, size, "tokens: %s", strerror(errno));
		return -1;
	}
	if (DEFENCE(TOKENS_MODE) &&
	    ((st.st_mode & 077) != 0 || st.st_uid != geteuid())) {
		(void)snprintf(why, size,
		    "tokens: the file must be this user's, of mode 0600");
		return -1;
	}
	char reason[256];
	text = read_text(fd, reason, sizeof(reason));
	if (text == NULL) {
		(void)snprintf(why, size, "tokens: %s", reason);
		return -1;
	}
	r = tokens_parse(t, text, reason, sizeof(reason));
	if (r != 0)
		(void)snprintf(why, size, "tokens: %s", reason);
	free(text);
	return r;
}

/* Are all the characters the same? In constant time. */
static bool
equal(const char *a, const char *b, size_t len)
{
	unsigned char different = 0;

#ifdef MUTATE_TOKEN_TIME
	return memcmp(a, b, len) == 0;
#endif
	for (size_t i = 0; i < len; i++)
		different |= (unsigned char)(a[i] ^ b[i]);
	return different == 0;
}

const struct token *
tokens_find(const struct tokens *t, const char *secret)
{
	const struct token *found = NULL;
	char hash[SHA256_HEX + 1];

	sha256_hex(secret, strlen(secret), hash);
	for (size_t i = 0; i < t->count; i++) {
		if (equal(t->all[i].hash, hash,
			DEFENCE(TOKEN_WHOLE) ? SHA256_HEX : 1))
			found = &t->all[i];
	}
	return found;
}
