/* What is read from JSON, and the sentences where it is something else. */
#include "jsonread.h"

#include "jsoncheck.h"
#include "unit.h"

static struct json_doc doc;

static int
open_bytes(const char *text, size_t len)
{
	return json_open(&doc, guarded(text, len), len);
}

static int
open_text(const char *text)
{
	return open_bytes(text, strlen(text));
}

static void
types(void)
{
	static const enum json_type wanted[] = { JSON_OBJECT, JSON_ARRAY,
		JSON_STRING, JSON_NUMBER, JSON_NUMBER, JSON_BOOL, JSON_BOOL,
		JSON_NULL };
	struct json_node *v = NULL;
	size_t i = 0;

	HOLDS(open_text("[{},[],\"\",0,-1,true,false,null]") == 0);
	HOLDS(doc.nodes->type == JSON_ARRAY && doc.nodes->count == 8);
	while ((v = json_each(&doc, doc.nodes, v)) != NULL) {
		expect_number(v->type, wanted[i++], "type");
		HOLDS(json_name(&doc, v) == NULL);
		HOLDS(json_each(&doc, v, NULL) == NULL);
		for (int t = 0; t < JSON_KEY; t++)
			HOLDS(json_want(&doc, v, (enum json_type)t) ==
			      (v->type == (enum json_type)t ? 0 : -1));
	}
	HOLDS(i == 8);
}

/* A value that is all there is may end where the text ends. */
static void
alone(void)
{
	static const struct {
		const char *text;
		enum json_type type;
		const char *value;
		size_t at;
	} tries[] = {
		{ "1", JSON_NUMBER, "1", 0 },
		{ "-12", JSON_NUMBER, "-12", 0 },
		{ " 5\n", JSON_NUMBER, "5", 1 },
		{ "\r\n\t true", JSON_BOOL, "true", 4 },
		{ "null \t", JSON_NULL, "null", 0 },
		{ "\"\"", JSON_STRING, "", 0 },
		{ " \"a\\n\"", JSON_STRING, "a\n", 1 },
		{ "{}", JSON_OBJECT, "{}", 0 },
		{ "\t[]", JSON_ARRAY, "[]", 1 },
	};

	for (size_t i = 0; i < LENGTH(tries); i++) {
		HOLDS(open_text(tries[i].text) == 0);
		HOLDS(doc.count == 1 && doc.nodes->next == 1);
		HOLDS(doc.nodes->type == tries[i].type);
		HOLDS(doc.nodes->at == tries[i].at);
		HOLDS(doc.nodes->len == strlen(tries[i].value));
		HOLDS(memcmp(doc.nodes->text, tries[i].value, doc.nodes->len) ==
		      0);
		HOLDS(json_each(&doc, doc.nodes, NULL) == NULL);
		HOLDS(json_member(&doc, doc.nodes, "a") == NULL);
		json_close(&doc);
	}
}

static void
members(void)
{
	static const char *const names[] = { "a", "b", "c\n", "", "d" };
	static const char *const texts[] = { "1", "{\"a\":[2]}", "[3,[4]]",
		"{}", "5" };
	struct json_node *v = NULL;
	size_t i = 0;

	HOLDS(open_text(" {\"a\" : 1,\"b\":{\"a\":[2]}, \"\\u0063\\n\":"
			"[3,[4]],\"\":{}, \"d\" :5 } ") == 0);
	HOLDS(doc.nodes->count == LENGTH(names));
	for (; (v = json_each(&doc, doc.nodes, v)) != NULL; i++) {
		expect_text(json_name(&doc, v), names[i], "name");
		HOLDS(v->len == strlen(texts[i]));
		HOLDS(json_member(&doc, doc.nodes, names[i]) == v);
	}
	HOLDS(i == LENGTH(names));
	HOLDS(json_member(&doc, doc.nodes, "x") == NULL);
	v = json_member(&doc, doc.nodes, "c\n");
	HOLDS(v->count == 2 && json_each(&doc, v, NULL)->text[0] == '3');
	v = json_each(&doc, v, json_each(&doc, v, NULL));
	HOLDS(v->type == JSON_ARRAY && v->count == 1);
	HOLDS(json_each(&doc, v, NULL)->text[0] == '4');
	HOLDS(json_each(&doc, v, json_each(&doc, v, NULL)) == NULL);
}

