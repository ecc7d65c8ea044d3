/* The checker of JSON, beside another one that works in another way. */
#include "jsoncheck.h"

#include "rfc8259.h"
#include "unit.h"

static struct json_check_result result;

static int
check(const char *text, size_t len)
{
	memset(&result, 'x', sizeof(result));
	return json_check(guarded(text, len), len, &result);
}

static const char *const good[] = { "0", "-0", "1", "-1", "9", "10", "123",
	"-123", "0.0", "-0.5", "1.5", "10.25", "1e1", "1E1", "1e+1", "1e-1",
	"0e0", "0E+0", "-0e-0", "1.5e300", "1e999", "123456789012345678901234",
	"true", "false", "null", "\"\"", "\"a\"", "\" \"", "\"\\\"\"",
	"\"\\\\\"", "\"\\/\"", "\"/\"", "\"\\b\\f\\n\\r\\t\"", "\"\\u0001\"",
	"\"\\u001f\"", "\"\\u0020\"", "\"\\u00e9\"", "\"\\u00E9\"",
	"\"\\uFFFF\"", "\"\\ud7ff\"", "\"\\ue000\"", "\"\\ud800\\udc00\"",
	"\"\\uD83D\\uDE00\"", "\"\\uDBFF\\uDFFF\"",
	"\"\\ud834\\udd1e\\ud834"
	"\\udd1e\"",
	"\"\\\\u0000\"", "\"\\\\ud800\"", "\"\xc2\x80\"", "\"\xdf\xbf\"",
	"\"\xe0\xa0\x80\"", "\"\xed\x9f\xbf\"", "\"\xee\x80\x80\"",
	"\"\xef\xbb\xbf\"", "\"\xef\xbf\xbf\"", "\"\xf0\x90\x80\x80\"",
	"\"\xf4\x8f\xbf\xbf\"", "\"\xe2\x80\xa8\"", "\"\x7f\"", "[]", "{}",
	"[ ]", "{ }", "[[]]", "[{}]", "{\"a\":[]}", "[1]", "[1,2]", "[1 , 2]",
	"[[],[]]", "[[[]],{}]", "[\"\",\"\"]", "[true,false,null]",
	"[1,\"a\",{},[],null]", "{\"a\":1}", "{\"\":1}", "{\"a\":1,\"b\":2}",
	"{ \"a\" : 1 , \"b\" : 2 }", "{\"a\":{\"a\":1}}", "{\"a\":1,\"a\":1}",
	"{\"\\u0061\":{}}", "[{\"a\":[{\"b\":[]}]}]", " 1", "1 ", "\t1",
	"\n1\n", "\r1\r", " \t\r\n1 \t\r\n", "\n[\n]\n", "[\n1\n,\n2\n]",
	"[1]\n", "{\"a\"\n:\n1}", "[-1]", "[0]", "[1e1]", "[0.1,-0.1]",
	"[\"]\"]", "[\"}\",\"{\",\"[\"]", "[\"//\"]", "[\"/**/\"]",
	"{\"a\":\"b\\\"c\"}", "[\"\xf0\x9f\x90\x9d\"]" };

