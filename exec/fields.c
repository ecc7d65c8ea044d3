#include "fields.h"

#include <stdio.h>
#include <string.h>

void
fields_begin(struct fields *w, char *buf, size_t size, const char *head)
{
	size_t len = strlen(head);

	*w = (struct fields){ buf, size, len < size ? (ssize_t)len : -1 };
	if (w->len >= 0)
		memcpy(buf, head, len + 1);
}

void
fields_put(struct fields *w, const char *key, const char *value)
{
	size_t left = w->len < 0 ? 0 : w->size - (size_t)w->len;
	int n;

	if (w->len < 0)
		return;
	n = snprintf(w->buf + w->len, left, "%s=%s", key, value);
	w->len = n < 0 || (size_t)n >= left ? -1 : w->len + n + 1;
}

int
fields_refuse(char *why, size_t size, const char *key, const char *what)
{
	(void)snprintf(why, size, "%s: %s", key, what);
	return -1;
}
