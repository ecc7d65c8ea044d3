/* What the writer makes is JSON, by a checker that shares nothing with it. */
#include "json.h"

#include "rfc8259.h"
#include "unit.h"

static struct json json;

/* Finishes; the text must be JSON, and exactly wanted plus a newline. */
static void
expect_json(const char *wanted)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "%s\n", wanted);
	HOLDS(json_finish(&json) == 0);
	HOLDS(rfc8259_valid(json.data, json.len));
	HOLDS(
	    json.len == strlen(text) && memcmp(json.data, text, json.len) == 0);
	if (failed)
		printf(
		    "\t'%.*s', not '%s'\n", (int)json.len, json.data, wanted);
	json_free(&json);
	json_init(&json);
}

/* The bytes, which end at a guard page, become the JSON string wanted. */
static void
expect_string(const char *data, size_t len, const char *wanted)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "\"%s\"", wanted);
	json_bytes(&json, NULL, guarded(data, len), len);
	expect_json(text);
}

static void
checker(void)
{
	static const char *const good[] = { "0", "-0", "-1.5e+3", "1E9", "[]",
		"{}", " [ 1 , \"a\" ] ", "{\"a\":{\"b\":[null,true,false]}}",
		"\"\\u0000\\n\\/\"", "\"\xc3\xa9\"", "\"\xf4\x8f\xbf\xbf\"",
		"\"\x7f\"", "\"\\ud800\\udc00\"" };
	static const char *const bad[] = { "", " ", "01", "+1", "1.", ".1",
		"1e", "-", "[1,]", "[,1]", "[1 2]", "{\"a\":1,}", "{\"a\" 1}",
		"{a:1}", "{1:1}", "nul", "True", "\"", "\"\\x\"", "\"\\u12\"",
		"\"\n\"", "\"\x1f\"", "1 1", "[", "]", "{]", "\"\x80\"",
		"\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
		"\"\xe2\x82\"", "\"\\ud800\"", "\"\\udc00\"", "'a'", "\v1" };

	for (size_t i = 0; i < LENGTH(good); i++)
		expect_number(
		    rfc8259_valid(good[i], strlen(good[i])), 1, good[i]);
	for (size_t i = 0; i < LENGTH(bad); i++)
		expect_number(rfc8259_valid(bad[i], strlen(bad[i])), 0, bad[i]);
	HOLDS(!rfc8259_valid("1\0", 2));
}

static void
empty_scopes(void)
{
	json_object(&json, NULL);
	expect_json("{}");
	json_array(&json, NULL);
	json_end(&json);
	expect_json("[]");
	json_array(&json, NULL);
	json_array(&json, NULL);
	json_end(&json);
	json_object(&json, NULL);
	json_end(&json);
	json_array(&json, NULL);
	expect_json("[[],{},[]]");
}

static void
commas(void)
{
	json_object(&json, NULL);
	json_number(&json, "a", 1);
	json_object(&json, "b");
	json_end(&json);
	json_array(&json, "c");
	json_null(&json, NULL);
	json_object(&json, NULL);
	json_bool(&json, "d", true);
	json_bool(&json, "e", false);
	json_end(&json);
	json_text(&json, NULL, "f");
	json_end(&json);
	json_text(&json, "", "");
	json_null(&json, "g\"");
	expect_json("{\"a\":1,\"b\":{},\"c\":[null,{\"d\":true,\"e\":false},"
		    "\"f\"],\"\":\"\",\"g\\\"\":null}");
}

static void
nesting(void)
{
	char whole[2 * JSON_LEVELS_MAX + 1] = "";

	memset(whole, '[', JSON_LEVELS_MAX);
	memset(whole + JSON_LEVELS_MAX, ']', JSON_LEVELS_MAX);
	for (int i = 0; i < JSON_LEVELS_MAX; i++)
		json_array(&json, NULL);
	expect_json(whole);
	for (int i = 0; i < JSON_LEVELS_MAX + 1; i++)
		json_object(&json, i == 0 ? NULL : "a");
	json_null(&json, "b");
	HOLDS(json_finish(&json) == -1);
	json_free(&json);
	json_init(&json);
	json_null(&json, NULL);
	json_end(&json);
	expect_json("null");
}