static const char *const bad[] = { "", " ", "\n", "\t \r", ",", ":", "]", "}",
	"[", "{", "[[", "[{", "{\"a\":[", "[1", "[1,", "[1,]", "[,]", "[,1]",
	"[1,,2]", "[1,2,]", "[1 2]", "[1;2]", "[1:2]", "[1}", "{1]", "[]]",
	"[][]", "[],", "[]]", "{}}", "{}{}", "{},", "{]", "[}", "[\"a\"",
	"[\"a", "[\"a]", "[\"a\"1]", "[\"a\" \"b\"]", "[true false]", "{\"a\"}",
	"{\"a\":}", "{\"a\" 1}", "{\"a\"::1}", "{\"a\",1}", "{\"a\":1,}",
	"{,\"a\":1}", "{\"a\":1,,\"b\":2}", "{\"a\":1 \"b\":2}", "{\"a\":1;}",
	"{\"a\":1", "{\"a\":", "{\"a\"", "{\"a", "{a:1}", "{1:1}", "{null:1}",
	"{true:1}", "{[]:1}", "{{}:1}", "{'a':1}", "{\"a\":1:2}", "{\"a\":'b'}",
	"{:1}", "{\"a\":b}", "[a]", "a", "'a'", "`a`", "tru", "truee", "True",
	"TRUE", "t", "fals", "falsy", "nul", "nulll", "Null", "nil",
	"undefined", "NaN", "-NaN", "Infinity", "-Infinity", "inf", "true1",
	"1true", "[nu]", "[tru]", "01", "00", "-01", "-00", "1.", "-1.", ".1",
	"-.1", ".", "1..1", "1.1.1", "1e", "1e+", "1e-", "1E", "e1", "1e1e1",
	"1e1.5", "1.e1", "1e", "0e", "0.e1", "+1", "++1", "--1", "-", "- 1",
	"-a", "1a", "1-", "1+1", "0x10", "0b1", "0o7", "1_000", "1,000",
	"1 000", "\xc2\xb9", "\xef\xbc\x91", "1L", "1f", "\"", "\"a", "a\"",
	"\"\"\"", "\"a\"b", "\"a\" \"b\"", "\"\\\"", "\"\\", "\"\\a\"",
	"\"\\v\"", "\"\\x41\"", "\"\\0\"", "\"\\'\"", "\"\\ \"", "\"\\\n\"",
	"\"\\U0041\"", "\"\\u\"", "\"\\u0\"", "\"\\u00\"", "\"\\u004\"",
	"\"\\u004g\"", "\"\\u 041\"", "\"\\u+041\"", "\"\\u-041\"", "\"\\u",
	"\"\\u0041", "\"\\uD800\"", "\"\\uDBFF\"", "\"\\uDC00\"", "\"\\uDFFF\"",
	"\"\\uD800a\"", "\"\\uD800\\n\"", "\"\\uD800\\u0041\"",
	"\"\\uD800\\uD800\"", "\"\\uD800\\uE000\"", "\"\\uDC00\\uD800\"",
	"\"\\uD800\\u\"", "\"\\uD800\\uDC0\"", "\"\\uD800\\",
	"\"\\uD800\\uDC00\\uDC00\"", "\"\\uD800\xed\xb0\x80\"", "\"\n\"",
	"\"\t\"", "\"\r\"", "\"\x01\"", "\"\x1f\"", "\"a\nb\"", "\"\x80\"",
	"\"\xbf\"", "\"\xc0\x80\"", "\"\xc1\xbf\"", "\"\xe0\x80\x80\"",
	"\"\xe0\x9f\xbf\"", "\"\xf0\x8f\xbf\xbf\"", "\"\xed\xa0\x80\"",
	"\"\xed\xbf\xbf\"", "\"\xed\xa0\x80\xed\xb0\x80\"",
	"\"\xf4\x90\x80\x80\"", "\"\xf5\x80\x80\x80\"",
	"\"\xf8\x88\x80\x80\x80\"", "\"\xfe\"", "\"\xff\"", "\"\xc3\"",
	"\"\xe2\x82\"", "\"\xf0\x9f\x90\"", "\"\xc3(\"", "\"\xe2(\xa1\"",
	"\"\xc3", "\"\\\xc3\xa9\"", "\"\\u00\xc3\xa9\"", "{\"\xff\":1}",
	"{\"\n\":1}", "{\"\\uD800\":1}", "\xef\xbb\xbf{}", "\xef\xbb\xbf",
	"\xff\xfe[", "\xfe\xff", "\xc2\xa0[]", "[]\xc2\xa0", "\xe2\x80\xa8[]",
	"\v1", "1\v", "\f[]", "[\f]", "[]\x01", "//a\n1", "1//a", "/**/1",
	"[1/**/]", "#a\n1", "[1]#", "<a>", "(1)", "[1)", "*", "&", "@",
	"\\u0031", "[\\n]", "{\"a\":1}x", "[]x", "1 x", "1 2", "1,", "null,",
	"\"a\",", "\"a\":1", "{}[]", "=1", "a=1", "{\"a\"=1}", "{\"a\"=>1}",
	"[...]", "[1,...]", "{\"a\":1,\"b\"}", "\x7f" };

