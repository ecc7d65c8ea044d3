/* The decoder of base64: one text for each sequence of bytes, no other. */
#include "base64.h"

#include "json.h"
#include "unit.h"

static void
decoded(const char *text, const char *wanted)
{
	size_t len = strlen(text), size = 99;
	char *copy = guarded(text, len);

	expect_number(base64_decode(copy, len, &size), 0, text);
	expect_number((int64_t)size, (int64_t)strlen(wanted), text);
	HOLDS(size == strlen(wanted) && memcmp(copy, wanted, size) == 0);
}

static void
refused(const char *text, size_t len)
{
	char *copy = guarded(text, len);
	size_t size = 99;

	expect_number(base64_decode(copy, len, &size), -1, text);
	HOLDS(size == 99);
	HOLDS(memcmp(copy, text, len) == 0);
}

static void
examples(void)
{
	static const char *const pairs[][2] = { { "", "" }, { "Zg==", "f" },
		{ "Zm8=", "fo" }, { "Zm9v", "foo" }, { "Zm9vYg==", "foob" },
		{ "Zm9vYmE=", "fooba" }, { "Zm9vYmFy", "foobar" },
		{ "////", "\xff\xff\xff" }, { "++++", "\xfb\xef\xbe" },
		{ "/w==", "\xff" }, { "//8=", "\xff\xff" },
		{ "TWFueSBoYW5kcw==", "Many hands" } };

	for (size_t i = 0; i < LENGTH(pairs); i++)
		decoded(pairs[i][0], pairs[i][1]);
}

static void
padding(void)
{
	static const char *const bad[] = { "=", "==", "===", "====", "Z", "Zg",
		"Zg=", "Zg===", "Z===", "Z=g=", "=Zg=", "Zm9v=", "Zm9v==",
		"Zm9v===", "Zm9v====", "Zm8", "Zm=8",
		"Zg==Zg==", "Zm8=Zm8=", "Zg==Zm9v", "A===", "AA=A", "Zm9vY",
		"Zm9vYg", "Zm9vYmE" };

	for (size_t i = 0; i < LENGTH(bad); i++)
		refused(bad[i], strlen(bad[i]));
}

static void
spare_bits(void)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < 64; i++) {
		char two[] = { 'A', digits[i], '=', '=' };
		char three[] = { 'A', 'A', digits[i], '=' };
		size_t size;

		HOLDS(base64_decode(guarded(two, 4), 4, &size) ==
		      (i % 16 == 0 ? 0 : -1));
		HOLDS(base64_decode(guarded(three, 4), 4, &size) ==
		      (i % 4 == 0 ? 0 : -1));
	}
}

/* Every byte at every place of a group. */
static void
alphabet(void)
{
	for (int ch = 0; ch < 256; ch++) {
		bool digit = (ch >= 'A' && ch <= 'Z') ||
			     (ch >= 'a' && ch <= 'z') ||
			     (ch >= '0' && ch <= '9') || ch == '+' || ch == '/';

		for (size_t at = 0; at < 4; at++) {
			char text[] = "AAAA", *copy;
			size_t size;

			text[at] = (char)ch;
			copy = guarded(text, 4);
			if (ch != '=' || at < 3)
				expect_number(base64_decode(copy, 4, &size),
				    digit ? 0 : -1, text);
		}
	}
	refused("Zm9v\n", 5);
	refused("Zm9vYmFy\r\n", 10);
	refused(" Zm9v", 5);
	refused("Zm 9v", 5);
	refused("Zm9\0", 4);
	refused("Zm9-", 4);
	refused("Zm9_", 4);
	refused("Zm8=\0\0\0\0", 8);
}

/* What the writer makes comes back. */
static void
round_trip(void)
{
	char data[256];
	struct json j;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 151 + 7);
	for (size_t len = 0; len <= sizeof(data); len++) {
		size_t size = 0;

		json_init(&j);
		json_base64(&j, NULL, data, len);
		HOLDS(json_finish(&j) == 0);
		/* Between the quotes. */
		HOLDS(base64_decode(j.data + 1, j.len - 3, &size) == 0);
		HOLDS(size == len && memcmp(j.data + 1, data, len) == 0);
		json_free(&j);
	}
}

static const struct testcase cases[] = {
	{ "the examples of the RFC are decoded", examples },
	{ "padding has to be there, once and at the end", padding },
	{ "bits that stand for nothing are zero", spare_bits },
	{ "no other character is let through", alphabet },
	{ "what was encoded is decoded", round_trip },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
