#ifndef ACTIVATOR_WIRE_H
#define ACTIVATOR_WIRE_H

#include <stddef.h>
#include <stdint.h>

/*
 * How a struct of numbers, texts and lists becomes bytes and a struct again:
 * by a table of its fields, the same for both ways. The bytes hold the fields
 * in the table's order and nothing else, so there is one encoding of a value
 * and no part of it can be left out or given twice.
 */
enum wire_kind {
	WIRE_NUMBER, /* uint64_t */
	WIRE_TEXT, /* char *, without NUL bytes; may be NULL */
	WIRE_LIST, /* char **, NULL-terminated; may be NULL, which is empty */
};

struct wire_field {
	const char *name;
	enum wire_kind kind;
	size_t offset;
	/* Greatest number; bytes of a text; elements of a list. */
	uint64_t max;
};

/* What a list's elements, or a text, take at most together. */
#define WIRE_SIZE_MAX (6U << 20)

/*
 * Appends the struct to malloc()ed bytes. *ret is the caller's, *ret_len its
 * size. 0, or -1 when a value is over its bound or there is no memory.
 */
int wire_encode(const struct wire_field *fields, size_t n, const void *from,
    char **ret, size_t *ret_len);

/*
 * Fills the struct from bytes that must be exactly one encoding of it. Texts
 * point into data, lists are malloc()ed; both last as long as the process.
 * NULL, or what is wrong with the name of the field.
 */
const char *wire_decode(const struct wire_field *fields, size_t n, void *to,
    char *data, size_t len);

#endif