static void
accepted(void)
{
	for (size_t i = 0; i < LENGTH(good); i++) {
		size_t len = strlen(good[i]);

		expect_number(rfc8259_valid(good[i], len), 1, good[i]);
		expect_number(check(good[i], len), 0, good[i]);
	}
}

static void
refused(void)
{
	for (size_t i = 0; i < LENGTH(bad); i++) {
		size_t len = strlen(bad[i]);

		expect_number(rfc8259_valid(bad[i], len), 0, bad[i]);
		expect_number(check(bad[i], len), -1, bad[i]);
		expect_text(result.code, "invalid_json", bad[i]);
		HOLDS(result.at <= len && *result.why != '\0');
	}
}

/* In every place of a value that is good elsewhere. */
static void
zero_bytes(void)
{
	static const char text[] = "{\"a\":[1,true,\"b\\n\"]} ";

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char copy[sizeof(text)];

		memcpy(copy, text, sizeof(text));
		HOLDS(check(copy, sizeof(text) - 1) == 0);
		copy[i] = '\0';
		HOLDS(check(copy, sizeof(text) - 1) == -1);
	}
	HOLDS(check("1\0", 2) == -1 && result.at == 1);
	HOLDS(check("\0", 1) == -1);
}

/* Nothing that was cut off is whole; no byte more can be read. */
static void
beginnings(void)
{
	static const char text[] =
	    "{\"a\\u00e9\":[-1.5e+3,true,null,\"\\ud834\\udd1e\xe2\x82\xac\"]}";

	for (size_t n = 0; n < sizeof(text) - 1; n++)
		HOLDS(check(text, n) == -1 && result.at <= n);
	HOLDS(check(text, sizeof(text) - 1) == 0);
}

static void
escaped_zero(void)
{
	static const char *const texts[] = { "\"\\u0000\"", "\"a\\u0000b\"",
		"[\"\\u0000\"]", "{\"a\":\"x\\u0000\"}", "{\"\\u0000\":1}",
		"{\"a\\u0000b\":1}" };

	for (size_t i = 0; i < LENGTH(texts); i++) {
		expect_number(check(texts[i], strlen(texts[i])), -1, texts[i]);
		expect_text(result.code, "nul", texts[i]);
		expect_number((int64_t)result.at,
		    strstr(texts[i], "\\u") - texts[i], texts[i]);
	}
}

static void
places(void)
{
	static const struct {
		const char *text;
		size_t at;
		const char *why;
	} tries[] = {
		{ "", 0, "a value is missing" },
		{ "[1,]", 3, "a value is missing" },
		{ "[1 2]", 3, "a comma or ] is missing" },
		{ "{\"a\":1", 6, "a comma or } is missing" },
		{ "{\"a\" 1}", 5, "a colon is missing" },
		{ "{a", 1, "a name in quotes is missing" },
		{ "{} {}", 3, "something follows the value" },
		{ "[\"a\xff\"]", 3, "not UTF-8" },
		{ "\"\\ud800\"", 1, "half of a surrogate pair" },
		{ "\"\\ud800\\u00\"", 11, "four hexadecimal digits" },
		{ "\"\\x\"", 2, "no such escape" },
		{ "\"ab", 3, "ends within a string" },
		{ "[\"\n\"]", 2, "a control character" },
		{ "[-]", 2, "a digit is missing" },
		{ "[012]", 2, "a number begins with 0" },
	};

	for (size_t i = 0; i < LENGTH(tries); i++) {
		HOLDS(check(tries[i].text, strlen(tries[i].text)) == -1);
		expect_number(
		    (int64_t)result.at, (int64_t)tries[i].at, tries[i].text);
		expect_has(result.why, tries[i].why, tries[i].text);
	}
}

static char text[JSON_SIZE_MAX + 2];

/* n times open, the middle, n times close. */
static int
check_nested(size_t n, const char *open, const char *middle, const char *close)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += (size_t)sprintf(text + len, "%s", open);
	len += (size_t)sprintf(text + len, "%s", middle);
	for (size_t i = 0; i < n; i++)
		len += (size_t)sprintf(text + len, "%s", close);
	return check(text, len);
}

