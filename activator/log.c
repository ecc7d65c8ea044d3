#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "defence.h"

/* So much of what others say, which is three times on a line at most. */
#define QUOTED_MAX 1024

static void
put(struct log *l, const char *text, size_t len)
{
	/* The newline always has room. */
	if (len > sizeof(l->text) - 1 - l->len)
		len = sizeof(l->text) - 1 - l->len;
	memcpy(l->text + l->len, text, len);
	l->len += len;
}

static void
put_name(struct log *l, const char *name)
{
	if (l->len > 0 && l->text[l->len - 1] != '>')
		put(l, " ", 1);
	put(l, name, strlen(name));
	put(l, "=", 1);
}

void
log_init(struct log *l, int priority)
{
	char text[8] = "";

	l->len = 0;
	/* sd-daemon(3): the journal reads the priority and takes it off. */
	if (getenv("JOURNAL_STREAM") != NULL)
		put(l, text,
		    (size_t)snprintf(text, sizeof(text), "<%d>", priority));
}

void
log_word(struct log *l, const char *name, const char *value)
{
	put_name(l, name);
	put(l, value, strlen(value));
}

/* As it stands between quotes: in text, with its length. */
static size_t
quote(unsigned char c, char text[8])
{
	if (DEFENCE(LOG_ESCAPES) && (c < 0x20 || c >= 0x7f))
		return (size_t)snprintf(text, 8, "\\x%02x", c);
	if (c == '"' || c == '\\')
		return (size_t)snprintf(text, 8, "\\%c", c);
	return (size_t)snprintf(text, 8, "%c", c);
}

void
log_quoted(struct log *l, const char *name, const char *value)
{
	char text[8] = "";
	size_t len, sum = 0;

	put_name(l, name);
	put(l, "\"", 1);
	for (; *value != '\0'; value++) {
		len = quote((unsigned char)*value, text);
		sum += len;
		/* What follows, such as the status, is to have room. */
		if (sum > QUOTED_MAX)
			break;
		put(l, text, len);
	}
	put(l, "\"", 1);
	if (*value != '\0')
		put(l, "...", 3);
}

void
log_number(struct log *l, const char *name, long long value)
{
	char text[24] = "";

	put_name(l, name);
	put(l, text, (size_t)snprintf(text, sizeof(text), "%lld", value));
}

void
log_write(struct log *l)
{
	l->text[l->len++] = '\n';
	(void)!write(STDERR_FILENO, l->text, l->len);
}