static void
strings(void)
{
	static const char *const pairs[][2] = { { "", "" }, { "a", "a" },
		{ "a b", "a b" }, { "\\\"\\\\\\/", "\"\\/" },
		{ "\\b\\f\\n\\r\\t", "\b\f\n\r\t" }, { "x\\ny", "x\ny" },
		{ "\\u0001", "\x01" }, { "\\u0041\\u007f", "A\x7f" },
		{ "\\u0080", "\xc2\x80" }, { "\\u07ff", "\xdf\xbf" },
		{ "\\u0800", "\xe0\xa0\x80" }, { "\\uD7FF", "\xed\x9f\xbf" },
		{ "\\ue000", "\xee\x80\x80" }, { "\\uffff", "\xef\xbf\xbf" },
		{ "\\ud800\\udc00", "\xf0\x90\x80\x80" },
		{ "\\uDBFF\\uDFFF", "\xf4\x8f\xbf\xbf" },
		{ "\\ud83d\\udc1d!", "\xf0\x9f\x90\x9d!" },
		{ "\xf0\x9f\x90\x9d\\n", "\xf0\x9f\x90\x9d\n" },
		{ "\\\\n", "\\n" }, { "\\\\\\\\", "\\\\" },
		{ "\\\\u0041", "\\u0041" }, { "\\u005c\\u006e", "\\n" },
		{ "a\\u00e9b\\u20acc", "a\xc3\xa9"
				       "b\xe2\x82\xac"
				       "c" } };
	char text[100], *found;

	for (size_t i = 0; i < LENGTH(pairs); i++) {
		(void)snprintf(text, sizeof(text), "{\"%s\":\"%s\"}",
		    pairs[i][0], pairs[i][0]);
		HOLDS(open_text(text) == 0);
		HOLDS(json_read_text(&doc, &doc.nodes[2], &found) == 0);
		expect_text(found, pairs[i][1], pairs[i][0]);
		HOLDS(doc.nodes[2].len == strlen(found));
		expect_text(
		    json_name(&doc, &doc.nodes[2]), pairs[i][1], pairs[i][0]);
		json_close(&doc);
		(void)snprintf(text, sizeof(text), "\"%s\"", pairs[i][0]);
		HOLDS(open_text(text) == 0);
		expect_text(doc.nodes->text, pairs[i][1], pairs[i][0]);
		json_close(&doc);
	}
}

static void
duplicates(void)
{
	static const struct {
		const char *text, *why;
	} tries[] = {
		{ "{\"a\":1,\"a\":1}", "byte 7: the name 'a' is there twice" },
		{ "{\"a\":1,\"b\":2,\"a\":3}", "byte 13: the name 'a'" },
		{ "{\"a\":1,\"\\u0061\":1}", "byte 7: the name 'a'" },
		{ "{\"\":1,\"\":1}", "byte 6: the name ''" },
		{ "{\"b\":1,\"a\":1,\"a\":1,\"b\":1}",
		    "byte 13: the name 'a'" },
		{ "{\"a\":1,\"a\":1,\"a\":1}", "byte 7: the name 'a'" },
		{ "[{\"x\":{\"a\":1,\"a\":1}}]", "byte 13: the name 'a'" },
		{ "{\"x\":{\"a\":1},\"y\":[{\"b\":1,\"b\":1}]}", "'b'" },
		{ "{\"\\ud83d\\udc1d\":1,\"\xf0\x9f\x90\x9d\":1}", "byte 18" },
	};
	static const char *const good[] = { "{\"a\":{\"a\":{\"a\":1}}}",
		"[{\"a\":1},{\"a\":1}]", "{\"a\":1,\"A\":1,\"aa\":1,\"\":1}",
		"{\"a\":{\"b\":1},\"b\":{\"a\":1}}", "[\"a\",\"a\"]",
		"{\"a\":\"b\",\"b\":\"b\"}",
		"{\"\xc3\xa9\":1,\"e\xcc\x81\":1}" };

	for (size_t i = 0; i < LENGTH(tries); i++) {
		expect_number(open_text(tries[i].text), -1, tries[i].text);
		expect_text(doc.code, "duplicate_key", tries[i].text);
		expect_has(doc.why, tries[i].why, tries[i].text);
		json_close(&doc);
	}
	for (size_t i = 0; i < LENGTH(good); i++)
		expect_number(open_text(good[i]), 0, good[i]);
}

