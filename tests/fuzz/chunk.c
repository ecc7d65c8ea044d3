/*
 * Any bytes as a chunked body, in pieces of any size: what comes out is what
 * a decoder that sees it all at once finds.
 */
#include "chunk.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reader {
	const char *p, *end;
};

/* A line without its CR LF, which has text in it and nothing else. */
static bool
read_line(struct reader *r, size_t *ret_len)
{
	const char *line = r->p, *end = line;

	while (end < r->end && http_is_text(*end))
		end++;
	if (r->end - end < 2 || end[0] != '\r' || end[1] != '\n')
		return false;
	*ret_len = (size_t)(end - line);
	r->p = end + 2;
	return true;
}

static bool
read_size(struct reader *r, size_t *extensions, unsigned long *ret)
{
	const char *line = r->p;
	size_t len, digits = 0;
	char text[CHUNK_DIGITS_MAX + 1] = "";

	if (!read_line(r, &len))
		return false;
	while (digits < len && line[digits] != '\0' &&
	       strchr("0123456789abcdefABCDEF", line[digits]) != NULL)
		digits++;
	if (digits == 0 || digits > CHUNK_DIGITS_MAX ||
	    (digits < len && line[digits] != ';') ||
	    len - digits > CHUNK_EXTENSION_MAX)
		return false;
	*extensions += len - digits;
	memcpy(text, line, digits);
	*ret = strtoul(text, NULL, 16);
	return *extensions <= CHUNK_EXTENSIONS_MAX;
}

static bool
read_trailers(struct reader *r)
{
	const char *from = r->p;

	for (;;) {
		const char *line = r->p;
		size_t len, name = 0;

		if (!read_line(r, &len) || r->p - from > CHUNK_TRAILERS_MAX)
			return false;
		if (len == 0)
			return true;
		while (name < len && http_is_token(line[name]))
			name++;
		if (name == 0 || name == len || line[name] != ':')
			return false;
	}
}

/* All of it; the body goes to out, which has room for as much. */
static bool
decode(struct reader *r, uint64_t max, char *out, size_t *ret_len)
{
	size_t extensions = 0;
	unsigned long n;

	*ret_len = 0;
	while (read_size(r, &extensions, &n) && n <= max - *ret_len) {
		if (n == 0)
			return read_trailers(r);
		if ((size_t)(r->end - r->p) < n + 2 ||
		    memcmp(r->p + n, "\r\n", 2) != 0)
			return false;
		memcpy(out + *ret_len, r->p, n);
		*ret_len += n;
		r->p += n + 2;
	}
	return false;
}

/* The same in pieces. */
static int
feed(struct chunk *c, const char *data, size_t size, size_t piece, char *out,
    size_t *ret_len, size_t *ret_used)
{
	size_t len, used;
	int r = 0;

	*ret_len = *ret_used = 0;
	while (r == 0 && *ret_used < size) {
		size_t n = size - *ret_used < piece ? size - *ret_used : piece;
		char *copy = malloc(n);

		if (copy == NULL)
			abort();
		memcpy(copy, data + *ret_used, n);
		r = chunk_decode(c, copy, n, &len, &used);
		assert(len <= used && used <= n && (r != 0 || used == n));
		memcpy(out + *ret_len, copy, len);
		*ret_len += len;
		*ret_used += used;
		free(copy);
	}
	return r;
}

/* The first bytes: how large the pieces are, and the body may be. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *found = malloc(size + 1), *wanted = malloc(size + 1);
	size_t found_len, wanted_len, used, piece;
	struct reader r;
	struct chunk c;
	uint64_t max;
	int result;

	if (found == NULL || wanted == NULL)
		abort();
	if (size >= 2) {
		piece = data[0] + 1U;
		max = data[1] < 255 ? data[1] * 8U : UINT64_MAX;
		r.p = (const char *)data + 2;
		r.end = (const char *)data + size;
		chunk_init(&c, max);
		result =
		    feed(&c, r.p, size - 2, piece, found, &found_len, &used);
		assert(c.total == found_len && found_len <= max);
		assert((result == 1) == decode(&r, max, wanted, &wanted_len));
		if (result == 1) {
			assert(found_len == wanted_len);
			assert(memcmp(found, wanted, found_len) == 0);
			assert(used == (size_t)(r.p - (const char *)data) - 2);
		}
		if (result == -1)
			assert((c.status == 400 || c.status == 413 ||
				   c.status == 431) &&
			       *c.why != '\0');
	}
	free(found);
	free(wanted);
	return 0;
}
