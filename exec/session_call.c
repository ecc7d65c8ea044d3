#include "session_call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "verdict.h"

const char *
call_self(void)
{
	static char owner[SESSION_OWNER_MAX + 1];

	(void)snprintf(owner, sizeof(owner), "uid:%u", (unsigned)geteuid());
	return owner;
}

/* Takes "--json" out of the words. */
static bool
take_json(char **words)
{
	char **to = words;
	bool found = false;

	for (char **w = words; *w != NULL; w++) {
		if (strcmp(*w, "--json") == 0)
			found = true;
		else
			*to++ = *w;
	}
	*to = NULL;
	return found;
}

int
call_begin(struct call *k, char **words, bool has_json)
{
	char why[512];

	session_init(&k->session);
	k->words = words;
	k->json = has_json && take_json(words);
	if (config_read(&k->config, why, sizeof(why)) != 0) {
		complain("config: %s", why);
		return EXIT_OWN;
	}
	/* Root sees all. */
	k->owner = geteuid() == 0 ? NULL : call_self();
	return 0;
}

int
call_tell(const struct call *k, enum session_result r, const char *what,
    const char *id)
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
		complain("session: %s", k->failure.detail);
		return EXIT_USAGE;
	default:
		complain("%s", failure_text(&k->failure, text, sizeof(text)));
		return EXIT_OWN;
	}
}

int
call_untold(void)
{
	complain("stdout: %s", strerror(errno));
	return EXIT_OWN;
}
