/*
 * Goes through the text once, from left to right. Where it is inside is a
 * stack of brackets, so that no input makes this recurse.
 */
#include "jsoncheck.h"

#include <stdbool.h>
#include <string.h>

#include "defence.h"

struct scan {
	const char *text;
	size_t len, at;
	char close[JSON_DEPTH_MAX]; /* the bracket that ends each level */
	unsigned depth;
	struct json_check_result *r;
};

static int
refuse(struct scan *s, const char *code, const char *why)
{
	s->r->at = s->at;
	s->r->code = code;
	s->r->why = why;
	return -1;
}

static int
invalid(struct scan *s, const char *why)
{
	return refuse(s, "invalid_json", why);
}

/* The byte there; at the end one that is nowhere allowed. */
static char
peek(const struct scan *s)
{
	return s->at < s->len ? s->text[s->at] : '\0';
}

static bool
is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

static void
skip_blanks(struct scan *s)
{
	while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\n' ||
	       peek(s) == '\r')
		s->at++;
}

static int
skip_digits(struct scan *s)
{
	if (!is_digit(peek(s)))
		return invalid(s, "a digit is missing");
	while (is_digit(peek(s)))
		s->at++;
	return 0;
}

static int
scan_number(struct scan *s)
{
	if (peek(s) == '-')
		s->at++;
	if (peek(s) == '0') {
		s->at++;
		if (is_digit(peek(s)))
			return invalid(s, "a number begins with 0");
	} else if (skip_digits(s) != 0) {
		return -1;
	}
	if (peek(s) == '.') {
		s->at++;
		if (skip_digits(s) != 0)
			return -1;
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-')
			s->at++;
		if (skip_digits(s) != 0)
			return -1;
	}
	return 0;
}

static int
scan_word(struct scan *s)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(words[i]);

		if (s->len - s->at >= n &&
		    memcmp(s->text + s->at, words[i], n) == 0) {
			s->at += n;
			return 0;
		}
	}
	return invalid(s, "a value is missing");
}

/* The four digits of \u, as a number. */
static int
scan_hex4(struct scan *s, unsigned *ret)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	*ret = 0;
	for (int i = 0; i < 4; i++, s->at++) {
		const char *digit = memchr(digits, peek(s), sizeof(digits) - 1);
		unsigned n = digit != NULL ? (unsigned)(digit - digits) : 0;

		if (digit == NULL)
			return invalid(s,
			    "\\u is not followed by four hexadecimal digits");
		*ret = *ret << 4 | (n < 16 ? n : n - 6);
	}
	return 0;
}

/* Behind the backslash. */
static int
scan_escape(struct scan *s)
{
	const size_t from = s->at - 1;
	unsigned high, low;
	char ch = peek(s);

	if (ch == '\0' || strchr("\"\\/bfnrtu", ch) == NULL)
		return invalid(s, "no such escape");
	s->at++;
	if (ch != 'u')
		return 0;
	if (scan_hex4(s, &high) != 0)
		return -1;
	if (DEFENCE(JSON_NUL) && high == 0) {
		s->at = from;
		/* What is behind it would be cut off a path or an argument. */
		return refuse(s, "nul", "U+0000 is not allowed in a string");
	}
	if (high < 0xd800 || high > 0xdfff)
		return 0;
	if (high < 0xdc00 && s->len - s->at >= 2 &&
	    memcmp(s->text + s->at, "\\u", 2) == 0) {
		s->at += 2;
		if (scan_hex4(s, &low) != 0)
			return -1;
		if (low >= 0xdc00 && low <= 0xdfff)
			return 0;
	}
	s->at = from;
	return invalid(s, "half of a surrogate pair");
}

static int
scan_string(struct scan *s)
{
	size_t n;
	char ch;

	if (peek(s) != '"')
		return invalid(s, "a name in quotes is missing");
	for (s->at++; s->at < s->len;) {
		ch = s->text[s->at];
		if ((unsigned char)ch < 0x20)
			return invalid(
			    s, "a control character that is not escaped");
		n = 1;
		if (DEFENCE(JSON_UTF8) && (unsigned char)ch >= 0x80)
			n = json_utf8(s->text + s->at, s->len - s->at);
		if (n == 0)
			return invalid(s, "not UTF-8");
		s->at += n;
		if (ch == '"')
			return 0;
		if (ch == '\\' && scan_escape(s) != 0)
			return -1;
	}
	return invalid(s, "the text ends within a string");
}

static int
count_token(struct scan *s)
{
	if (DEFENCE(JSON_TOKENS) && s->r->tokens == JSON_TOKENS_MAX)
		return refuse(s, "too_many_tokens", "too many values");
	s->r->tokens++;
	return 0;
}

/* A member up to where its value begins. */
static int
scan_name(struct scan *s)
{
	skip_blanks(s);
	if (count_token(s) != 0 || scan_string(s) != 0)
		return -1;
	skip_blanks(s);
	if (peek(s) != ':')
		return invalid(s, "a colon is missing");
	s->at++;
	return 0;
}

/* 0 behind a whole value, 1 behind a bracket where a value has to follow. */
static int
scan_value(struct scan *s)
{
	char ch;

	skip_blanks(s);
	ch = peek(s);
	if (count_token(s) != 0)
		return -1;
	if (ch == '"')
		return scan_string(s);
	if (ch == '-' || is_digit(ch))
		return scan_number(s);
	if (ch != '{' && ch != '[')
		return scan_word(s);
	if (DEFENCE(JSON_DEPTH) && s->depth == JSON_DEPTH_MAX)
		return refuse(s, "too_deep", "too many levels");
	s->at++;
	skip_blanks(s);
	if (peek(s) == ch + 2) { /* '{' and '}', '[' and ']' */
		s->at++;
		return 0;
	}
	s->close[s->depth++] = ch + 2;
	return ch == '[' || scan_name(s) == 0 ? 1 : -1;
}

/* Behind a value: 1 where another one has to follow, 0 at the end of all. */
static int
scan_next(struct scan *s)
{
	for (;;) {
		skip_blanks(s);
		if (s->depth == 0)
			return 0;
		if (peek(s) != s->close[s->depth - 1])
			break;
		s->at++;
		s->depth--;
	}
	if (peek(s) != ',')
		return invalid(s, s->close[s->depth - 1] == '}'
				      ? "a comma or } is missing"
				      : "a comma or ] is missing");
	s->at++;
	return s->close[s->depth - 1] == ']' || scan_name(s) == 0 ? 1 : -1;
}

int
json_check(const char *text, size_t len, struct json_check_result *r)
{
	struct scan s = { .text = text, .len = len, .r = r };
	int more;

	memset(r, 0, sizeof(*r));
	if (len > JSON_SIZE_MAX) {
		s.at = JSON_SIZE_MAX;
		return invalid(&s, "the text is too large");
	}
	do {
		more = scan_value(&s);
		if (more == 0)
			more = scan_next(&s);
	} while (more == 1);
	if (more == 0 && s.at < len)
		return invalid(&s, "something follows the value");
	return more;
}
