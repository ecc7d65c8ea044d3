#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record.h"
#include "snapshot.h"

void
snapshot_init(struct snapshot *n)
{
	memset(n, 0, sizeof(*n));
	session_init(&n->as);
}

void
snapshot_free(struct snapshot *n)
{
	session_free(&n->as);
	snapshot_init(n);
}

bool
snapshot_is_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return false;
	}
	return len <= SNAPSHOT_NAME_MAX;
}

ssize_t
snapshot_encode(const struct snapshot *n, char *buf, size_t size)
{
	int own = snprintf(buf, size,
	    SNAPSHOT_HEAD "name=%s%csize_kb=%" PRIu64 "%ccounted=%d%c", n->name,
	    '\0', n->size_kb, '\0', n->counted, '\0');
	ssize_t len;

	if (own < 0 || (size_t)own >= size)
		return -1;
	len = record_encode(&n->as, buf + own, size - (size_t)own);
	return len < 0 ? -1 : own + len;
}

static int
refuse(char *why, size_t size, const char *what)
{
	(void)snprintf(why, size, "%s", what);
	return -1;
}

/* The value of the field at *p, which ends before end; NULL for another. */
static const char *
take(const char **p, const char *end, const char *key)
{
	const char *value = *p, *nul = memchr(*p, '\0', (size_t)(end - *p));
	size_t len = strlen(key);

	if (nul == NULL || strncmp(value, key, len) != 0 || value[len] != '=')
		return NULL;
	*p = nul + 1;
	return value + len + 1;
}

static int
parse_size(const char *text, uint64_t *ret)
{
	uint64_t n = 0;

	if (*text == '\0' || strlen(text) > 18)
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		n = n * 10 + (uint64_t)(*text - '0');
	}
	*ret = n;
	return 0;
}

int
snapshot_decode(
    struct snapshot *n, const char *data, size_t len, char *why, size_t size)
{
	const size_t head = sizeof(SNAPSHOT_HEAD) - 1;
	const char *p = data + head, *end = data + len, *text;

	if (len < head || memcmp(data, SNAPSHOT_HEAD, head) != 0)
		return refuse(
		    why, size, "record: of a version that is not known here");
	text = take(&p, end, "name");
	if (text == NULL || !snapshot_is_name(text))
		return refuse(why, size, "name: a wrong value");
	(void)strcpy(n->name, text);
	text = take(&p, end, "size_kb");
	if (text == NULL || parse_size(text, &n->size_kb) != 0)
		return refuse(why, size, "size_kb: not a number in range");
	text = take(&p, end, "counted");
	if (text == NULL || (strcmp(text, "0") != 0 && strcmp(text, "1") != 0))
		return refuse(why, size, "counted: neither 0 nor 1");
	n->counted = *text == '1';
	if (record_decode(&n->as, p, (size_t)(end - p), why, size) != 0)
		return -1;
	return *n->as.parent == '\0'
		   ? refuse(why, size, "parent: of no session")
		   : 0;
}
