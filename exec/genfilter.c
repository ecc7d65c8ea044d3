/*
 * Makes filter_bpf.h from filter.table while mayfly is built; the syntax of the
 * table is explained at its head. libseccomp knows the numbers of the calls.
 *
 *	genfilter [--arch NAME] [--without CALL] TABLE > HEADER
 *	genfilter [--arch NAME] [--without CALL] --check TABLE HEADER
 *
 * --check fails when HEADER is not what would be made now. --without makes
 * every row of one call an unconditional allow, to show that a test misses the
 * row.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <seccomp.h>

#include "genfilter.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define WITHOUT_MARK "Defence removed: "
#define FIRST_COMMON 424 /* from here on a number is the same everywhere */

/* Says which line of the table is wrong, and why. */
#define BAD(at, fmt, ...) errx(1, "%s:%u: " fmt, table, at, ##__VA_ARGS__)

static const struct arch {
	const char *name; /* of libseccomp; between underscores, of compilers */
	uint32_t token; /* of libseccomp; AUDIT_ARCH_* of the kernel */
} arches[] = {
	{ "x86_64", SCMP_ARCH_X86_64 },
	{ "aarch64", SCMP_ARCH_AARCH64 },
};

static const struct arch *arch;
static const char *table;
static struct without {
	char name[32];
	bool seen;
} without[8];
static size_t nwithout;

static uint32_t
parse_action(const char *name, unsigned line)
{
	if (strcmp(name, "allow") == 0)
		return SECCOMP_RET_ALLOW;
	for (int e = 1; e <= EHWPOISON; e++) {
		const char *known = strerrorname_np(e);

		if (known != NULL && strcmp(known, name) == 0)
			return SECCOMP_RET_ERRNO | (uint32_t)e;
	}
	BAD(line, "unknown action '%s'", name);
}

static uint32_t
parse_number(char **text, unsigned line)
{
	const char *start = *text;
	unsigned long n;

	errno = 0;
	n = strtoul(start, text, 0);
	if (!isdigit((unsigned char)*start) || errno != 0 || n > UINT32_MAX)
		BAD(line, "not a number of 32 bits: '%s'", start);
	return (uint32_t)n;
}

static void
add_condition(struct row *r, const struct condition *c)
{
	for (unsigned v = 0; v < c->nvalues; v++)
		if ((c->values[v] & ~c->mask) != 0)
			BAD(r->line, "a value that the mask never leaves");
	for (unsigned i = 0; i < r->nconditions; i++)
		if (r->conditions[i].word == c->word)
			BAD(r->line, "an argument is compared twice");
	if (r->nconditions == LENGTH(r->conditions))
		BAD(r->line, "too many conditions");
	r->conditions[r->nconditions++] = *c;
}

/* One of a0&0xf=1|2, a1&0xc00, a2=0; the last one looks at the upper word too.
 */
static void
parse_condition(struct row *r, char *text)
{
	struct condition c = { .mask = UINT32_MAX };
	struct condition upper = { .mask = UINT32_MAX, .nvalues = 1 };
	bool masked;

	if (text[0] != 'a' || text[1] < '0' || text[1] > '5')
		BAD(r->line, "a condition starts with an argument, a0 to a5");
	c.word = WORD_ARGS + 2 * (unsigned)(text[1] - '0');
	upper.word = c.word + 1;
	text += 2;
	masked = *text == '&';
	if (masked) {
		text++;
		c.mask = parse_number(&text, r->line);
	}
	while (*text == (c.nvalues == 0 ? '=' : '|') &&
	       c.nvalues < LENGTH(c.values)) {
		text++;
		c.values[c.nvalues++] = parse_number(&text, r->line);
	}
	if (*text != '\0' || c.mask == 0 || (!masked && c.nvalues != 1))
		BAD(r->line, "cannot read the condition at '%s'", text);
	add_condition(r, &c);
	if (!masked)
		add_condition(r, &upper);
}

/*
 * Cuts "?" and "@number" off. A name that no architecture has is an error even
 * with "?", or else a slip would be a hole.
 */
