#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "moment.h"
#include "report.h"
#include "session_call.h"
#include "session_words.h"
#include "snapshot.h"
#include "verdict.h"

static struct call call;

/* Where they are listed; NULL: as text. */
static bool
list_one(void *context, const struct snapshot *n)
{
	char text[MOMENT_SIZE];

	if (context != NULL) {
		report_snapshots_add(context, n);
		return true;
	}
	(void)printf("%s %s %s %" PRIu64 " %s\n", n->as.id, n->as.parent,
	    moment_format(n->as.created_at, text), n->size_kb, n->name);
	return true;
}

static int
list(void)
{
	struct report_sessions *report = NULL;
	const char *of = NULL, *after = NULL, *value;
	uint64_t limit = UINT64_MAX;
	enum session_result r;
	int status;

	for (char **w = call.words; *w != NULL;) {
		if ((value = call_value(&call, &w, "after")) != NULL) {
			after = value;
		} else if ((value = call_value(&call, &w, "session")) != NULL) {
			of = value;
		} else if ((value = call_value(&call, &w, "limit")) != NULL) {
			status = words_count(value, &limit);
			if (status != 0)
				return status;
		} else {
			return call_extra(&call, w);
		}
	}
	if (after != NULL && !session_is_id(after))
		return words_wrong("after: not an id:", after);
	if (of != NULL && !session_is_id(of))
		return words_wrong("session: not an id:", of);
	if (call.json)
		report = report_sessions_begin();
	r = snapshot_list(&call.config, call.owner, of, after, limit, list_one,
	    report, &call.failure);
	if (r != SESSION_OK)
		return call_tell(r, "snapshot", "", &call.failure);
	if (call.json && report_sessions_end(report, STDOUT_FILENO) != 0)
		return call_untold();
	return 0;
}

static int
show(void)
{
	static struct snapshot n;
	char text[MOMENT_SIZE];
	enum session_result r;
	int status = 0;

	snapshot_init(&n);
	r = snapshot_show(
	    &call.config, call.owner, call.words[0], &n, &call.failure);
	if (r != SESSION_OK)
		status = call_tell(r, "snapshot", call.words[0], &call.failure);
	else if (!call.json)
		(void)printf("%-14s%s\n%-14s%s\n%-14s%s\n%-14s%s\n%-14s%s\n"
			     "%-14s%" PRIu64 "\n",
		    "id", n.as.id, "session", n.as.parent, "owner", n.as.owner,
		    "name", n.name, "created_at",
		    moment_format(n.as.created_at, text), "size_kb", n.size_kb);
	else if (report_snapshot(STDOUT_FILENO, &n) != 0)
		status = call_untold();
	snapshot_free(&n);
	return status;
}

static int
remove_snapshot(void)
{
	return call_tell(snapshot_delete(&call.config, call.owner,
			     call.words[0], &call.failure),
	    "snapshot", call.words[0], &call.failure);
}

static const struct verb {
	const char *name;
	int (*run)(void);
	bool on_one; /* the one word is an id */
	bool has_json;
	const char *usage, *help;
} verbs[] = {
	{ "list", list, false, true,
	    "[--json] [--session ID] [--limit N] [--after ID]",
	    "the oldest first" },
	{ "show", show, true, true, "ID [--json]", "what is known of it" },
	{ "delete", remove_snapshot, true, false, "ID",
	    "remove it; sessions made from it stay" },
};

#define VERB_COUNT (sizeof(verbs) / sizeof(*verbs))

static int
help(void)
{
	(void)puts("usage: mayfly snapshot VERB ...\n");
	for (size_t i = 0; i < VERB_COUNT; i++)
		(void)printf("  mayfly snapshot %s %s\n      %s\n",
		    verbs[i].name, verbs[i].usage, verbs[i].help);
	(void)puts("\nmayfly session snapshot ID makes one. See mayfly(1).");
	return 0;
}

static int
run_verb(const struct verb *v, int argc, char **argv)
{
	int status;

	if (argc > 2 && strcmp(argv[2], "--help") == 0)
		return help();
	if (v->on_one && (argc < 3 || argv[2][0] == '-'))
		return words_lack_id(v->name);
	status = call_begin(&call, argv + 2, v->has_json);
	if (status == 0 && v->on_one)
		status = call_arguments(&call, 1);
	if (status == 0)
		status = v->run();
	return status == CALL_HELP ? help() : status;
}

int
snapshot_main(int argc, char **argv)
{
	words_of_snapshot();
	if (argc < 2)
		return words_lack_verb();
	if (strcmp(argv[1], "--help") == 0)
		return help();
	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (strcmp(argv[1], verbs[i].name) == 0)
			return run_verb(&verbs[i], argc, argv);
	}
	return words_wrong("there is no verb", argv[1]);
}
