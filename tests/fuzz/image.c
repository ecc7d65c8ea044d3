/* Any bytes as an image's manifest: refused, or written back in few bytes. */
#include "image.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char back[IMAGE_MANIFEST_MAX];
	static struct image m;
	char *copy, why[64];
	ssize_t len;

	if (size == 0)
		return 0;
	/* Of exactly this size: a byte more is found. */
	copy = malloc(size);
	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	image_init(&m);
	memset(why, 'x', sizeof(why));
	if (image_decode(&m, copy, size, why, sizeof(why)) != 0) {
		assert(memchr(why, '\0', sizeof(why)) != NULL);
	} else {
		assert(image_is_name(m.name));
		assert(*m.cwd == '\0' || *m.cwd == '/');
		assert(m.layer_count <= PLAN_LAYERS_MAX);
		for (size_t i = 0; i < m.layer_count; i++)
			assert(image_is_layer(m.layers[i].name));
		assert(m.env == NULL || m.env[m.env_count] == NULL);
		len = image_encode(&m, back, sizeof(back));
		/* Numbers may have had zeros in front. */
		assert(len > 0 && (size_t)len <= size);
	}
	image_free(&m);
	free(copy);
	return 0;
}