static void
parse_name(struct row *r)
{
	char *optional = strchr(r->name, '?'), *at = strchr(r->name, '@');
	uint32_t number = 0;
	bool known = false;

	if (optional != NULL)
		*optional = '\0';
	if (at != NULL) {
		*at++ = '\0';
		number = parse_number(&at, r->line);
		if (number < FIRST_COMMON || number >= NR_END || *at != '\0')
			BAD(r->line, "a number is only given from %d on",
			    FIRST_COMMON);
	}
	r->nr = seccomp_syscall_resolve_name_arch(arch->token, r->name);
	if (number != 0 && r->nr >= 0 && r->nr != (int)number)
		BAD(r->line, "the number of %s is %d", r->name, r->nr);
	if (number != 0)
		r->nr = (int)number;
	for (size_t i = 0; i < LENGTH(arches); i++)
		known = known || seccomp_syscall_resolve_name_arch(
				     arches[i].token, r->name) >= 0;
	if (r->nr >= NR_END || (number == 0 && !known))
		BAD(r->line, "there is no call '%s'", r->name);
	if (r->nr < 0 && optional == NULL)
		BAD(r->line, "not on %s; try '%s?'", arch->name, r->name);
}

/* Refuses a row that cannot be reached, or that leaves nothing to one above. */
static void
check_overlap(const struct section *s, const struct row *r)
{
	const struct row *above = NULL;

	for (const struct row *o = s->rows; o < s->rows + s->nrows; o++) {
		if (strcmp(o->name, r->name) != 0 &&
		    (r->nr < 0 || r->nr != o->nr))
			continue;
		above = o;
		if (o->kind != WHEN || r->kind == ALWAYS ||
		    memcmp(o->conditions, r->conditions,
			sizeof(r->conditions)) == 0)
			BAD(r->line, "%s stands in line %u already", r->name,
			    o->line);
	}
	if (r->kind == ELSE && above == NULL)
		BAD(r->line, "no row of %s stands above", r->name);
}

static void
without_add(const char *name)
{
	for (size_t i = 0; i < nwithout; i++)
		if (strcmp(without[i].name, name) == 0)
			return;
	if (nwithout == LENGTH(without) ||
	    strlen(name) >= sizeof(without->name))
		errx(64, "--without %s: too many, or too long", name);
	memcpy(without[nwithout++].name, name, strlen(name));
}

/* True when the row is one to be dropped, as the call has its allow already. */
static bool
without_apply(const struct section *s, struct row *r)
{
	struct without *w = without;

	while (w < without + nwithout && strcmp(w->name, r->name) != 0)
		w++;
	if (w == without + nwithout)
		return false;
	w->seen = true;
	r->action = SECCOMP_RET_ALLOW;
	r->kind = ALWAYS;
	for (const struct row *o = s->rows; o < s->rows + s->nrows; o++)
		if (strcmp(o->name, r->name) == 0)
			return true;
	return false;
}

static void
parse_row(struct section *s, const char *text, unsigned line)
{
	struct row r = { .line = line, .kind = WHEN };
	char action[32], list[128], *one, *rest = list;
	int reason = 0;

	if (sscanf(text, "%31s %31s %127s %n", r.name, action, list, &reason) !=
		3 ||
	    text[reason] == '\0')
		BAD(line, "a row is: name action condition reason");
	parse_name(&r);
	r.action = parse_action(action, line);
	if (strcmp(list, "-") == 0)
		r.kind = ALWAYS;
	else if (strcmp(list, "else") == 0)
		r.kind = ELSE;
	if (without_apply(s, &r))
		return;
	while (r.kind == WHEN && (one = strsep(&rest, ",")) != NULL)
		parse_condition(&r, one);
	check_overlap(s, &r);
	if (s->nrows + 1 == LENGTH(s->rows))
		BAD(line, "too many rows");
	s->rows[s->nrows++] = r;
}

static int
row_compare(const void *va, const void *vb)
{
	const struct row *a = va, *b = vb;

	if (a->nr != b->nr)
		return a->nr < b->nr ? -1 : 1;
	return a->line < b->line ? -1 : 1;
}

static void
print_section(FILE *out, struct section *s)
{
	static struct program p;
	uint32_t words[WORD_MAX];

	qsort(s->rows, s->nrows, sizeof(s->rows[0]), row_compare);
	s->rows[s->nrows].nr = NR_END;
	p.n = 0;
	program_compile(&p, s, arch->token);
	if (!program_verify(&p, s, arch->token, words))
		errx(1, "%s: [%s] is compiled wrongly: call %u(%#x, %#x, %#x)",
		    table, s->name, words[WORD_NR], words[WORD_ARGS],
		    words[WORD_ARGS + 2], words[WORD_ARGS + 4]);
	for (const struct row *r = s->rows; r < s->rows + s->nrows; r++)
		if (r->nr >= 0 && !r->decided)
			BAD(r->line, "this row never decides anything");
	fprintf(out, "\nstatic const struct sock_filter filter_%s[] = {\n",
	    s->name);
	for (unsigned i = p.n; i-- > 0;)
		fprintf(out, "\t{0x%02x, %u, %u, 0x%08x},\n", p.code[i].code,
		    p.code[i].jt, p.code[i].jf, p.code[i].k);
	fprintf(out, "};\n");
}

