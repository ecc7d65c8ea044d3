/*
 * The machine's own sources of packages, in both their forms: lines, and
 * paragraphs of fields; sources.list(5). There are others than the
 * distribution's among them, which have names of their own for what they have,
 * or no component main.
 */
#include "mirror.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANK " \t\r\n"

/* What a source has; the texts are lists of words. */
struct offer {
	char types[64], uris[512], suites[512], components[512], enabled[8];
};

struct search {
	const char *suite;
	char own[64]; /* the machine's own release, or "" */
	bool exact; /* suite itself was found */
	char *ret;
	size_t size;
};

static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*(list += strspn(list, BLANK)) != '\0') {
		size_t n = strcspn(list, BLANK);

		if (n == len && memcmp(list, word, len) == 0)
			return true;
		list += n;
	}
	return false;
}

static void
append(char *list, size_t size, const char *text)
{
	size_t len = strlen(list);

	(void)snprintf(list + len, size - len, " %s", text);
}

static void
consider(struct search *s, const struct offer *o)
{
	const char *uri = o->uris + strspn(o->uris, BLANK);
	size_t len = strcspn(uri, BLANK);
	bool exact = has_word(o->suites, s->suite);

	if (s->exact || (!exact && *s->ret != '\0') ||
	    (!exact && !has_word(o->suites, s->own)) ||
	    !has_word(o->types, "deb") || !has_word(o->components, "main") ||
	    has_word(o->enabled, "no"))
		return;
	if (strstr(uri, "://") == NULL || len >= s->size)
		return;
	memcpy(s->ret, uri, len);
	s->ret[len] = '\0';
	s->exact = exact;
}

/* "deb [OPTION=VALUE]... URI SUITE COMPONENT..." */
static void
take_line(struct search *s, char *line)
{
	struct offer o = { .types = "" };
	char *word = line + strspn(line, BLANK), *end;

	word[strcspn(word, "#")] = '\0';
	if (strncmp(word, "deb", 3) != 0 || strchr(" \t", word[3]) == NULL)
		return;
	(void)strcpy(o.types, "deb");
	word += 3 + strspn(word + 3, BLANK);
	if (*word == '[' && (end = strchr(word, ']')) != NULL)
		word = end + 1;
	word += strspn(word, BLANK);
	end = word + strcspn(word, BLANK);
	(void)snprintf(o.uris, sizeof(o.uris), "%.*s", (int)(end - word), word);
	word = end + strspn(end, BLANK);
	end = word + strcspn(word, BLANK);
	(void)snprintf(
	    o.suites, sizeof(o.suites), "%.*s", (int)(end - word), word);
	(void)snprintf(o.components, sizeof(o.components), "%s", end);
	consider(s, &o);
}

/* The list that a field is; a line that begins with a blank goes on with it. */
static char *
find_field(struct offer *o, const char *line, size_t *ret_size)
{
	const struct {
		const char *name;
		char *list;
		size_t size;
	} fields[] = {
		{ "Types:", o->types, sizeof(o->types) },
		{ "URIs:", o->uris, sizeof(o->uris) },
		{ "Suites:", o->suites, sizeof(o->suites) },
		{ "Components:", o->components, sizeof(o->components) },
		{ "Enabled:", o->enabled, sizeof(o->enabled) },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (strncasecmp(line, fields[i].name, strlen(fields[i].name)) ==
		    0) {
			*ret_size = fields[i].size;
			return fields[i].list;
		}
	}
	return NULL;
}

static void
take_paragraphs(struct search *s, FILE *f)
{
	struct offer o = { .types = "" };
	char line[1024], *list = NULL;
	size_t size = 0;

	while (fgets(line, sizeof(line), f) != NULL) {
		if (*line == '#')
			continue;
		if (line[strspn(line, BLANK)] == '\0') {
			consider(s, &o);
			memset(&o, 0, sizeof(o));
			list = NULL;
			continue;
		}
		if (strchr(" \t", *line) == NULL)
			list = find_field(&o, line, &size);
		if (list != NULL)
			append(list, size,
			    strchr(" \t", *line) != NULL
				? line
				: strchr(line, ':') + 1);
	}
	consider(s, &o);
}

static void
search_file(struct search *s, const char *path)
{
	size_t len = strlen(path);
	FILE *f = fopen(path, "re");
	char line[1024];

	if (f == NULL)
		return;
	if (len > 8 && strcmp(path + len - 8, ".sources") == 0)
		take_paragraphs(s, f);
	else
		while (fgets(line, sizeof(line), f) != NULL)
			take_line(s, line);
	(void)fclose(f);
}

/* Is the machine of that distribution, and which release of it? */
static bool
read_release(const char *distro, char *ret, size_t size)
{
	FILE *f = fopen("/etc/os-release", "re");
	char line[256], *value;
	bool own = false;

	*ret = '\0';
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		value = strchr(line, '=');
		if (value == NULL)
			continue;
		*value++ = '\0';
		if (strcmp(line, "ID") == 0)
			own = strcmp(value, distro) == 0;
		else if (strcmp(line, "VERSION_CODENAME") == 0)
			(void)snprintf(ret, size, "%s", value);
	}
	if (f != NULL)
		(void)fclose(f);
	return own;
}

bool
mirror_of_machine(const char *distro, const char *suite, char *ret, size_t size)
{
	static const char *const patterns[] = { "/etc/apt/sources.list",
		"/etc/apt/sources.list.d/*.list",
		"/etc/apt/sources.list.d/*.sources" };
	struct search s = { .suite = suite, .ret = ret, .size = size };
	glob_t files = { 0 };

	*ret = '\0';
	if (!read_release(distro, s.own, sizeof(s.own)))
		return false;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
		(void)glob(patterns[i], i == 0 ? 0 : GLOB_APPEND, NULL, &files);
	for (size_t i = 0; i < files.gl_pathc; i++)
		search_file(&s, files.gl_pathv[i]);
	globfree(&files);
	return *ret != '\0';
}
