#ifndef EXEC_GENFILTER_H
#define EXEC_GENFILTER_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#define NR_END 1024 /* above the number of any call */

/* struct seccomp_data, as BPF loads it. Of an argument the lower word is first.
 */
enum { WORD_NR, WORD_ARCH, WORD_ARGS = 4, WORD_MAX = 16 };

/* Without values: whether any bit under the mask is set. */
struct condition {
	unsigned word, nvalues;
	uint32_t mask, values[8];
};

struct row {
	char name[32];
	int nr; /* negative: only other architectures have the call */
	unsigned line;
	uint32_t action;
	enum { ALWAYS, WHEN, ELSE } kind;
	struct condition conditions[8];
	unsigned nconditions;
	bool decided; /* set by program_verify */
};

/* The rows are sorted by number, then line; behind the last is one of NR_END.
 */
struct section {
	char name[32];
	uint32_t action;
	struct row rows[512];
	unsigned nrows;
};

/* The instructions stand in reverse: the last one is executed first. */
struct program {
	struct sock_filter code[BPF_MAXINSNS];
	unsigned n;
};

/*
 * A program of the section's rows that is complete by itself: it refuses
 * other architectures.
 */
void program_compile(struct program *p, const struct section *s, uint32_t arch);

/* False when the program and the rows disagree, on the input in ret_words. */
bool program_verify(const struct program *p, struct section *s, uint32_t arch,
    uint32_t ret_words[WORD_MAX]);

#endif
