#ifndef ATTACK_H
#define ATTACK_H

#include <stdint.h>

/* A value whose low 32 bits are v: a filter that compares all 64 misses it,
 * the kernel, which uses 32, does not. */
#define HIGH(v) ((uint64_t)(v) | (UINT64_C(1) << 32))

/* One line: "what: ok" or "what: ERRNO" for rc < 0. ok is a breach. */
__attribute__((format(printf, 2, 3))) void
refused(long rc, const char *what, ...);

/* The same line, where ok is no breach. */
__attribute__((format(printf, 2, 3))) void
tried(long rc, const char *what, ...);

/* A line that is a breach whatever the return values said. */
__attribute__((format(printf, 1, 2))) void breach(const char *what, ...);

/* The name of an errno value, or "ok" for 0. */
const char *outcome(int error);

/* 0 if nothing was a breach, else 1: what main returns. */
int verdict(void);

/* Says "holding" and waits for SIGTERM, so that the sandbox can be looked at
 * from outside while it lives. */
void hold(void);

/* Waits for a child; its exit code, or 128 and the signal. */
int reap(int pid);

/* Milliseconds on a clock that nobody sets. */
long now_ms(void);

#endif
