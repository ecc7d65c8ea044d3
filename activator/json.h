#ifndef ACTIVATOR_JSON_H
#define ACTIVATOR_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 16 /* of what is read */
#define JSON_LEVELS_MAX 256 /* of what is written: trees of sessions */

/*
 * Writes JSON into memory. Commas, quotes and nesting are the writer's
 * business; whatever bytes a string holds, the result is valid. Memory is the
 * writer's until json_free(). A failure to get memory is remembered and told
 * by json_finish().
 */
struct json {
	char *data;
	size_t len, size;
	unsigned depth;
	bool first[JSON_LEVELS_MAX + 1]; /* nothing in this scope yet */
	char close[JSON_LEVELS_MAX + 1]; /* what ends the scope */
	bool failed;
};

void json_init(struct json *j);
/* As json_init(), in the memory that it has. */
void json_again(struct json *j);
void json_free(struct json *j);

/* Ends all open scopes and adds a newline. 0, or -1 for want of memory. */
int json_finish(struct json *j);

/* name is the member's in an object, NULL in an array or at the top. */
void json_object(struct json *j, const char *name);
void json_array(struct json *j, const char *name);
void json_end(struct json *j);
void json_text(struct json *j, const char *name, const char *text);
void json_number(struct json *j, const char *name, int64_t value);
void json_bool(struct json *j, const char *name, bool value);
void json_null(struct json *j, const char *name);

/* Bytes as text: what is not UTF-8 becomes U+FFFD. */
void json_bytes(struct json *j, const char *name, const char *data, size_t len);

/* The exact bytes in base64. */
void
json_base64(struct json *j, const char *name, const char *data, size_t len);

/* Bytes of the first character if it is valid UTF-8, else 0. */
size_t json_utf8(const char *data, size_t len);

/* Is all of it valid UTF-8? */
bool json_is_utf8(const char *data, size_t len);

#endif
