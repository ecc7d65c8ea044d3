/* The chunked coding, whole and in pieces of any size. */
#include "chunk.h"

#include "unit.h"

#define BODY_MAX 1000

static struct chunk chunk;
static char body[70000];
static size_t body_len, used;

/* Decodes pieces of so many bytes each, each before a guard page. */
static int
feed(const char *text, size_t len, size_t piece, uint64_t max)
{
	size_t at = 0, n, out, in;
	int r = 0;

	chunk_init(&chunk, max);
	body_len = 0;
	while (r == 0 && at < len) {
		char *copy;

		n = len - at < piece ? len - at : piece;
		copy = guarded(text + at, n);
		r = chunk_decode(&chunk, copy, n, &out, &in);
		HOLDS(in <= n && out <= in);
		HOLDS(r != 0 || in == n);
		HOLDS(body_len + out <= sizeof(body));
		memcpy(body + body_len, copy, out);
		body_len += out;
		at += in;
	}
	used = at;
	return r;
}

static const struct good {
	const char *text, *body;
} good[] = {
	{ "0\r\n\r\n", "" },
	{ "00000000\r\n\r\n", "" },
	{ "5\r\nhello\r\n0\r\n\r\n", "hello" },
	{ "00000005\r\nhello\r\n0\r\n\r\n", "hello" },
	{ "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n", "abc" },
	{ "a\r\n0123456789\r\n0\r\n\r\n", "0123456789" },
	{ "A\r\n0123456789\r\n0\r\n\r\n", "0123456789" },
	{ "F\r\n0123456789abcde\r\n0\r\n\r\n", "0123456789abcde" },
	{ "f\r\n0123456789abcde\r\n0\r\n\r\n", "0123456789abcde" },
	{ "1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n",
	    "abcdefghijklmnopqrstuvwxyz" },
	{ "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n" },
	{ "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n" },
	{ "2;a\r\nhi\r\n0\r\n\r\n", "hi" },
	{ "2;a=b;c=\"d;e\"\r\nhi\r\n0;x\r\n\r\n", "hi" },
	{ "2;\r\nhi\r\n0\r\n\r\n", "hi" },
	{ "2; \t\x80\r\nhi\r\n0\r\n\r\n", "hi" },
	{ "2\r\nhi\r\n0\r\nA: b\r\n\r\n", "hi" },
	{ "2\r\nhi\r\n0\r\nA:\r\nContent-Length: 5\r\nB:\tx y\r\n\r\n", "hi" },
};

static void
accepted(void)
{
	for (size_t i = 0; i < LENGTH(good); i++) {
		const char *text = good[i].text;
		size_t len = strlen(text);

		for (size_t piece = 1; piece <= len && !failed; piece++) {
			expect_number(
			    feed(text, len, piece, BODY_MAX), 1, text);
			expect_number((int64_t)used, (int64_t)len, text);
			body[body_len] = '\0';
			expect_text(body, good[i].body, text);
		}
		/* No beginning of it is the whole. */
		for (size_t n = 0; n < len && !failed; n++)
			expect_number(feed(text, n, 7, BODY_MAX), 0, text);
	}
}

/* What is behind the end is not touched. */
static void
rest(void)
{
	static const char text[] = "2\r\nhi\r\n0\r\n\r\n2\r\nho\r\n0\r\n\r\n";

	HOLDS(feed(text, sizeof(text) - 1, 100, BODY_MAX) == 1);
	HOLDS(used == 12 && body_len == 2);
	HOLDS(feed(text, sizeof(text) - 1, 5, BODY_MAX) == 1);
	HOLDS(used == 12 && body_len == 2);
}

static const char *const bad[] = { "\r\n", "\n", ";", ";a\r\n", "g\r\n",
	"-1\r\n", "+1\r\n", " 1\r\n", "\t1\r\n", "0x1\r\n", "1 \r\n", "1\t\r\n",
	"1 ;a\r\n", "1_0\r\n", "1,1\r\n", "1.\r\n", "1h\r\n", "\x80", "\x01",
	"000000001\r\n", "100000000\r\n", "fffffffff\r\n", "5\n", "5\r5",
	"5\r\r", "5\rhello", "5\r\nhello0", "5\r\nhello\n", "5\r\nhello\r0",
	"5\r\nhello\r\r", "5\r\nhell\r\n0\r\n\r\n", "5\r\nhelloo\r\n0\r\n\r\n",
	"1\r\na\r\n\r\n", "1\r\na\r\n;\r\n", "1;a\n", "1;a\rb", "1;\x01",
	"1;\x7f", "1;a\r\r", "0\n", "0\r0", "0\r\n\n", "0\r\n\rx",
	"0\r\n:a\r\n", "0\r\nA\r\n", "0\r\nA b:\r\n", "0\r\nA :b\r\n",
	"0\r\n A: b\r\n", "0\r\nA: b\n", "0\r\nA: b\rc", "0\r\nA: b\r\n c\r\n",
	"0\r\nA: \x01", "0\r\nA: \x7f", "0\r\n(: b\r\n", "0\r\n\x80: b\r\n",
	"0\r\nA: b\r\n\n", "0\r\nA: b\r\n\rx", "5\r\nhello\r\n\r\n",
	"5\r\nhello\r\n-0\r\n" };

