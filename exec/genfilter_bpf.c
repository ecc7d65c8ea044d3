/*
 * From the rows of filter.table to BPF, and the proof that both mean the same.
 *
 * The kernel charges for a filter by its length, as each start turns it into
 * machine code, and by its depth, as each start runs it for every number to
 * find the calls that need no filter. So a program searches its number among
 * ranges that share an action, and only the few calls whose arguments matter
 * have code of their own.
 *
 * What libseccomp generates from the same rows is more than three times as
 * long, and takes three times as long to load. It also puts the rules of a call
 * into an order of its own, so that with several actions the wrong one may win.
 *
 * No program is taken on trust: an interpreter runs it for every number, and
 * for arguments around each value in the table, and it must decide as the rows
 * do.
 */
#include "genfilter.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/audit.h>

#define X32_BIT 0x40000000U
#define REFUSED (SECCOMP_RET_ERRNO | ENOSYS)
/* A conditional jump spans 255 instructions, less the room for two hops. */
#define REACH 250

#define LOAD (BPF_LD | BPF_W | BPF_ABS)
#define MASK (BPF_ALU | BPF_AND | BPF_K)
#define JUMP(op) (BPF_JMP | (op) | BPF_K)
#define RETURN (BPF_RET | BPF_K)

/* The numbers from first on: their action, or 0 and the code that decides. */
struct range {
	uint32_t first, action;
	unsigned entry;
};

static unsigned
emit(struct program *p, uint16_t code, uint32_t k)
{
	if (p->n == BPF_MAXINSNS)
		errx(1, "the program is longer than the kernel allows");
	p->code[p->n] = (struct sock_filter){ code, 0, 0, k };
	return p->n++;
}

/* Where to jump for a target that may be too far from the next instruction. */
static unsigned
emit_hop(struct program *p, unsigned target)
{
	if (p->n - target <= REACH)
		return target;
	return emit(p, JUMP(BPF_JA), p->n - target - 1);
}

static unsigned
emit_jump(struct program *p, uint16_t op, uint32_t k, unsigned yes, unsigned no)
{
	unsigned jump;

	yes = emit_hop(p, yes);
	no = emit_hop(p, no);
	jump = emit(p, JUMP(op), k);
	p->code[jump].jt = (uint8_t)(jump - yes - 1);
	p->code[jump].jf = (uint8_t)(jump - no - 1);
	return jump;
}

/* A return is long in machine code, so that one within reach is shared. */
static unsigned
emit_return(struct program *p, uint32_t action)
{
	for (unsigned i = p->n; i-- > 0 && p->n - i <= REACH;)
		if (p->code[i].code == RETURN && p->code[i].k == action)
			return i;
	return emit(p, RETURN, action);
}

/* The rows of one call, from the last to the first. */
static unsigned
emit_rows(struct program *p, const struct row *r, uint32_t otherwise)
{
	unsigned no = r[1].nr == r->nr ? emit_rows(p, r + 1, otherwise)
				       : emit_return(p, otherwise);
	unsigned yes = emit_return(p, r->action);

	for (unsigned i = r->nconditions; i-- > 0;) {
		const struct condition *c = &r->conditions[i];
		unsigned entry = no;

		for (unsigned v = c->nvalues; v-- > 0;)
			entry = emit_jump(p, BPF_JEQ, c->values[v], yes, entry);
		if (c->nvalues == 0)
			emit_jump(p, BPF_JSET, c->mask, yes, no);
		else if (c->mask != UINT32_MAX)
			emit(p, MASK, c->mask);
		yes = emit(p, LOAD, c->word * 4);
	}
	return yes;
}

static unsigned
emit_search(struct program *p, const struct range *r, unsigned n)
{
	unsigned half = n / 2, above, below;

	if (n == 1)
		return r->action == 0 ? r->entry : emit_return(p, r->action);
	above = emit_search(p, r + half, n - half);
	below = emit_search(p, r, half);
	return emit_jump(p, BPF_JGE, r[half].first, above, below);
}

void
program_compile(struct program *p, const struct section *s, uint32_t arch)
{
	struct range ranges[NR_END + 1] = { 0 };
	const struct row *r = s->rows;
	unsigned n = 0, start, refuse;

	for (int nr = 0; nr <= NR_END; nr++) {
		struct range next = { (uint32_t)nr, s->action, 0 };

		while (r->nr < nr)
			r++;
		if (nr == NR_END && arch == AUDIT_ARCH_X86_64) {
			next.first = X32_BIT;
			next.action = REFUSED;
		} else if (nr == r->nr && nr < NR_END) {
			next.action = r->kind == ALWAYS ? r->action : 0;
		}
		if (next.action == 0)
			next.entry = emit_rows(p, r, s->action);
		if (n == 0 || next.action == 0 ||
		    next.action != ranges[n - 1].action)
			ranges[n++] = next;
	}
	emit_search(p, ranges, n);
	start = emit(p, LOAD, WORD_NR * 4);
	refuse = emit_return(p, REFUSED);
	emit_jump(p, BPF_JEQ, arch, start, refuse);
	emit(p, LOAD, WORD_ARCH * 4);
}

