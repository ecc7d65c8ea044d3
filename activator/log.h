#ifndef ACTIVATOR_LOG_H
#define ACTIVATOR_LOG_H

#include <stddef.h>

#define LOG_LINE_MAX 4096

/*
 * One line of NAME=VALUE on stderr, which is the journal where systemd
 * started us. What others say is quoted, so that a line stays one line and a
 * terminal that shows it does nothing.
 */
struct log {
	char text[LOG_LINE_MAX];
	size_t len;
};

void log_init(struct log *l, int priority); /* as of syslog(3) */
void log_word(struct log *l, const char *name, const char *value);
void log_quoted(struct log *l, const char *name, const char *value);
void log_number(struct log *l, const char *name, long long value);
void log_write(struct log *l);

#endif
