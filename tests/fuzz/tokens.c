/* Any text as the file of tokens: refused by a line, or of whole tokens. */
#include "tokens.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tokens t;
	char *text = malloc(size + 1), why[256];

	memcpy(text, data, size);
	text[size] = '\0';
	if (tokens_parse(&t, text, why, sizeof(why)) == 0) {
		for (size_t i = 0; i < t.count; i++) {
			assert(tokens_is_name(t.all[i].name));
			assert(strlen(t.all[i].hash) == SHA256_HEX);
		}
		/* Nobody knows what hashes to any of them. */
		assert(tokens_find(&t, "secret") == NULL);
	} else {
		assert(strncmp(why, "line ", 5) == 0);
	}
	free(t.all);
	free(text);
	return 0;
}