static void
numbers(void)
{
	json_array(&json, NULL);
	json_number(&json, NULL, 0);
	json_number(&json, NULL, -1);
	json_number(&json, NULL, INT64_MAX);
	json_number(&json, NULL, INT64_MIN);
	expect_json("[0,-1,9223372036854775807,-9223372036854775808]");
}

static void
escapes(void)
{
	char wanted[16];

	for (char c = 0; c < 0x20; c++) {
		const char *named = c == '\n'	? "\\n"
				    : c == '\r' ? "\\r"
				    : c == '\t' ? "\\t"
						: NULL;

		(void)snprintf(wanted, sizeof(wanted), "\\u%04x", c);
		expect_string(&c, 1, named != NULL ? named : wanted);
	}
	for (char c = 0x20; c < 0x7f; c++) {
		(void)snprintf(wanted, sizeof(wanted),
		    strchr("<>&", c) != NULL ? "\\u%04x"
		    : c == '"' || c == '\\'  ? "\\%c"
					     : "%c",
		    c);
		expect_string(&c, 1, wanted);
	}
	expect_string("\x7f", 1, "\\u007f");
	expect_string("\xe2\x80\xa8\xe2\x80\xa9", 6, "\\u2028\\u2029");
	expect_string(
	    "\xe2\x80\xa7\xe2\x80\xaa", 6, "\xe2\x80\xa7\xe2\x80\xaa");
	expect_string(
	    "a\0b\"c\\d</e>", 11, "a\\u0000b\\\"c\\\\d\\u003c/e\\u003e");
}

static void
valid_utf8(void)
{
	static const char *const texts[] = { "\xc2\x80", "\xdf\xbf",
		"\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd",
		"\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
		"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9dz" };

	for (size_t i = 0; i < LENGTH(texts); i++) {
		expect_string(texts[i], strlen(texts[i]), texts[i]);
		HOLDS(json_is_utf8(texts[i], strlen(texts[i])));
	}
	HOLDS(json_utf8("\xf0\x9f\x90\x9d", 4) == 4);
	HOLDS(json_utf8("", 0) == 0);
	HOLDS(json_is_utf8("", 0));
	HOLDS(json_is_utf8(NULL, 0));
	HOLDS(json_is_utf8("\0", 1));
}

#define R "\xef\xbf\xbd"

static void
invalid_utf8(void)
{
	static const struct {
		const char *data, *wanted;
	} tries[] = {
		{ "\x80", R },
		{ "\xbf", R }, /* continuation */
		{ "a\x80\xbf"
		  "b",
		    "a" R R "b" },
		{ "\xc0\x80", R R },
		{ "\xc1\xbf", R R }, /* overlong */
		{ "\xe0\x80\x80", R R R },
		{ "\xe0\x9f\xbf", R R R },
		{ "\xf0\x80\x80\x80", R R R R },
		{ "\xf0\x8f\xbf\xbf", R R R R },
		{ "\xed\xa0\x80", R R R },
		{ "\xed\xbf\xbf", R R R },
		{ "\xf4\x90\x80\x80", R R R R }, /* too high */
		{ "\xf5\x80\x80\x80", R R R R },
		{ "\xf8\x88\x80\x80\x80", R R R R R },
		{ "\xfe", R },
		{ "\xff", R },
		{ "\xc3", R },
		{ "\xe2\x82", R R }, /* cut off */
		{ "\xf0\x9f\x90", R R R },
		{ "x\xf0", "x" R },
		{ "\xc3(", R "(" },
		{ "\xe2(\xa1", R "(" R },
		{ "\xe2\x82(", R R "(" },
		{ "\xf0(\x8c\xbc", R "(" R R },
		{ "\xc3\xc3\xa9", R "\xc3\xa9" },
		{ "\xe2\x80\xe2\x80\xa8", R R "\\u2028" },
		{ "\xf0\"", R "\\\"" },
	};

	for (size_t i = 0; i < LENGTH(tries); i++) {
		size_t len = strlen(tries[i].data);

		expect_string(tries[i].data, len, tries[i].wanted);
		HOLDS(!json_is_utf8(guarded(tries[i].data, len), len));
	}
}

