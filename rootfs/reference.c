/*
 * What is said of a registry before it is asked. The text may be a stranger's:
 * it is compared with what is allowed by its parts, and what skopeo is called
 * with is made of these parts anew, so that the two cannot mean different
 * places.
 */
#include "reference.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "registries.h"

#define SCHEME "docker://"
#define HUB "docker.io"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Letters and digits with '.', '_', "__" or any number of '-' between them. */
static bool
is_component(const char *text, size_t len)
{
	size_t n = 0, gap;

	for (;;) {
		size_t word = strspn(text + n, LOWER DIGITS);

		n += word;
		if (word == 0 || n > len)
			return false;
		if (n == len)
			return true;
		gap = strspn(text + n, "-");
		if (gap == 0)
			gap = strncmp(text + n, "__", 2) == 0 ? 2
			      : strchr("._", text[n]) != NULL ? 1
							      : 0;
		if (gap == 0)
			return false;
		n += gap;
	}
}

static bool
is_path(const char *text, size_t len)
{
	while (len > 0) {
		size_t n = strcspn(text, "/");

		if (n > len)
			n = len;
		if (!is_component(text, n))
			return false;
		text += n;
		len -= n;
		/* A '/' is followed by something. */
		if (len == 1)
			return false;
		if (len > 0) {
			text++;
			len--;
		}
	}
	return true;
}

/* Is the first component a host? Else all of it is the hub's. */
static bool
is_host(const char *text, size_t len)
{
	if (text[len] != '/')
		return false;
	if (len == strlen("localhost") && strncmp(text, "localhost", len) == 0)
		return true;
	for (size_t i = 0; i < len; i++) {
		if (strchr(".:" UPPER, text[i]) != NULL)
			return true;
	}
	return false;
}

static int
refuse(char *why, size_t size, const char *what)
{
	(void)snprintf(why, size, "%s", what);
	return -1;
}

/* ":TAG" or "@DIGEST" behind the path. */
static int
parse_end(const char *end, struct reference *r, char *why, size_t size)
{
	size_t len = strlen(end);

	r->tag[0] = r->digest[0] = '\0';
	if (*end == ':') {
		if (strchr(end, '@') != NULL)
			return refuse(why, size, "has both a tag and a digest");
		if (len < 2 || len > sizeof(r->tag) ||
		    strchr(".-", end[1]) != NULL ||
		    strspn(end + 1, LOWER UPPER DIGITS "._-") != len - 1)
			return refuse(why, size, "its tag is none");
		(void)strcpy(r->tag, end + 1);
	} else if (*end == '@') {
		if (strncmp(end + 1, "sha256:", 7) != 0 || len != 1 + 7 + 64 ||
		    strspn(end + 8, DIGITS "abcdef") != 64)
			return refuse(why, size,
			    "its digest is not sha256: and 64 digits");
		(void)strcpy(r->digest, end + 1);
	}
	return 0;
}

int
reference_parse(const char *text, struct reference *ret, char *why, size_t size)
{
	const char *rest = text + strlen(SCHEME);
	size_t len;

	if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
		return refuse(why, size, "must begin with " SCHEME);
	if (strlen(text) > REFERENCE_MAX)
		return refuse(why, size, "is too long");
	len = strcspn(rest, "/");
	(void)strcpy(ret->host, HUB);
	if (is_host(rest, len)) {
		if (len >= sizeof(ret->host) || !registries_is_host(rest, len))
			return refuse(why, size, "its registry is no host");
		(void)snprintf(
		    ret->host, sizeof(ret->host), "%.*s", (int)len, rest);
		rest += len + 1;
	}
	if (strcmp(ret->host, "index." HUB) == 0)
		(void)strcpy(ret->host, HUB);
	len = strcspn(rest, ":@");
	if (len == 0 || !is_path(rest, len))
		return refuse(
		    why, size, "is not of the form docker://HOST/PATH[:TAG]");
	(void)snprintf(ret->path, sizeof(ret->path), "%s%.*s",
	    strcmp(ret->host, HUB) == 0 && memchr(rest, '/', len) == NULL
		? "library/"
		: "",
	    (int)len, rest);
	return parse_end(rest + len, ret, why, size);
}

void
reference_format(const struct reference *r, char *buf, size_t size)
{
	(void)snprintf(buf, size, SCHEME "%s/%s%s%s%s%s", r->host, r->path,
	    *r->tag != '\0' ? ":" : "", r->tag, *r->digest != '\0' ? "@" : "",
	    r->digest);
}
