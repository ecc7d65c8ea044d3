/* The target of a request: its path and its query. */
#include "http.h"

#include "unit.h"

static struct http_head head;

/* Of a GET of the target; the head's length, or what http_parse() said. */
static int
parse_target(const char *target)
{
	char text[200];
	int n = snprintf(
	    text, sizeof(text), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);

	return http_parse(guarded(text, (size_t)n), (size_t)n, &head);
}

static void
paths(void)
{
	static const char *const good[][2] = { { "/", "/" }, { "/a", "/a" },
		{ "/a/", "/a/" }, { "/a/b", "/a/b" }, { "/%61", "/a" },
		{ "/%6a%6B%4A%4f%5F", "/jkJO_" }, { "/...", "/..." },
		{ "/.a/..b", "/.a/..b" }, { "/a.", "/a." }, { "/%25", "/%" },
		{ "/%2561", "/%61" }, { "/%252e%252e", "/%2e%2e" },
		{ "/%20", "/ " },
		{ "/-._~!$&'()*+,;=:@", "/-._~!$&'()*+,;=:@" },
		{ "/%3f%23", "/?#" }, { "/a?", "/a" }, { "/a?/../%41", "/a" },
		{ "/debian:12", "/debian:12" }, { "/A", "/A" } };
	static const char *const bad[] = { "a", "a/b", "//", "//a", "/a//",
		"/a//b", "/.", "/..", "/./", "/../", "/./a", "/../a", "/a/.",
		"/a/..", "/a/./b", "/a/../b", "/a/.?x", "/a/..?x", "/%2e",
		"/%2E%2e", "/.%2e/a", "/%2e./a", "/a/%2e%2e/b", "/a%2fb",
		"/a%2Fb", "/%2f", "/a%5cb", "/a%5Cb", "/a\\b", "/..\\a", "/%00",
		"/a%00", "/a%00.b", "/%0a", "/%0d%0a", "/%1f", "/%7f", "/%80",
		"/%c3%a9", "/%ff", "/%c0%af", "/%e0%80%af", "/\xc3\xa9", "/%",
		"/%4", "/%4?x", "/%zz", "/%4z", "/%z4", "/%+1", "/% 1",
		"/%u002f", "/a#b", "/#", "/a?b#c", "/\"", "/<", "/>", "/^",
		"/`", "/{", "/|", "/}", "/[", "/]", "?", "?a", "#", "%2f",
		"http://a/", "HTTP://a/", "a:80", "*", "/a\x01", "/\x7f",
		"/a?\\", "/a?\"", "/a?%", "/a?%4", "/a?%zz", "/a?%00", "/a?%0a",
		"/a?x=%0D%0A", "/a?\xc3\xa9", "/a?b[]=1", "/a?{}" };

	for (size_t i = 0; i < LENGTH(good); i++) {
		HOLDS(parse_target(good[i][0]) > 0);
		expect_text(head.path, good[i][1], good[i][0]);
	}
	for (size_t i = 0; i < LENGTH(bad); i++) {
		expect_number(parse_target(bad[i]), -1, bad[i]);
		expect_number(head.status, 400, bad[i]);
	}
}

static void
queries(void)
{
	static const struct {
		const char *target;
		int found;
		const char *value;
	} tries[] = {
		{ "/", 0, "" },
		{ "/?", 0, "" },
		{ "/?after=1", 0, "" },
		{ "/?limit", 1, "" },
		{ "/?limit=", 1, "" },
		{ "/?limit=5", 1, "5" },
		{ "/?after=x&limit=5", 1, "5" },
		{ "/?limit=5&after=x", 1, "5" },
		{ "/?limit=5&", 1, "5" },
		{ "/?%6cimit=%35", 1, "5" },
		{ "/?limit=a=b", 1, "a=b" },
		{ "/?limit=a+b%2B%26", 1, "a b+&" },
		{ "/?limit=%c3%a9", 1, "\xc3\xa9" },
		{ "/?limit=%2525", 1, "%25" },
		{ "/?limits=5&xlimit=5&LIMIT=5", 0, "" },
		{ "/?after=limit=5", 0, "" },
		{ "/?limit=1234567", 1, "1234567" },
		{ "/?limit=12345678", -1, "" },
		{ "/?limit=%31%32%33%34%35%36%37", 1, "1234567" },
		{ "/?limit=%31%32%33%34%35%36%37%38", -1, "" },
	};

	for (size_t i = 0; i < LENGTH(tries); i++) {
		char *value = guarded("xxxxxxxx", 8);

		HOLDS(parse_target(tries[i].target) > 0);
		expect_number(http_query(&head, "limit", value, 8),
		    tries[i].found, tries[i].target);
		if (tries[i].found == 1)
			expect_text(value, tries[i].value, tries[i].target);
	}
}

static void
query_names(void)
{
	static const char *const names[] = { "limit", "after" };
	static const struct {
		const char *target, *why;
	} tries[] = {
		{ "/", NULL },
		{ "/?", NULL },
		{ "/?limit=1", NULL },
		{ "/?after=1&limit=1", NULL },
		{ "/?%61fter=1&limit=1&", NULL },
		{ "/?limit=1&limit=1", "'limit' twice" },
		{ "/?limit=1&after=x&%6cimit", "'%6cimit' twice" },
		{ "/?x", "unknown parameter 'x'" },
		{ "/?after=1&limits=2", "unknown parameter 'limits'" },
		{ "/?=1", "unknown parameter ''" },
		{ "/?limit=1&&after=1", "unknown parameter ''" },
		{ "/?Limit=1", "unknown parameter 'Limit'" },
		{ "/?limit%20=1", "unknown parameter" },
		{ "/?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1",
		    "unknown parameter 'aaaaaaaaa" },
	};
	char why[100];

	for (size_t i = 0; i < LENGTH(tries); i++) {
		int wanted = tries[i].why != NULL ? -1 : 0;

		HOLDS(parse_target(tries[i].target) > 0);
		expect_number(
		    http_query_check(&head, names, 2, why, sizeof(why)), wanted,
		    tries[i].target);
		if (wanted != 0)
			expect_has(why, tries[i].why, tries[i].target);
	}
	HOLDS(parse_target("/?limit=1") > 0);
	HOLDS(http_query_check(&head, NULL, 0, why, sizeof(why)) == -1);
	HOLDS(http_query_check(&head, NULL, 0, guarded("", 1), 1) == -1);
}

static const struct testcase cases[] = {
	{ "a path is decoded once and has one form", paths },
	{ "a parameter of the query is found and decoded", queries },
	{ "parameters are known ones and there once", query_names },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
