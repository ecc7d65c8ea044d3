#ifndef ACTIVATOR_JSONCHECK_H
#define ACTIVATOR_JSONCHECK_H

#include <stddef.h>

#include "json.h"

#define JSON_SIZE_MAX 4194304
/* More than 4096 variables with their names and 5000 arguments. */
#define JSON_TOKENS_MAX 20000

struct json_check_result {
	/* Objects, arrays, strings (names of members too) and literals. */
	size_t tokens;
	/* After a failure: the byte, counted from 0, a code, what is wrong. */
	size_t at;
	const char *code; /* invalid_json, nul, too_deep, too_many_tokens */
	const char *why;
};

/*
 * Is text one JSON value (RFC 8259) of at most JSON_DEPTH_MAX levels,
 * JSON_TOKENS_MAX tokens and JSON_SIZE_MAX bytes, all of it UTF-8, each
 * string of whole characters and without U+0000? 0 or -1.
 */
int json_check(const char *text, size_t len, struct json_check_result *r);

#endif
