#ifndef ACTIVATOR_HTTP_PARTS_H
#define ACTIVATOR_HTTP_PARTS_H

/* What the files of the parser share: the parts a head is made of. */
#include "http.h"

/* Sets h->status and h->why. Always -1. */
int http_refuse(struct http_head *h, int status, const char *sentence, ...)
    __attribute__((format(printf, 3, 4)));

/* An ASCII letter or digit? */
bool http_is_alnum(char ch);

/* Without blanks and tabulators at both ends. */
struct http_text http_trim(struct http_text text);

/* h->path and h->query from the request's target; h->method is known. */
int http_target(struct http_head *h, struct http_text target);

/*
 * One line of the fields, without its end. seen begins as 0 and remembers
 * which ones there were.
 */
int http_field(struct http_head *h, unsigned *seen, struct http_text line);

/* What fields say together. Call once, last. */
int http_fields_check(struct http_head *h);

#endif
