/* Any text as mayfly.conf: it is refused with a place, or makes sense. */
#include "config.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_between(uint64_t n, uint64_t min, uint64_t max)
{
	return n >= min && n <= max;
}

static void
check_values(const struct config *c)
{
	const struct limits *l = &c->limits;

	for (int i = 0; i < LIMIT_MAX; i++) {
		const struct limit_rule *r = &limit_rules[i];

		assert(is_between(l->cap[i], r->min, r->max));
		assert(
		    is_between(l->value[i], r->min, l->cap[i]) ||
		    (l->value[i] == LIMIT_UNSET && r->standard == LIMIT_UNSET));
		assert(!l->asked[i]);
	}
	assert(is_between(c->session_ttl, 1, 3155760000));
	assert(is_between(c->max_runs, 1, 1000000));
	assert(is_between(c->max_sessions, 0, 1000000000));
	assert(is_between(c->uid_base, 65536, 4294836224));
	assert(is_between(c->uid_count, 65536, 4294836224));
	assert(is_between(c->pool, 0, 4096));
	assert(*c->state_dir == '/' && *c->run_dir == '/');
}

/* A text is the whole rest of a line, without blanks around it. */
static void
check_text(const char *text)
{
	size_t len = strlen(text);

	assert(strchr(text, '\n') == NULL);
	assert(len == 0 || strchr(" \t\r", text[0]) == NULL);
	assert(len == 0 || strchr(" \t\r", text[len - 1]) == NULL);
}

/* The first byte is how much room there is for the sentence. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config c;
	size_t room = size > 0 ? data[0] + 1U : 1;
	char *text, *why;

	if (size == 0 || memchr(data + 1, '\0', size - 1) != NULL)
		return 0;
	text = malloc(size);
	why = malloc(room);
	if (text == NULL || why == NULL)
		abort();
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	memset(why, 'x', room);
	config_defaults(&c);
	if (config_parse(&c, "f", text, why, room) != 0) {
		assert(memchr(why, '\0', room) != NULL);
		assert(room < 6 || strncmp(why, "f:", 2) == 0);
		assert(strchr(why, '\n') == NULL);
	}
	check_values(&c);
	check_text(c.state_dir);
	check_text(c.run_dir);
	check_text(c.default_image);
	check_text(c.allowed_hosts);
	check_text(c.registries);
	free(text);
	free(why);
	return 0;
}
