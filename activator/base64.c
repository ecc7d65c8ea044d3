#include "base64.h"

#include <stdint.h>

/* The six bits a digit stands for, or -1. */
static int
value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int
base64_decode(char *text, size_t len, size_t *ret_len)
{
	size_t digits = len, size = 0, i;
	uint32_t bits = 0;

	while (digits > 0 && len - digits < 2 && text[digits - 1] == '=')
		digits--;
	for (i = 0; i < digits; i++) {
		if (value(text[i]) == -1)
			return -1;
	}
	/* A second text for the same bytes would get past a comparison. */
	if (len % 4 != 0 ||
	    (len - digits == 1 && (value(text[digits - 1]) & 3) != 0) ||
	    (len - digits == 2 && (value(text[digits - 1]) & 15) != 0))
		return -1;
	for (i = 0; i < digits; i++) {
		bits = bits << 6 | (uint32_t)value(text[i]);
		if (i % 4 != 0)
			text[size++] = (char)(bits >> (6 - i % 4 * 2));
	}
	*ret_len = size;
	return 0;
}
