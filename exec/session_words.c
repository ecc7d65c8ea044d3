#include "session_words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "moment.h"
#include "verdict.h"

static const char *subcommand = "session";

void
words_of_snapshot(void)
{
	subcommand = "snapshot";
}

int
words_wrong(const char *what, const char *word)
{
	complain("%s: %s '%.80s'", subcommand, what, word);
	return EXIT_USAGE;
}

int
words_lack_id(const char *verb)
{
	complain("%s: %s needs an id", subcommand, verb);
	return EXIT_USAGE;
}

int
words_lack_verb(void)
{
	complain(
	    "%s: no verb given; see mayfly %s --help", subcommand, subcommand);
	return EXIT_USAGE;
}

const char *
words_value(char ***words, const char *name)
{
	char *word = **words;
	size_t len = strlen(name);

	if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, name, len) != 0)
		return NULL;
	if (word[len + 2] == '=') {
		++*words;
		return word + len + 3;
	}
	if (word[len + 2] != '\0')
		return NULL;
	if ((*words)[1] == NULL) {
		complain("%s: option '--%s' needs a value", subcommand, name);
		exit(EXIT_USAGE);
	}
	*words += 2;
	return (*words)[-1];
}

int
words_ttl(const char *text, int64_t *ret)
{
	char *end;

	if (strcmp(text, "none") == 0) {
		*ret = SESSION_NEVER;
		return 0;
	}
	errno = 0;
	*ret = strtoll(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0')
		return words_wrong("ttl: neither seconds nor none:", text);
	if (errno == 0 && *ret >= 1 && *ret <= SESSION_TTL_MAX)
		return 0;
	complain("session: ttl: not a whole number of seconds from 1 to "
		 "%" PRId64,
	    SESSION_TTL_MAX);
	return EXIT_USAGE;
}

int
words_expires(const char *text, int64_t *ret)
{
	if (strcmp(text, "none") == 0) {
		*ret = SESSION_NEVER;
		return 0;
	}
	if (moment_parse(text, ret) != 0)
		return words_wrong("expires: neither RFC 3339 nor none:", text);
	return 0;
}

int
words_count(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0)
		return words_wrong("limit: not a number:", text);
	return 0;
}

/* "--time 5000" and the like, at *words: 1 when it is none. */
static int
parse_limit(char ***words, struct limits *l)
{
	const char *value;
	char why[160];

	for (int i = 0; i < LIMIT_MAX; i++) {
		value = words_value(words, limit_rules[i].name);
		if (value == NULL)
			continue;
		if (limits_set(l, i, value, why, sizeof(why)) == 0)
			return 0;
		complain("session: %s", why);
		return EXIT_USAGE;
	}
	return 1;
}

/* Nothing stands for the default, and that is not what was asked for. */
static int
set_text(char *field, size_t size, const char *name, const char *value)
{
	if (*value == '\0')
		return words_wrong("an empty value for", name);
	if (strlen(value) >= size)
		return words_wrong("too long a value for", name);
	(void)snprintf(field, size, "%s", value);
	return 0;
}

int
words_create(char ***words, struct session *s)
{
	const char *value;
	struct failure f;

	if ((value = words_value(words, "env")) != NULL) {
		if (strchr(value, '=') == NULL)
			return words_wrong(
			    "env: not of the form NAME=VALUE:", value);
		if (session_merge_env(s, value, &f) == SESSION_OK)
			return 0;
		complain("session: %s", f.detail);
		return EXIT_USAGE;
	}
	if ((value = words_value(words, "cwd")) != NULL)
		return set_text(s->cwd, sizeof(s->cwd), "--cwd", value);
	if ((value = words_value(words, "image")) != NULL)
		return set_text(s->image, sizeof(s->image), "--image", value);
	if ((value = words_value(words, "ttl")) != NULL)
		return words_ttl(value, &s->ttl);
	if ((value = words_value(words, "expires")) != NULL)
		return words_expires(value, &s->expires_at);
	return parse_limit(words, &s->limits);
}