static void
not_opened(void)
{
	HOLDS(open_text("") == -1);
	expect_text(doc.code, "invalid_json", "nothing");
	expect_text(doc.why, "byte 0: a value is missing", "nothing");
	json_close(&doc);
	HOLDS(open_text("{\"a\":\"\\u0000\"}") == -1);
	expect_text(doc.code, "nul", "U+0000");
	expect_has(doc.why, "byte 6: U+0000", "U+0000");
	json_close(&doc);
	HOLDS(open_text("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]") == -1);
	expect_text(doc.code, "too_deep", "17 levels");
}

static void
numbers(void)
{
	static const struct {
		const char *text;
		int64_t min, max;
		bool good;
		int64_t value;
	} tries[] = {
		{ "0", 0, 9, true, 0 },
		{ "-0", 0, 9, true, 0 },
		{ "9", 0, 9, true, 9 },
		{ "10", 0, 9, false, 0 },
		{ "-1", 0, 9, false, 0 },
		{ "-5", -5, -5, true, -5 },
		{ "-6", -5, 5, false, 0 },
		{ "9223372036854775807", 0, INT64_MAX, true, INT64_MAX },
		{ "9223372036854775808", 0, INT64_MAX, false, 0 },
		{ "-9223372036854775808", INT64_MIN, 0, true, INT64_MIN },
		{ "-9223372036854775809", INT64_MIN, 0, false, 0 },
		{ "18446744073709551617", 0, INT64_MAX, false, 0 },
		{ "99999999999999999999999999", 0, INT64_MAX, false, 0 },
		{ "1.0", 0, 9, false, 0 },
		{ "1e0", 0, 9, false, 0 },
		{ "1E0", 0, 9, false, 0 },
		{ "0.5", 0, 9, false, 0 },
		{ "-0.0", 0, 9, false, 0 },
		{ "\"1\"", 0, 9, false, 0 },
		{ "true", 0, 9, false, 0 },
		{ "null", 0, 9, false, 0 },
		{ "[1]", 0, 9, false, 0 },
		{ "{}", 0, 9, false, 0 },
	};

	for (size_t i = 0; i < LENGTH(tries); i++) {
		int64_t n = 42;

		HOLDS(open_text(tries[i].text) == 0);
		expect_number(json_read_number(&doc, doc.nodes, tries[i].min,
				  tries[i].max, &n),
		    tries[i].good ? 0 : -1, tries[i].text);
		expect_number(
		    n, tries[i].good ? tries[i].value : 42, tries[i].text);
		json_close(&doc);
	}
	HOLDS(open_text("{\"ttl\":1.5}") == 0);
	HOLDS(json_read_number(&doc, &doc.nodes[2], 1, 60, &(int64_t){ 0 }) ==
	      -1);
	expect_text(
	    doc.why, "ttl: must be a whole number from 1 to 60", "the range");
	expect_text(doc.code, "invalid_field", "the range");
}

static void
decimals(void)
{
	static const char *const good[] = { "0", "0.5", "-1.25", "10",
		"1.5000" };
	static const char *const bad[] = { "1e1", "1E1", "1.5e0", "\"1\"",
		"true", "null", "[]", "12345678", "0.123456" };
	char *text = guarded("xxxxxxxx", 8);

	for (size_t i = 0; i < LENGTH(good); i++) {
		HOLDS(open_text(good[i]) == 0);
		HOLDS(json_read_decimal(&doc, doc.nodes, text, 8) == 0);
		expect_text(text, good[i], good[i]);
		json_close(&doc);
	}
	for (size_t i = 0; i < LENGTH(bad); i++) {
		HOLDS(open_text(bad[i]) == 0);
		expect_number(
		    json_read_decimal(&doc, doc.nodes, text, 8), -1, bad[i]);
		json_close(&doc);
	}
}

static struct json_node *
node_at(size_t at)
{
	for (size_t i = 0; i < doc.count; i++) {
		if (doc.nodes[i].at == at && doc.nodes[i].type != JSON_KEY)
			return &doc.nodes[i];
	}
	skip("the test names a byte where nothing begins");
	return NULL;
}

