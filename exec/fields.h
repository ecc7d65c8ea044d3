#ifndef EXEC_FIELDS_H
#define EXEC_FIELDS_H

#include <sys/types.h>

#include <stddef.h>

/*
 * How the records of sessions and the manifests of images are made: a line
 * with the format's version, then "key=value" fields, each ended by a NUL.
 */
struct fields {
	char *buf; /* the caller's */
	size_t size;
	ssize_t len; /* bytes in buf, -1 once something did not fit */
};

/* Begins with the line; buf has size bytes. */
void fields_begin(struct fields *w, char *buf, size_t size, const char *head);

/* "key=value" and its NUL. */
void fields_put(struct fields *w, const char *key, const char *value);

/* Puts "key: what" into why. Always -1. */
int fields_refuse(char *why, size_t size, const char *key, const char *what);

#endif