/* Every sequence of three bytes from those where the rules change. */
static void
all_borders(void)
{
	static const unsigned char edges[] = { 0, 0x1f, '"', '\\', 0x7f, 0x80,
		0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0,
		0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5,
		0xf8, 0xff };
	const size_t n = LENGTH(edges);
	char *data = guarded("abcd", 4);

	for (size_t i = 0; i < n * n * n * 2 && !failed; i++) {
		size_t left = i;

		for (size_t j = 0; j < 3; j++, left /= n)
			data[j] = (char)edges[left % n];
		data[3] = (char)(left == 0 ? 'z' : 0x80);
		json_bytes(&json, NULL, data, 4);
		HOLDS(json_finish(&json) == 0);
		HOLDS(rfc8259_valid(json.data, json.len));
		HOLDS(json_is_utf8(data, 4) == rfc3629_valid(data, 4));
		json_free(&json);
		json_init(&json);
	}
}

static void
base64(void)
{
	static const char *const pairs[][2] = { { "", "" }, { "f", "Zg==" },
		{ "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xff\xff\xff", "////" }, { "\xfb\xef\xbe", "++++" },
		{ "\xff", "/w==" }, { "\xff\xff", "//8=" } };
	char text[40];

	for (size_t i = 0; i < LENGTH(pairs); i++) {
		size_t len = strlen(pairs[i][0]);

		(void)snprintf(text, sizeof(text), "\"%s\"", pairs[i][1]);
		json_base64(&json, NULL, guarded(pairs[i][0], len), len);
		expect_json(text);
	}
	json_base64(&json, NULL, "\0\0\0\0", 4);
	expect_json("\"AAAAAA==\"");
}

/* What a stream is of which nothing was kept. */
static void
nothing(void)
{
	json_object(&json, NULL);
	json_bytes(&json, "a", NULL, 0);
	json_base64(&json, "b", NULL, 0);
	expect_json("{\"a\":\"\",\"b\":\"\"}");
}

/* Each length once moves the end of memory to another place. */
static void
growth(void)
{
	static char data[5000];

	memset(data, '\x01', sizeof(data));
	for (size_t len = 150; len < sizeof(data); len += 97) {
		json_array(&json, NULL);
		json_bytes(&json, NULL, data, len);
		json_base64(&json, NULL, data, len);
		HOLDS(json_finish(&json) == 0);
		HOLDS(json.len == 8 + 6 * len + (len + 2) / 3 * 4);
		HOLDS(rfc8259_valid(json.data, json.len));
		json_free(&json);
		json_init(&json);
	}
}

static const struct testcase cases[] = {
	{ "the checker of this test knows JSON", checker },
	{ "scopes may be empty and are ended", empty_scopes },
	{ "commas stand between, and only there", commas },
	{ "nesting has a limit that is told", nesting },
	{ "numbers are whole", numbers },
	{ "what JSON or a page trips over is escaped", escapes },
	{ "valid UTF-8 stays as it is", valid_utf8 },
	{ "each byte that is not UTF-8 becomes U+FFFD", invalid_utf8 },
	{ "no bytes make what is not JSON", all_borders },
	{ "base64 is that of RFC 4648", base64 },
	{ "no bytes at all are an empty string", nothing },
	{ "memory grows where it has to", growth },
};

int
main(void)
{
	json_init(&json);
	return cases_run(cases, LENGTH(cases));
}