static void
places(void)
{
	static const struct {
		const char *text;
		size_t at;
		const char *why;
	} tries[] = {
		{ "1", 0, "the document: must be 7" },
		{ "{\"a\":1}", 5, "a: must be 7" },
		{ "{\"command\":[0,[],{},3]}", 20, "command[3]: must be 7" },
		{ "[[0,[1]]]", 5, "[0][1][0]: must be 7" },
		{ "{\"files\":[{},{\"mode\":1}]}", 21,
		    "files[1].mode: must be 7" },
		{ "[{\"a\":{\"b_9-\":1}}]", 14, "[0].a.b_9-: must be 7" },
		{ "{\"env\":{\"A B\":1}}", 14, "env[\"A B\"]: must be 7" },
		{ "{\"a\\n\\u007f\":1}", 13, "[\"a??\"]: must be 7" },
		{ "{\"\":1}", 4, "[\"\"]: must be 7" },
		{ "{\"\xc3\xa9\":1}", 6, "[\"\xc3\xa9\"]: must be 7" },
		{ "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1}", 44,
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: must be 7" },
		{ "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\":1}", 45,
		    "[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\"]: m" },
	};

	for (size_t i = 0; i < LENGTH(tries); i++) {
		HOLDS(open_text(tries[i].text) == 0);
		HOLDS(json_refuse(
			  &doc, node_at(tries[i].at), "must be %d", 7) == -1);
		expect_number(
		    strncmp(doc.why, tries[i].why, strlen(tries[i].why)), 0,
		    doc.why);
		json_close(&doc);
	}
	HOLDS(open_text("{\"a\":1}") == 0);
	HOLDS(json_want(&doc, &doc.nodes[2], JSON_STRING) == -1);
	expect_text(doc.why, "a: must be a string", "type");
}

static char big[JSON_SIZE_MAX];

static void
long_places(void)
{
	size_t len = 0;

	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		len += (size_t)sprintf(big + len,
		    "{\"abcdefghijklmnopqrstuvwxyz%dabcdefghijklmnopqrs\":", i);
	big[len++] = '1';
	memset(big + len, '}', JSON_DEPTH_MAX);
	HOLDS(open_bytes(big, len + JSON_DEPTH_MAX) == 0);
	memset(big, 'x', 1000);
	big[1000] = '\0';
	HOLDS(json_refuse(&doc, &doc.nodes[doc.count - 1], "%s", big) == -1);
	HOLDS(memchr(doc.why, '\0', sizeof(doc.why)) != NULL);
	expect_has(doc.why, ": xxxxxxxx", "both parts");
}

/*
 * An object whose n names have the same long beginning; step, which has no
 * factor in common with n, says in what order they come.
 */
static size_t
write_names(size_t n, size_t common, size_t step)
{
	size_t len = 1;

	for (size_t i = 0; i < n; i++) {
		big[len++] = '"';
		memset(big + len, 'a', common);
		len += common;
		len += (size_t)sprintf(big + len, "%05zu\":1,", (i * step) % n);
	}
	big[0] = '{';
	big[len - 1] = '}';
	return len;
}

/* Each with each would be 49 985 001 times for the most there may be. */
static void
large(void)
{
	const size_t n = JSON_TOKENS_MAX / 2 - 1,
		     steps[] = { 1, 2, n - 1, 1237 };

	for (size_t i = 0; i < LENGTH(steps); i++) {
		HOLDS(open_bytes(big, write_names(n, 400, steps[i])) == 0);
		HOLDS(doc.count == JSON_TOKENS_MAX - 1);
		HOLDS(doc.compared < 64 * n);
		json_close(&doc);
	}
}

static const struct testcase cases[] = {
	{ "each value has its type", types },
	{ "a value alone is a document", alone },
	{ "members and elements come in their order", members },
	{ "strings are decoded in place", strings },
	{ "a name that is there twice is refused, with its byte", duplicates },
	{ "what the checker refuses is not opened", not_opened },
	{ "a whole number is written as one and in range", numbers },
	{ "a decimal is text without an exponent", decimals },
	{ "a sentence begins with the field's place", places },
	{ "a sentence is cut where there is no room", long_places },
	{ "as many names as there may be are not much work", large },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