static bool
condition_holds(const struct condition *c, const uint32_t *words)
{
	uint32_t bits = words[c->word] & c->mask;

	for (unsigned v = 0; v < c->nvalues; v++)
		if (bits == c->values[v])
			return true;
	return c->nvalues == 0 && bits != 0;
}

/* What the rows of a call say, of which r is the first. */
static uint32_t
row_decide(struct row *r, const uint32_t *words, uint32_t otherwise)
{
	for (; r->nr == (int)words[WORD_NR]; r++) {
		unsigned held = 0;

		while (held < r->nconditions &&
		       condition_holds(&r->conditions[held], words))
			held++;
		if (held == r->nconditions) {
			r->decided = true;
			return r->action;
		}
	}
	return otherwise;
}

static uint32_t
program_run(const struct program *p, const uint32_t *words)
{
	uint32_t a = 0;

	for (unsigned i = p->n; i-- > 0;) {
		const struct sock_filter *f = &p->code[i];

		if (f->code == LOAD)
			a = words[f->k / 4];
		else if (f->code == MASK)
			a &= f->k;
		else if (f->code == JUMP(BPF_JA))
			i -= f->k;
		else if (f->code == JUMP(BPF_JEQ))
			i -= a == f->k ? f->jt : f->jf;
		else if (f->code == JUMP(BPF_JGE))
			i -= a >= f->k ? f->jt : f->jf;
		else if (f->code == JUMP(BPF_JSET))
			i -= (a & f->k) != 0 ? f->jt : f->jf;
		else
			return f->k;
	}
	abort();
}

/* Values on both sides of what the condition asks for. */
static unsigned
condition_samples(const struct condition *c, uint32_t *ret_samples)
{
	unsigned n = 0;

	for (unsigned v = 0; v < c->nvalues; v++) {
		ret_samples[n++] = c->values[v];
		ret_samples[n++] = c->values[v] | ~c->mask;
		ret_samples[n++] = c->values[v] + 1;
	}
	for (unsigned bit = 0; bit < 32 && c->nvalues == 0; bit++)
		ret_samples[n++] = UINT32_C(1) << bit;
	return n;
}

/* Every combination of samples in the words that the rows look at. */
static bool
verify_words(const struct program *p, const struct section *s, struct row *r,
    uint32_t *words, unsigned word)
{
	uint32_t samples[32], before = words[word < WORD_MAX ? word : 0];

	if (word == WORD_MAX)
		return program_run(p, words) == row_decide(r, words, s->action);
	if (!verify_words(p, s, r, words, word + 1))
		return false;
	for (struct row *o = r; o->nr == (int)words[WORD_NR]; o++) {
		for (unsigned i = 0; i < o->nconditions; i++) {
			const struct condition *c = &o->conditions[i];
			unsigned n = 0;

			if (c->word == word)
				n = condition_samples(c, samples);
			while (n-- > 0) {
				words[word] = samples[n];
				if (!verify_words(p, s, r, words, word + 1))
					return false;
			}
		}
	}
	words[word] = before;
	return true;
}

bool
program_verify(const struct program *p, struct section *s, uint32_t arch,
    uint32_t ret_words[WORD_MAX])
{
	struct row *r = s->rows;

	for (uint32_t nr = 0; nr < NR_END; nr++) {
		while (r->nr < (int)nr)
			r++;
		for (int fill = 0; fill >= -1; fill--) {
			memset(ret_words, fill, WORD_MAX * sizeof(*ret_words));
			ret_words[WORD_NR] = nr;
			ret_words[WORD_ARCH] = arch;
			if (!verify_words(p, s, r, ret_words, WORD_ARGS))
				return false;
		}
		ret_words[WORD_ARCH] = arch ^ 1;
		if (program_run(p, ret_words) != REFUSED)
			return false;
		ret_words[WORD_ARCH] = arch;
		ret_words[WORD_NR] = nr | X32_BIT;
		if (arch == AUDIT_ARCH_X86_64 &&
		    program_run(p, ret_words) != REFUSED)
			return false;
	}
	return true;
}
