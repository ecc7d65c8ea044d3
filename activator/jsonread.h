#ifndef ACTIVATOR_JSONREAD_H
#define ACTIVATOR_JSONREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_type {
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_BOOL,
	JSON_NULL,
	JSON_KEY, /* a member's name: json_each() steps over it */
	JSON_TYPE_MAX
};

/* A value in a document. */
struct json_node {
	enum json_type type;
	/*
	 * What it is made of. A string is decoded and ended by a zero byte,
	 * and has none within; a number is as it was written, not ended.
	 */
	char *text;
	size_t len;
	size_t at; /* byte of the document as it came */
	size_t count; /* of members or elements */
	size_t parent; /* index; of a member's value, its name */
	size_t next; /* index of what comes behind all that is within */
};

struct json_doc {
	struct json_node *nodes; /* nodes[0] is the value of the whole */
	size_t count;
	size_t compared; /* names: the work that could grow with the square */
	/* After a failure: */
	const char *code; /* also duplicate_key, no_memory; invalid_field */
	char why[240]; /* a sentence that names the byte or the field */
};

/*
 * Checks (see jsoncheck.h) and indexes the text, which is changed in place,
 * belongs to the caller, and has to stay. An object with the same name twice
 * is refused. 0, or -1 with d->code and d->why. json_close() after either.
 */
int json_open(struct json_doc *d, char *text, size_t len);
void json_close(struct json_doc *d);

/*
 * The first member's value or element of `of` when prev is NULL, else the one
 * behind prev; NULL at the end and for what has no parts.
 */
struct json_node *json_each(struct json_doc *d, const struct json_node *of,
    const struct json_node *prev);

/* The name of a member's value; NULL for other values. */
const char *json_name(const struct json_doc *d, const struct json_node *v);

/* The member's value, or NULL. Looks at all members. */
struct json_node *json_member(
    struct json_doc *d, const struct json_node *object, const char *name);

/*
 * Sets d->why to "files[2].mode: " (the value's place) and the sentence, and
 * d->code to invalid_field. Always -1.
 */
int json_refuse(struct json_doc *d, const struct json_node *v,
    const char *sentence, ...) __attribute__((format(printf, 3, 4)));

/* d->code is no_memory, which is no fault of the text's. Always -1. */
int json_no_memory(struct json_doc *d);

/* These refuse a value of another type: 0, or -1. Set *ret only on success. */
int
json_want(struct json_doc *d, const struct json_node *v, enum json_type type);
int
json_read_text(struct json_doc *d, const struct json_node *v, char **ret_text);

/* A whole number, written as one: no fraction, no exponent. */
int json_read_number(struct json_doc *d, const struct json_node *v, int64_t min,
    int64_t max, int64_t *ret);

/* A number as text: digits with at most a sign and a fraction. */
int json_read_decimal(
    struct json_doc *d, const struct json_node *v, char *buf, size_t size);

#endif
