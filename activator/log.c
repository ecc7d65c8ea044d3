#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "defence.h"

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

void
log_quoted(struct log *l, const char *name, const char *value)
{
	char text[8] = "";

	put_name(l, name);
	put(l, "\"", 1);
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		if (DEFENCE(LOG_ESCAPES) && (c < 0x20 || c >= 0x7f))
			put(l, text,
			    (size_t)snprintf(text, sizeof(text), "\\x%02x", c));
		else if (c == '"' || c == '\\')
			put(l, text,
			    (size_t)snprintf(text, sizeof(text), "\\%c", c));
		else
			put(l, value, 1);
	}
	put(l, "\"", 1);
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
