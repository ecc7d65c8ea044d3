/* Any text as a source: what is understood is of harmless parts, and the same
 * when it is made of them anew. */
#include "reference.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registries.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reference r, again;
	char *text = malloc(size + 1), why[200];
	char whole[REFERENCE_MAX + 300];
	bool plain;

	memcpy(text, data, size);
	text[size] = '\0';
	if (reference_parse(text, &r, why, sizeof(why)) == 0) {
		assert(strpbrk(r.host, "/@ \t\n%?#\\") == NULL);
		assert(*r.path != '-' && *r.path != '/' && *r.host != '-');
		reference_format(&r, whole, sizeof(whole));
		assert(strpbrk(whole, " \t\n%?#\\'\"$") == NULL);
		/* Only the hub's directory makes it longer. */
		if (strlen(whole) <= REFERENCE_MAX) {
			assert(reference_parse(
				   whole, &again, why, sizeof(why)) == 0);
			assert(strcmp(r.host, again.host) == 0 &&
			       strcmp(r.path, again.path) == 0 &&
			       strcmp(r.tag, again.tag) == 0 &&
			       strcmp(r.digest, again.digest) == 0);
		}
	}
	if (registries_check(text, why, sizeof(why)) != 0)
		(void)registries_have(text, "a", &plain);
	free(text);
	return 0;
}
