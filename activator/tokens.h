#ifndef ACTIVATOR_TOKENS_H
#define ACTIVATOR_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "sha256.h"

#define TOKEN_NAME_MAX 64
#define TOKENS_MAX 1024

/* One line of the file of tokens: name, SHA-256 of the token, "admin". */
struct token {
	char name[TOKEN_NAME_MAX + 1];
	char hash[SHA256_HEX + 1];
	bool admin;
};

struct tokens {
	struct token *all; /* malloc()ed */
	size_t count;
};

/*
 * Reads the file; without one there are no tokens. A file that others may
 * read, or with a line that cannot be understood, is an error: nobody is let
 * in by mistake. 0, or -1 with a sentence.
 */
int
tokens_read(const struct config *c, struct tokens *t, char *why, size_t size);

/* The same from text, changed in place. */
int tokens_parse(struct tokens *t, char *text, char *why, size_t size);

/* The token that this is, or NULL; takes as long for one as for the other. */
const struct token *tokens_find(const struct tokens *t, const char *secret);

/* Where the file is: c->tokens, or what is usual for the caller; or NULL. */
const char *tokens_path(const struct config *c, char *buf, size_t size);

/* [A-Za-z0-9._-], 1 to TOKEN_NAME_MAX of them. */
bool tokens_is_name(const char *name);

#endif
