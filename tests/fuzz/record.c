/* Any bytes as a session's record: refused, or written back the same. */
#include "record.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char back[RECORD_MAX];
	struct session s;
	char *copy, why[64];
	ssize_t len;

	if (size == 0)
		return 0;
	/* Of exactly this size: a byte more is found. */
	copy = malloc(size);
	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	session_init(&s);
	memset(why, 'x', sizeof(why));
	if (record_decode(&s, copy, size, why, sizeof(why)) != 0) {
		assert(memchr(why, '\0', sizeof(why)) != NULL);
	} else {
		assert(session_is_id(s.id) && *s.cwd == '/');
		assert(s.env_count <= PLAN_ENV_MAX);
		assert(s.env == NULL || s.env[s.env_count] == NULL);
		len = record_encode(&s, back, sizeof(back));
		assert(len > 0 && (size_t)len <= size);
		/* Limits come back in their order, all else where it was. */
		assert((size_t)len == size);
	}
	session_free(&s);
	free(copy);
	return 0;
}
