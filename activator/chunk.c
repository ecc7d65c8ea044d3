#include "chunk.h"

#include <string.h>

#include "defence.h"
#include "http.h"

enum {
	SIZE, /* digits */
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER, /* at the beginning of a line */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	LAST_LF,
	ENDED,
	FAILED
};

void
chunk_init(struct chunk *c, uint64_t max)
{
	memset(c, 0, sizeof(*c));
	c->state = SIZE;
	c->max = max;
}

static int
refuse(struct chunk *c, int status, const char *why)
{
	c->status = status;
	c->why = why;
	return FAILED;
}

static int
hex(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

static int
step_extension(struct chunk *c, char ch)
{
	if (ch == '\r')
		return SIZE_LF;
	if (!http_is_text(ch))
		return refuse(
		    c, 400, "a control character in a chunk's extension");
	if ((++c->extension > CHUNK_EXTENSION_MAX ||
		++c->extensions > CHUNK_EXTENSIONS_MAX) &&
	    DEFENCE(CHUNK_EXTENSION))
		return refuse(c, 400, "the chunks' extensions are too long");
	return EXTENSION;
}

/* One more digit, or what ends the size. */
static int
step_size(struct chunk *c, char ch)
{
	int digit = hex(ch);

	if (digit >= 0 &&
	    (c->digits < CHUNK_DIGITS_MAX || !DEFENCE(CHUNK_DIGITS))) {
		c->digits++;
		c->left = c->left << 4 | (unsigned)digit;
		return SIZE;
	}
	if (digit >= 0)
		return refuse(c, 400, "a chunk's size has too many digits");
	if (c->digits == 0 || (ch != ';' && ch != '\r'))
		return refuse(c, 400, "a chunk's size is not hexadecimal");
	/* Said before any of it is read. */
	if (DEFENCE(CHUNK_SIZE) && c->left > c->max - c->total)
		return refuse(c, 413, "the body is too large");
	c->digits = 0;
	c->extension = 0;
	return ch == ';' ? step_extension(c, ch) : SIZE_LF;
}

/* Trailers have the form of fields; which ones they are is all the same. */
static int
step_trailer(struct chunk *c, char ch)
{
	if (++c->trailers > CHUNK_TRAILERS_MAX && DEFENCE(CHUNK_TRAILERS))
		return refuse(c, 431, "the trailers are too large");
	if (c->state == TRAILER_VALUE) {
		if (ch == '\r')
			return TRAILER_LF;
		if (http_is_text(ch))
			return TRAILER_VALUE;
		return refuse(c, 400, "a control character in a trailer");
	}
	if (c->state == TRAILER && ch == '\r')
		return LAST_LF;
	if (c->state == TRAILER_NAME && ch == ':')
		return TRAILER_VALUE;
	if (http_is_token(ch))
		return TRAILER_NAME;
	return refuse(c, 400, "a trailer is not of the form name: value");
}

/* The state behind one byte that is not data. */
static int
step(struct chunk *c, char ch)
{
	static const struct {
		char wanted;
		int next;
	} ends[] = {
		[SIZE_LF] = { '\n', DATA },
		[DATA_CR] = { '\r', DATA_LF },
		[DATA_LF] = { '\n', SIZE },
		[TRAILER_LF] = { '\n', TRAILER },
		[LAST_LF] = { '\n', ENDED },
	};

	switch (c->state) {
	case SIZE:
		return step_size(c, ch);
	case EXTENSION:
		return step_extension(c, ch);
	case TRAILER:
	case TRAILER_NAME:
	case TRAILER_VALUE:
		return step_trailer(c, ch);
	default:
		break;
	}
	if (ch != ends[c->state].wanted)
		return refuse(
		    c, 400, "a line of a chunk does not end in CR LF");
	if (c->state == SIZE_LF && c->left == 0)
		return TRAILER;
	/* The line ends of the last lines are part of the trailers' bound. */
	if (c->state >= TRAILER_LF && ++c->trailers > CHUNK_TRAILERS_MAX)
		return refuse(c, 431, "the trailers are too large");
	return ends[c->state].next;
}

int
chunk_decode(
    struct chunk *c, char *buf, size_t len, size_t *ret_len, size_t *ret_used)
{
	size_t i = 0, out = 0, n;

	while (i < len && c->state != ENDED && c->state != FAILED) {
		if (c->state != DATA) {
			c->state = step(c, buf[i++]);
			continue;
		}
		n = c->left < len - i ? (size_t)c->left : len - i;
		memmove(buf + out, buf + i, n);
		i += n;
		out += n;
		c->left -= n;
		c->total += n;
		if (c->left == 0)
			c->state = DATA_CR;
	}
	*ret_len = out;
	*ret_used = i;
	return c->state == FAILED ? -1 : c->state == ENDED;
}
