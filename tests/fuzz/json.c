/* Any calls of the writer with any bytes make JSON, or it says that not. */
#include "json.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rfc8259.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input: an operation and a length a byte, then so many bytes. */
struct input {
	const uint8_t *p, *end;
};

static unsigned
next_byte(struct input *in)
{
	return in->p < in->end ? *in->p++ : 0;
}

/* In memory of its own, so that it is not read beyond. */
static char *
next_bytes(struct input *in, size_t *ret_len)
{
	size_t len = next_byte(in), left = (size_t)(in->end - in->p);
	char *copy;

	len = len < left ? len : left;
	copy = malloc(len + 1);
	if (copy == NULL)
		abort();
	memcpy(copy, in->p, len);
	in->p += len;
	*ret_len = len;
	return realloc(copy, len > 0 ? len : 1);
}

/* What stands in the last string written is the bytes in base64. */
static void
check_base64(const struct json *j, const char *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *s = j->data + j->len - 1 - (len + 2) / 3 * 4;
	uint32_t bits = 0;
	unsigned n = 0;
	size_t at = 0;

	assert(s[-1] == '"');
	for (; *s != '=' && *s != '"'; s++) {
		const char *digit = strchr(digits, *s);

		assert(digit != NULL);
		bits = bits << 6 | (uint32_t)(digit - digits);
		n += 6;
		if (n >= 8) {
			n -= 8;
			assert(at < len && (char)(bits >> n) == data[at]);
			at++;
		}
	}
	assert(at == len && n < 6 && (bits & ((1U << n) - 1)) == 0);
}

static void
write_bytes(struct json *j, const char *name, struct input *in, bool exact)
{
	size_t len;
	char *bytes = next_bytes(in, &len);

	assert(json_is_utf8(bytes, len) == rfc3629_valid(bytes, len));
	if (exact) {
		json_base64(j, name, bytes, len);
		check_base64(j, bytes, len);
	} else {
		json_bytes(j, name, bytes, len);
	}
	free(bytes);
}

static void
write_value(struct json *j, unsigned op, const char *name, struct input *in)
{
	int64_t number = 0;

	switch (op) {
	case 0:
		json_object(j, name);
		break;
	case 1:
		json_array(j, name);
		break;
	case 2:
		for (int i = 0; i < 8; i++)
			number =
			    (int64_t)((uint64_t)number << 8 | next_byte(in));
		json_number(j, name, number);
		break;
	case 3:
		json_bool(j, name, next_byte(in) & 1);
		break;
	case 4:
		json_null(j, name);
		break;
	default:
		write_bytes(j, name, in, op == 5);
		break;
	}
}

/* Only what the interface allows: names in objects, one value at the top. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	struct json j;
	char name[8] = "";
	unsigned depth = 1;

	json_init(&j);
	json_array(&j, NULL);
	while (in.p < in.end) {
		unsigned op = next_byte(&in);

		for (size_t i = 0; i < sizeof(name) - 1 && (op & 16) != 0; i++)
			name[i] = (char)next_byte(&in);
		if ((op & 7) == 7) {
			if (depth > 1) {
				json_end(&j);
				depth--;
			}
			continue;
		}
		write_value(
		    &j, op & 7, j.close[j.depth] == '}' ? name : NULL, &in);
		depth += (op & 7) < 2;
		if (depth > JSON_LEVELS_MAX)
			break;
	}
	if (depth > JSON_LEVELS_MAX) {
		assert(json_finish(&j) == -1);
	} else {
		assert(json_finish(&j) == 0);
		assert(rfc8259_valid(j.data, j.len));
		assert(j.data[j.len - 1] == '\n');
	}
	json_free(&j);
	return 0;
}
