#include "session_call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "session_words.h"
#include "verdict.h"

const char *
call_self(void)
{
	static char owner[SESSION_OWNER_MAX + 1];

	(void)snprintf(owner, sizeof(owner), "uid:%u", (unsigned)geteuid());
	return owner;
}

const char *
call_owner(void)
{
	/* Root sees all. */
	return geteuid() == 0 ? NULL : call_self();
}

/* Takes "--json" and "--" out of the words; behind that all is data. */
static void
take_options(struct call *k, char **words, bool has_json)
{
	char **to = words;

	k->words = words;
	k->data = NULL;
	k->json = false;
	for (char **w = words; *w != NULL; w++) {
		if (k->data == NULL && strcmp(*w, "--") == 0)
			k->data = to;
		else if (k->data == NULL && has_json &&
			 strcmp(*w, "--json") == 0)
			k->json = true;
		else
			*to++ = *w;
	}
	*to = NULL;
	if (k->data == NULL)
		k->data = to;
}

int
call_begin(struct call *k, char **words, bool has_json)
{
	char why[512];

	session_init(&k->session);
	take_options(k, words, has_json);
	if (config_read(&k->config, why, sizeof(why)) != 0) {
		complain("config: %s", why);
		return EXIT_OWN;
	}
	k->owner = call_owner();
	return 0;
}

int
call_argument(const struct call *k, char **w)
{
	/* A number below 0 is wrong as what it is. */
	if (w >= k->data || **w != '-' || (*w)[1] == '\0' ||
	    ((*w)[1] >= '0' && (*w)[1] <= '9'))
		return 0;
	if (strcmp(*w, "--help") == 0)
		return CALL_HELP;
	return words_wrong("unknown option", *w);
}

const char *
call_value(const struct call *k, char ***w, const char *name)
{
	return *w < k->data ? words_value(w, name) : NULL;
}

int
call_extra(const struct call *k, char **w)
{
	int status = call_argument(k, w);

	return status != 0 ? status : words_wrong("one argument too many:", *w);
}

int
call_arguments(const struct call *k, size_t max)
{
	int status = 0;

	for (char **w = k->words + 1; *w != NULL && status == 0; w++)
		status =
		    w < k->words + max ? call_argument(k, w) : call_extra(k, w);
	return status;
}

int
call_tell(enum session_result r, const char *what, const char *id,
    const struct failure *f)
{
	char text[320];

	switch (r) {
	case SESSION_OK:
		return 0;
	case SESSION_NOT_FOUND:
		complain("session: there is no %s '%.40s'", what, id);
		return EXIT_OWN;
	case SESSION_BUSY:
		complain("session: %s is busy", id);
		return EXIT_OWN;
	case SESSION_WRONG:
		complain("session: %s", f->detail);
		return EXIT_USAGE;
	default:
		complain("%s", failure_text(f, text, sizeof(text)));
		return EXIT_OWN;
	}
}

int
call_untold(void)
{
	complain("stdout: %s", strerror(errno));
	return EXIT_OWN;
}