static void
depth(void)
{
	HOLDS(check_nested(JSON_DEPTH_MAX, "[", "", "]") == 0);
	HOLDS(check_nested(JSON_DEPTH_MAX, "[", "1", "]") == 0);
	HOLDS(check_nested(JSON_DEPTH_MAX, "{\"a\":", "1", "}") == 0);
	HOLDS(check_nested(JSON_DEPTH_MAX, "[[],", "1", ",{}]") == -1);
	HOLDS(check_nested(JSON_DEPTH_MAX - 1, "[[],", "1", ",{}]") == 0);
	HOLDS(check_nested(JSON_DEPTH_MAX + 1, "[", "", "]") == -1);
	expect_text(result.code, "too_deep", "17 arrays");
	HOLDS(result.at == JSON_DEPTH_MAX);
	HOLDS(check_nested(JSON_DEPTH_MAX + 1, "{\"a\":", "1", "}") == -1);
	expect_text(result.code, "too_deep", "17 objects");
	HOLDS(check_nested(1000000, "[", "", "") == -1);
	HOLDS(check_nested(500000, "[", "", "]") == -1);
	HOLDS(check_nested(500000, "{\"\":", "", "") == -1);
	expect_text(result.code, "too_deep", "500000 objects");
}

static void
tokens(void)
{
	static const struct {
		const char *text;
		size_t count;
	} tries[] = { { "1", 1 }, { "\"a\"", 1 }, { "[]", 1 }, { "[[],[]]", 3 },
		{ "{}", 1 }, { "{\"a\":1}", 3 },
		{ "{\"a\":[1,2],\"b\":{\"c\":null}}", 9 } };

	for (size_t i = 0; i < LENGTH(tries); i++) {
		HOLDS(check(tries[i].text, strlen(tries[i].text)) == 0);
		expect_number((int64_t)result.tokens, (int64_t)tries[i].count,
		    tries[i].text);
	}
	for (size_t n = JSON_TOKENS_MAX - 1; n <= JSON_TOKENS_MAX; n++) {
		*text = '[';
		for (size_t i = 0; i < n; i++)
			memcpy(text + 1 + 2 * i, "1,", 2);
		text[2 * n] = ']';
		HOLDS(check(text, 2 * n + 1) == (n < JSON_TOKENS_MAX ? 0 : -1));
	}
	expect_text(result.code, "too_many_tokens", "limit + 1");
}

static void
size(void)
{
	memset(text, 'a', sizeof(text));
	text[0] = text[JSON_SIZE_MAX - 1] = '"';
	HOLDS(check(text, JSON_SIZE_MAX) == 0);
	text[JSON_SIZE_MAX - 1] = 'a';
	text[JSON_SIZE_MAX] = '"';
	HOLDS(check(text, JSON_SIZE_MAX + 1) == -1);
	expect_text(result.code, "invalid_json", "too large");
}

/* Changes of one byte: both checkers say the same. */
static void
changed_bytes(void)
{
	static const char whole[] = "{\"a\\n\":[1.5,-2e3,true],\"\\u00e9\":"
				    "{\"b\":null,\"\xc3\xa9\":[\"\"]}}";
	char copy[sizeof(whole)];

	for (size_t i = 0; i < sizeof(whole) - 1; i++) {
		for (int ch = 0; ch < 256 && !failed; ch++) {
			memcpy(copy, whole, sizeof(whole));
			copy[i] = (char)ch;
			int r = json_check(copy, sizeof(whole) - 1, &result);

			if (r != 0 && strcmp(result.code, "nul") == 0)
				continue;
			expect_number(rfc8259_valid(copy, sizeof(whole) - 1),
			    r == 0, copy);
		}
	}
}

static const struct testcase cases[] = {
	{ "what the grammar allows is accepted", accepted },
	{ "what the grammar does not allow is refused", refused },
	{ "a zero byte stands nowhere", zero_bytes },
	{ "no beginning of a value is a value", beginnings },
	{ "U+0000 is refused in every string", escaped_zero },
	{ "the byte is named, and what is wrong with it", places },
	{ "16 levels and not one more", depth },
	{ "20000 tokens and not one more", tokens },
	{ "4194304 bytes and not one more", size },
	{ "another checker comes to the same result", changed_bytes },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
