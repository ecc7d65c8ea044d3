#ifndef ACTIVATOR_SHA256_H
#define ACTIVATOR_SHA256_H

#include <stddef.h>

#define SHA256_HEX 64

/*
 * The SHA-256 of data (FIPS 180-4) in lower-case hexadecimal and a NUL. Here
 * because neither C library has it, and the libraries that do cost more at
 * start than all of a request's parsing.
 */
void sha256_hex(const void *data, size_t len, char ret[SHA256_HEX + 1]);

#endif
