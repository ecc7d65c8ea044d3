/* Any words behind `mayfly run`, one a line: refused, or a plan to be kept. */
#include "options.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Names are unique, and there is one before each '='. */
static void
check_env(const struct plan *p)
{
	assert(
	    p->env[p->env_count] == NULL && p->env_count <= PLAN_ENV_MAX + 2);
	for (size_t i = 0; i < p->env_count; i++) {
		size_t len = strcspn(p->env[i], "=");

		assert(len > 0 && p->env[i][len] == '=');
		for (size_t j = 0; j < i; j++)
			assert(strncmp(p->env[i], p->env[j], len + 1) != 0);
	}
	/* Of a name that is known only inside. */
	assert(p->user != NULL || plan_getenv(p, "HOME") != NULL);
	assert(plan_getenv(p, "PATH") != NULL);
}

/* Walks the components, as the kernel does. */
static void
check_target(const char *path)
{
	const char *first = NULL;
	size_t first_len = 0;

	assert(*path == '/');
	while (*path != '\0') {
		size_t len = strcspn(path, "/");

		assert(len != 2 || memcmp(path, "..", 2) != 0);
		if (first == NULL && len > 0 && (len > 1 || *path != '.')) {
			first = path;
			first_len = len;
		}
		path += len;
		path += strspn(path, "/");
	}
	assert(first != NULL);
	assert(first_len != 4 || memcmp(first, "proc", 4) != 0);
	assert(first_len != 3 ||
	       (memcmp(first, "dev", 3) != 0 && memcmp(first, "sys", 3) != 0));
}

static void
check_plan(const struct plan *p, char **words, int n)
{
	bool writable = false;

	if (p->argv == NULL)
		assert(strcmp(p->image, "host") != 0);
	else
		assert(p->argv > words && p->argv < words + n);
	assert(p->uid <= PLAN_ID_MAX && p->gid <= PLAN_ID_MAX);
	assert(p->bind_count <= PLAN_BINDS_MAX);
	check_env(p);
	for (size_t i = 0; i < p->bind_count; i++) {
		assert(*p->binds[i].source != '\0');
		check_target(p->binds[i].target);
		writable = writable || p->binds[i].writable;
	}
	assert(plan_writes_outside(p) == writable);
	for (int i = 0; i < LIMIT_MAX; i++) {
		if (p->limits.asked[i])
			assert(p->limits.value[i] >= limit_rules[i].min &&
			       p->limits.value[i] <= limit_rules[i].max);
		else
			assert(p->limits.value[i] == limit_rules[i].standard);
	}
}

/* Each word in memory of its own, so that none is read beyond. */
static int
split(const char *data, size_t size, char **words)
{
	int n = 0;

	words[n++] = strdup("run");
	while (size > 0 && n < WORDS_MAX) {
		const char *end = memchr(data, '\n', size);
		size_t len = end != NULL ? (size_t)(end - data) : size;

		words[n++] = strndup(data, len);
		data += len;
		size -= len;
		if (end != NULL) {
			data++;
			size--;
		}
	}
	words[n] = NULL;
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *words[WORDS_MAX + 1], *why = malloc(200);
	struct options o;
	struct limits limits;
	int n = split((const char *)data, size, words);

	if (why == NULL)
		abort();
	limits_init(&limits);
	options_init(&o, &limits);
	if (options_parse(&o, n, words, why, 200) != 0)
		assert(memchr(why, '\0', 200) != NULL && *why != '\0');
	else if (!o.help && plan_finish(&o.plan, why, 200) == 0)
		check_plan(&o.plan, words, n);
	for (int i = 0; i < n; i++)
		free(words[i]);
	free(o.plan.env);
	free(o.plan.env_hash);
	free(why);
	return 0;
}