/* Starts the section that a line such as "[allow] ENOSYS" names. */
static void
parse_section(struct section *s, const char *text, unsigned line)
{
	char action[32];
	int end = 0;

	memset(s, 0, sizeof(*s));
	if (sscanf(text, "[%31[a-z]] %31s %n", s->name, action, &end) != 2 ||
	    text[end] != '\0')
		BAD(line, "a section is: [name] action");
	s->action = parse_action(action, line);
}

static void
translate(FILE *in, FILE *out)
{
	static struct section s;
	uint64_t checksum = 0xcbf29ce484222325; /* FNV-1a of the table */
	char *text = NULL;
	size_t size = 0;
	unsigned line = 0;

	fprintf(out, "/* Made by genfilter from filter.table. */\n");
	for (size_t i = 0; i < nwithout; i++)
		fprintf(out, "/* " WITHOUT_MARK "%s */\n", without[i].name);
	fprintf(out, "#ifndef __%s__\n", arch->name);
	fprintf(out, "#error \"this filter is for %s\"\n", arch->name);
	fprintf(out, "#endif\n");
	while (getline(&text, &size, in) > 0) {
		line++;
		for (const char *c = text; *c != '\0'; c++)
			checksum = (checksum ^ (uint8_t)*c) * 0x100000001b3;
		if (*text == '[') {
			if (s.nrows > 0)
				print_section(out, &s);
			parse_section(&s, text, line);
		} else if (*text != '#' && *text != '\n') {
			if (s.name[0] == '\0')
				BAD(line, "a row before the first section");
			parse_row(&s, text, line);
		}
	}
	if (ferror(in) || s.nrows == 0)
		errx(1, "%s: cannot be read, or ends too early", table);
	print_section(out, &s);
	fprintf(
	    out, "\n/* checksum %016llx */\n", (unsigned long long)checksum);
	free(text);
}

/* The text of a header, which says what it was made without. */
static char *
header_read(const char *path)
{
	FILE *in = fopen(path, "re");
	char *text = NULL, name[32];
	size_t size = 0;

	if (in == NULL || getdelim(&text, &size, '\0', in) <= 0)
		err(1, "%s", path);
	fclose(in);
	for (const char *s = text; (s = strstr(s, WITHOUT_MARK)) != NULL;) {
		s += strlen(WITHOUT_MARK);
		if (sscanf(s, "%31s", name) == 1)
			without_add(name);
	}
	return text;
}

static const struct arch *
arch_find(uint32_t token, const char *name)
{
	for (size_t i = 0; i < LENGTH(arches); i++)
		if (name != NULL ? strcmp(arches[i].name, name) == 0
				 : arches[i].token == token)
			return &arches[i];
	errx(64, "no such architecture here: %s", name ? name : "this one");
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "arch", required_argument,
						     NULL, 'a' },
		{ "check", no_argument, NULL, 'c' },
		{ "without", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 } };
	const char *arch_name = NULL;
	bool checking = false;
	char *header, *found = NULL;
	size_t size;
	FILE *in, *out;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'a')
			arch_name = optarg;
		else if (c == 'c')
			checking = true;
		else if (c == 'w')
			without_add(optarg);
		else
			return 64;
	}
	if (argc - optind != (checking ? 2 : 1))
		errx(64,
		    "usage: genfilter [--arch NAME] [--without CALL] [--check] TABLE [HEADER]");
	arch = arch_find(seccomp_arch_native(), arch_name);
	table = argv[optind];
	if (checking)
		found = header_read(argv[optind + 1]);
	if ((in = fopen(table, "re")) == NULL)
		err(1, "%s", table);
	if ((out = open_memstream(&header, &size)) == NULL)
		err(1, "open_memstream");
	translate(in, out);
	if (fclose(out) != 0)
		err(1, "open_memstream");
	for (size_t i = 0; i < nwithout; i++)
		if (!without[i].seen)
			errx(1, "%s: no row of %s", table, without[i].name);
	if (found == NULL) {
		if (fputs(header, stdout) == EOF || fflush(stdout) != 0)
			err(1, "stdout");
	} else if (strcmp(found, header) != 0) {
		errx(1, "%s: stale: %s or genfilter has changed",
		    argv[optind + 1], table);
	}
	return 0;
}