static void
refused(void)
{
	for (size_t i = 0; i < LENGTH(bad); i++) {
		size_t len = strlen(bad[i]), out, in;

		for (size_t piece = 1; piece <= len && !failed; piece++) {
			expect_number(
			    feed(bad[i], len, piece, BODY_MAX), -1, bad[i]);
			expect_number(chunk.status, 400, bad[i]);
			HOLDS(chunk.why != NULL && *chunk.why != '\0');
		}
		/* And stays so. */
		HOLDS(chunk_decode(
			  &chunk, guarded("0\r\n\r\n", 5), 5, &out, &in) == -1);
		HOLDS(out == 0 && in == 0);
	}
	/* A zero byte is nowhere part of a line. */
	HOLDS(feed("\0", 1, 1, BODY_MAX) == -1);
	HOLDS(feed("1\0", 2, 2, BODY_MAX) == -1);
	HOLDS(feed("1;\0", 3, 3, BODY_MAX) == -1);
	HOLDS(feed("0\r\n\0", 4, 4, BODY_MAX) == -1);
	HOLDS(feed("0\r\nA:\0", 6, 6, BODY_MAX) == -1);
	HOLDS(feed("1\r\n\0\r\n0\r\n\r\n", 11, 3, BODY_MAX) == 1);
	HOLDS(body_len == 1 && body[0] == '\0');
}

static void
sizes(void)
{
	HOLDS(feed("5\r\nhello\r\n0\r\n\r\n", 15, 4, 5) == 1);
	HOLDS(feed("5\r", 2, 4, 4) == -1 && chunk.status == 413);
	HOLDS(feed("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", 20, 9, 5) == 1);
	HOLDS(feed("2\r\nhe\r\n4\r", 9, 9, 5) == -1 && chunk.status == 413);
	HOLDS(body_len == 2);
	HOLDS(feed("0\r\n\r\n", 5, 5, 0) == 1);
	HOLDS(feed("1\r\n", 3, 5, 0) == -1 && chunk.status == 413);
	HOLDS(feed("ffffffff\r\n", 10, 9, 4294967295) == 0);
	HOLDS(feed("ffffffff\r\n", 10, 9, 4294967294) == -1);
	HOLDS(chunk.status == 413);
	HOLDS(feed("1\r\na\r\nffffffff\r\n", 16, 9, UINT64_MAX) == 0);
	HOLDS(feed("1\r\na\r\nffffffff\r\n", 16, 9, 4294967295) == -1);
}

/* before, so many times fill, behind. */
static int
feed_filled(const char *before, size_t n, const char *fill, const char *behind)
{
	size_t len = strlen(before), size = strlen(fill);
	static char text[70000];

	memcpy(text, before, len);
	for (; n > 0; n--, len += size)
		memcpy(text + len, fill, size);
	memcpy(text + len, behind, strlen(behind));
	return feed(text, len + strlen(behind), 1000, BODY_MAX * 10);
}

static void
extensions(void)
{
	const char *end = "\r\na\r\n0\r\n\r\n";

	HOLDS(feed_filled("1;", CHUNK_EXTENSION_MAX - 1, "x", end) == 1);
	HOLDS(feed_filled("1;", CHUNK_EXTENSION_MAX, "x", end) == -1);
	HOLDS(chunk.status == 400);
	HOLDS(feed_filled("1;", CHUNK_EXTENSION_MAX, "x", "") == -1);
	/* A body of one byte a chunk does not carry ever more of them. */
	HOLDS(feed_filled("", CHUNK_EXTENSIONS_MAX / 8, "1;xxxxxxx\r\na\r\n",
		  "0\r\n\r\n") == 1);
	HOLDS(feed_filled("", CHUNK_EXTENSIONS_MAX / 8, "1;xxxxxxx\r\na\r\n",
		  "0;") == -1);
	HOLDS(chunk.status == 400);
}

/* All lines and the empty one count, with their ends. */
static void
trailers(void)
{
	const size_t frame = strlen("A:\r\n\r\n");

	HOLDS(feed_filled(
		  "0\r\nA:", CHUNK_TRAILERS_MAX - frame, "x", "\r\n\r\n") == 1);
	HOLDS(feed_filled("0\r\nA:", CHUNK_TRAILERS_MAX - frame + 1, "x",
		  "\r\n\r\n") == -1);
	HOLDS(chunk.status == 431);
	HOLDS(feed_filled("0\r\nA:", CHUNK_TRAILERS_MAX, "x", "") == -1);
	HOLDS(feed_filled("0\r\n", CHUNK_TRAILERS_MAX + 1, "x", "") == -1);
	HOLDS(chunk.status == 431);
	HOLDS(feed_filled(
		  "0\r\n", CHUNK_TRAILERS_MAX / 4 - 1, "A:\r\n", "\r\n") == 1);
	HOLDS(feed_filled("0\r\n", CHUNK_TRAILERS_MAX / 4, "A:\r\n", "\r\n") ==
	      -1);
	HOLDS(chunk.status == 431);
}

static const struct testcase cases[] = {
	{ "a chunked body is decoded, however it is cut", accepted },
	{ "what follows the body is left alone", rest },
	{ "anything else is 400, and stays so", refused },
	{ "a body over the bound is 413 before it is read", sizes },
	{ "extensions are dropped, up to a bound each and of all", extensions },
	{ "trailers are dropped, up to a bound", trailers },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
