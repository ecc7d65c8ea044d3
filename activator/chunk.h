#ifndef ACTIVATOR_CHUNK_H
#define ACTIVATOR_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#define CHUNK_DIGITS_MAX 8 /* of a chunk's size */
#define CHUNK_EXTENSION_MAX 256 /* bytes behind one size, from the ';' on */
#define CHUNK_EXTENSIONS_MAX 16384 /* bytes of all of them */
#define CHUNK_TRAILERS_MAX 16384 /* bytes, with all line ends */

/*
 * Takes the chunked coding of RFC 9112 section 7.1 off a body that comes in
 * pieces. Extensions and trailers are looked through and dropped.
 */
struct chunk {
	int state;
	uint64_t left; /* of the chunk */
	uint64_t total, max; /* bytes of the body */
	size_t digits, extension, extensions, trailers;
	int status; /* after a failure: 400, 413 or 431 */
	const char *why; /* and a sentence */
};

/* A body of at most max bytes; a longer one is 413 as soon as that is clear. */
void chunk_init(struct chunk *c, uint64_t max);

/*
 * Decodes len bytes in place: the body's are then the first *ret_len of buf.
 * 0: all was used and there is more to come. 1: the body has ended;
 * *ret_used bytes were part of it. -1: c->status and c->why; the same from
 * then on.
 */
int chunk_decode(
    struct chunk *c, char *buf, size_t len, size_t *ret_len, size_t *ret_used);

#endif
