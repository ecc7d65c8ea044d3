#include "limit_keys.h"

#include <stdio.h>
#include <string.h>

int
limit_keys_set(struct limits *limits, struct limit_keys *k, unsigned line,
    const char *key, const char *value, char *why, size_t size)
{
	bool cap = strncmp(key, "max_", 4) == 0;
	const char *name = cap ? key + 4 : key + 8;
	struct limits any;
	char reason[160];
	enum limit which;
	uint64_t n;

	if (!cap && strncmp(key, "default_", 8) != 0)
		return 1;
	which = limits_find(name, strlen(name));
	if (which == LIMIT_MAX)
		return 1;
	/* A later file may raise what an earlier one capped. */
	limits_init(&any);
	if (limits_parse(&any, which, value, &n, reason, sizeof(reason)) != 0) {
		(void)snprintf(
		    why, size, "%s%s", cap ? "max_" : "default_", reason);
		return -1;
	}
	if (cap) {
		limits->cap[which] = n;
		k->capped[which] = true;
	} else {
		limits->value[which] = n;
		k->line[which] = line;
	}
	return 0;
}

enum limit
limit_keys_settle(
    struct limits *limits, const struct limit_keys *k, char *why, size_t size)
{
	enum limit wrong = LIMIT_MAX;
	char text[32], reason[160] = "";

	for (int i = 0; i < LIMIT_MAX; i++) {
		uint64_t value = limits->value[i], cap = limits->cap[i];

		if (value <= cap || (k->line[i] == 0 && !k->capped[i]))
			continue;
		limits->value[i] = cap;
		if (k->line[i] == 0 || wrong != LIMIT_MAX)
			continue;
		wrong = i;
		limits_print(i, value, text, sizeof(text));
		(void)limits_parse(
		    limits, i, text, &value, reason, sizeof(reason));
		(void)snprintf(why, size, "default_%s", reason);
	}
	return wrong;
}
