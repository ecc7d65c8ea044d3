/*
 * The root of a session as an archive. What is in it was made by its runs, so
 * that a tool reads it in a sandbox, as a user of that; here only bytes go by.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "images.h"
#include "session_call.h"
#include "verdict.h"
#include "work.h"

/* What the layers make together goes to the output. 0, or -1 with f. */
static int
write_archive(const struct config *c, const struct plan *layers, int cancel,
    struct failure *f)
{
	static const char *const words[] = { "pack", PLAN_SHOWN "/all", NULL };
	const struct work w = { .config = c, .dir = -1 };
	struct job j;

	job_init(&j, "export", words);
	j.layers = layers;
	j.layer_count = layers->layer_count;
	j.cancel = cancel;
	j.out = STDOUT_FILENO;
	j.whole = true;
	return work_tool(&w, &j, NULL, f);
}

static enum session_result
export_open(struct call *k)
{
	static struct plan layers;
	enum session_result r;

	plan_init(&layers);
	r = session_open_layers(&k->config, &k->session, &layers, &k->failure);
	if (r == SESSION_OK && write_archive(&k->config, &layers,
				   k->session.cancel, &k->failure) != 0)
		r = SESSION_FAILED;
	images_release(&layers);
	return r;
}

int
session_export(struct call *k)
{
	const char *id = k->words[0];
	enum session_result r;

	if (!command_stream_given(STDOUT_FILENO)) {
		complain("stdout: it is closed");
		return EXIT_OWN;
	}
	if (isatty(STDOUT_FILENO)) {
		complain("session: export: the output is an archive, and no "
			 "text for a terminal: mayfly session export %.40s "
			 ">FILE.tar",
		    id);
		return EXIT_USAGE;
	}
	r = session_open_to_read(
	    &k->config, k->owner, id, &k->session, &k->failure);
	if (r == SESSION_OK) {
		r = export_open(k);
		session_close(&k->session);
	}
	return call_tell(r, "session", id, &k->failure);
}
