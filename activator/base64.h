#ifndef ACTIVATOR_BASE64_H
#define ACTIVATOR_BASE64_H

#include <stddef.h>

/*
 * Decodes len characters of base64 in place: the alphabet of RFC 4648 section
 * 4, padded, nothing else between, the unused bits zero. 0, or -1 with text as
 * it was.
 */
int base64_decode(char *text, size_t len, size_t *ret_len);

#endif
