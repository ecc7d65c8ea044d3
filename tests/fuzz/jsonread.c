/*
 * Any bytes as JSON: another checker agrees on what it is, what is accepted
 * can be read, and what is read is what was there.
 */
#include "jsonread.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsoncheck.h"
#include "rfc8259.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Written and read again it is the same. */
static void
expect_string(const struct json_node *v)
{
	struct json_doc again;
	struct json j;

	assert(v->text[v->len] == '\0' && strlen(v->text) == v->len);
	assert(rfc3629_valid(v->text, v->len));
	json_init(&j);
	json_text(&j, NULL, v->text);
	if (json_finish(&j) != 0)
		abort();
	assert(json_open(&again, j.data, j.len) == 0 && again.count == 1);
	assert(again.nodes->len == v->len);
	assert(strcmp(again.nodes->text, v->text) == 0);
	json_close(&again);
	json_free(&j);
}

static void
expect_number(struct json_doc *d, const struct json_node *v)
{
	char text[32] = "", whole[32];
	int64_t n = 0;
	int r = json_read_decimal(d, v, text, sizeof(text));

	assert(r == 0 || v->len >= sizeof(text) ||
	       memchr(v->text, 'e', v->len) != NULL ||
	       memchr(v->text, 'E', v->len) != NULL);
	if (json_read_number(d, v, INT64_MIN, INT64_MAX, &n) != 0)
		return;
	(void)snprintf(whole, sizeof(whole), "%" PRId64, n);
	assert(strcmp(text, "-0") == 0 ? n == 0 : strcmp(text, whole) == 0);
}

/* The number of nodes below, each of which knows where it belongs. */
static size_t
walk(struct json_doc *d, const struct json_node *v)
{
	size_t parts = 0, all = 1;
	struct json_node *part = NULL;
	char *text = NULL;

	assert((json_read_text(d, v, &text) == 0) == (v->type == JSON_STRING));
	assert(json_refuse(d, v, "must be %s", "different") == -1);
	assert(memchr(d->why, '\0', sizeof(d->why)) != NULL);
	if (v->type == JSON_STRING)
		expect_string(v);
	if (v->type == JSON_NUMBER)
		expect_number(d, v);
	for (; (part = json_each(d, v, part)) != NULL; parts++) {
		const struct json_node *parent = &d->nodes[part->parent];

		if (v->type == JSON_OBJECT) {
			assert(parent->type == JSON_KEY);
			assert(&d->nodes[parent->parent] == v);
			assert(json_name(d, part) == parent->text);
			assert(json_member(d, v, parent->text) == part);
			expect_string(parent);
			all++;
		} else {
			assert(parent == v && json_name(d, part) == NULL);
		}
		all += walk(d, part);
	}
	assert(parts == v->count);
	assert((size_t)(v - d->nodes) + all == v->next);
	return all;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_check_result result;
	struct json_doc doc;
	char *text = malloc(size > 0 ? size : 1);
	int r;

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	r = json_check(text, size, &result);
	if (r == 0) {
		assert(rfc8259_valid(text, size));
	} else {
		assert(result.at <= size && *result.why != '\0');
		if (strcmp(result.code, "invalid_json") == 0)
			assert(!rfc8259_valid(text, size));
	}
	if (json_open(&doc, text, size) == 0) {
		assert(r == 0 && doc.count == result.tokens);
		assert(walk(&doc, doc.nodes) == doc.count);
	} else {
		assert(*doc.why != '\0');
		assert(strcmp(doc.code,
			   r != 0 ? result.code : "duplicate_key") == 0);
	}
	json_close(&doc);
	free(text);
	return 0;
}
