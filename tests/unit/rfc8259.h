#ifndef UNIT_RFC8259_H
#define UNIT_RFC8259_H

/*
 * Strict checkers of JSON (RFC 8259) and UTF-8 (RFC 3629), written by decoding
 * and so in another way than what they check.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct checker {
	const unsigned char *p, *end;
};

/* Passes one character; false where there is none. */
static inline bool
rfc3629_next(struct checker *c)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	uint32_t code = *c->p++;
	int more = 0;

	if (code < 0x80)
		return true;
	for (uint32_t bit = 0x40; bit != 0 && (code & bit) != 0; bit >>= 1)
		more++;
	if (more < 1 || more > 3)
		return false;
	code &= 0x3fU >> more;
	for (int i = 0; i < more; i++) {
		if (c->p == c->end || *c->p >> 6 != 2)
			return false;
		code = code << 6 | (*c->p++ & 0x3fU);
	}
	return code >= least[more] && code <= 0x10ffff &&
	       (code < 0xd800 || code > 0xdfff);
}

static inline bool
rfc3629_valid(const void *data, size_t len)
{
	struct checker c = { data, (const unsigned char *)data + len };

	while (c.p < c.end) {
		if (!rfc3629_next(&c))
			return false;
	}
	return true;
}

static inline bool
check_char(struct checker *c, const char *set)
{
	if (c->p == c->end || *c->p == '\0' || strchr(set, *c->p) == NULL)
		return false;
	c->p++;
	return true;
}

static inline bool
check_word(struct checker *c, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(c->end - c->p) < len || memcmp(c->p, word, len) != 0)
		return false;
	c->p += len;
	return true;
}

static inline void
check_blanks(struct checker *c)
{
	while (check_char(c, " \t\r\n"))
		;
}

static inline bool
check_hex4(struct checker *c, unsigned *ret)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	*ret = 0;
	for (int i = 0; i < 4; i++) {
		const unsigned char *at = c->p;

		if (!check_char(c, digits))
			return false;
		size_t n = (size_t)(strchr(digits, *at) - digits);
		*ret = *ret << 4 | (unsigned)(n < 16 ? n : n - 6);
	}
	return true;
}

/* A half of a surrogate pair alone is no character. */
static inline bool
check_escape(struct checker *c)
{
	unsigned high, low;

	if (check_char(c, "\"\\/bfnrt"))
		return true;
	if (!check_word(c, "u") || !check_hex4(c, &high))
		return false;
	if (high >> 11 != 0xd800 >> 11)
		return true;
	return high < 0xdc00 && check_word(c, "\\u") && check_hex4(c, &low) &&
	       low >> 10 == 0xdc00 >> 10;
}

static inline bool
check_string(struct checker *c)
{
	if (!check_word(c, "\""))
		return false;
	while (c->p < c->end) {
		if (check_word(c, "\""))
			return true;
		if (*c->p < 0x20)
			return false;
		if (check_word(c, "\\") ? !check_escape(c) : !rfc3629_next(c))
			return false;
	}
	return false;
}

static inline bool
check_digits(struct checker *c)
{
	if (!check_char(c, "0123456789"))
		return false;
	while (check_char(c, "0123456789"))
		;
	return true;
}

static inline bool
check_number(struct checker *c)
{
	(void)check_char(c, "-");
	if (!check_char(c, "0") && !check_digits(c))
		return false;
	if (check_char(c, ".") && !check_digits(c))
		return false;
	if (!check_char(c, "eE"))
		return true;
	(void)check_char(c, "+-");
	return check_digits(c);
}

static inline bool
check_value(struct checker *c, unsigned depth)
{
	bool object = check_word(c, "{");
	const char *close = object ? "}" : "]";

	if (depth > 1000)
		return false;
	if (!object && c->p < c->end && *c->p == '"')
		return check_string(c);
	if (!object && !check_word(c, "["))
		return check_word(c, "null") || check_word(c, "true") ||
		       check_word(c, "false") || check_number(c);
	check_blanks(c);
	if (check_char(c, close))
		return true;
	do {
		check_blanks(c);
		if (object) {
			if (!check_string(c))
				return false;
			check_blanks(c);
			if (!check_word(c, ":"))
				return false;
			check_blanks(c);
		}
		if (!check_value(c, depth + 1))
			return false;
		check_blanks(c);
	} while (check_char(c, ","));
	return check_char(c, close);
}

/* One value and blanks around it, nothing more. */
static inline bool
rfc8259_valid(const void *data, size_t len)
{
	struct checker c = { data, (const unsigned char *)data + len };

	check_blanks(&c);
	if (!check_value(&c, 0))
		return false;
	check_blanks(&c);
	return c.p == c.end;
}

#endif
