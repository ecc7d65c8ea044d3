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

static struct call call = {
	.session = { .root = -1, .dir = -1, .lock = -1, .cancel = -1 }
};

static int
tell(enum session_result r, const char *id)
{
	return call_tell(r, "session", id, &call.failure);
}

static int
create(void)
{
	struct session *s = &call.session;
	const char *from = NULL, *value;
	enum session_result r;
	int status;

	s->limits = call.config.limits;
	(void)snprintf(s->owner, sizeof(s->owner), "%s", call_self());
	for (char **w = call.words; *w != NULL;) {
		if (w >= call.data)
			return call_extra(&call, w);
		if ((value = words_value(&w, "snapshot")) != NULL) {
			from = value;
			continue;
		}
		status = words_create(&w, s);
		if (status == 1)
			return call_extra(&call, w);
		if (status != 0)
			return status;
	}
	if (from != NULL && *s->image != '\0')
		return words_wrong("image: a snapshot has its own:", from);
	r = from != NULL ? snapshot_begin(
			       &call.config, call.owner, from, s, &call.failure)
			 : session_create(&call.config, s, &call.failure);
	if (r == SESSION_FULL) {
		complain("%s: %s", call.failure.step, call.failure.detail);
		return EXIT_OWN;
	}
	if (r != SESSION_OK)
		return tell(r, "");
	return puts(s->id) < 0 || fflush(stdout) != 0 ? EXIT_OWN : 0;
}

static void
print_moment(const char *name, int64_t moment)
{
	char text[MOMENT_SIZE];

	(void)printf("%-14s%s\n", name,
	    moment == SESSION_NEVER ? "none" : moment_format(moment, text));
}

/* What its owner says, who may be another one than who reads it here. */
static void
print_text(const char *name, const char *text, size_t len)
{
	(void)printf("%-14s", name);
	command_print(text, len);
	(void)putchar('\n');
}

/* For people: one line each; the values of the environment stay unsaid. */
static void
print_session(const struct session *s)
{
	(void)printf("%-14s%s\n%-14s%s\n%-14s%s\n", "id", s->id, "owner",
	    s->owner, "image", s->image);
	print_text("cwd", s->cwd, strlen(s->cwd));
	if (*s->parent != '\0')
		(void)printf("%-14s%s\n", "parent", s->parent);
	print_moment("created_at", s->created_at);
	print_moment("last_used_at", s->last_used_at);
	print_moment("expires_at", s->expires_at);
	if (s->ttl == SESSION_NEVER)
		(void)printf("%-14s%s\n", "ttl", "none");
	else
		(void)printf("%-14s%" PRId64 "\n", "ttl", s->ttl);
	for (size_t i = 0; i < s->env_count; i++)
		print_text("env", s->env[i], strcspn(s->env[i], "="));
}

static int
show(void)
{
	enum session_result r;
	int status = call_arguments(&call, 1);

	if (status != 0)
		return status;
	r = session_show(&call.config, call.owner, call.words[0], &call.session,
	    &call.failure);
	if (r != SESSION_OK)
		return tell(r, call.words[0]);
	if (!call.json)
		print_session(&call.session);
	else if (report_session(STDOUT_FILENO, &call.session) != 0)
		return call_untold();
	return 0;
}

/* What has been listed so far. */
struct listed {
	struct report_sessions *report; /* NULL: as text */
};

static bool
list_one(void *context, const struct session *s)
{
	struct listed *l = context;
	char text[MOMENT_SIZE];

	if (l->report != NULL)
		report_sessions_add(l->report, s);
	else
		(void)printf("%s %s %s\n", s->id,
		    moment_format(s->created_at, text), s->owner);
	return true;
}

static int
list(void)
{
	uint64_t limit = UINT64_MAX;
	const char *after = NULL, *value;
	struct listed l = { NULL };
	enum session_result r;
	int status;

	for (char **w = call.words; *w != NULL;) {
		if ((value = call_value(&call, &w, "after")) != NULL) {
			after = value;
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
	if (call.json && (l.report = report_sessions_begin()) == NULL)
		return call_untold();
	r = session_list(&call.config, call.owner, after, limit, list_one, &l,
	    &call.failure);
	if (r != SESSION_OK)
		return tell(r, "");
	if (call.json && report_sessions_end(l.report, STDOUT_FILENO) != 0)
		return call_untold();
	return 0;
}

/* The words behind ID: "NAME=VALUE", or "--unset NAME". */
static enum session_result
change_env(struct session *s, const void *context, struct failure *f)
{
	enum session_result r = SESSION_OK;
	const char *value;

	(void)context;
	for (char **w = call.words + 1; *w != NULL && r == SESSION_OK;) {
		value = call_value(&call, &w, "unset");
		if (value != NULL && strchr(value, '=') == NULL) {
			r = session_merge_env(s, value, f);
		} else if (value != NULL || strchr(*w, '=') == NULL) {
			(void)failure_set(f, "session", 0, "env: '%.80s' is %s",
			    value != NULL ? value : *w,
			    value != NULL ? "not the name of a variable"
					  : "not of the form NAME=VALUE");
			r = SESSION_WRONG;
		} else {
			r = session_merge_env(s, *w++, f);
		}
	}
	return r;
}

static enum session_result
change_ttl(struct session *s, const void *context, struct failure *f)
{
	const struct session *wanted = context;

	if (wanted->ttl != SESSION_STANDARD)
		s->ttl = wanted->ttl;
	if (wanted->expires_at == SESSION_STANDARD)
		return SESSION_OK;
	s->expires_at = wanted->expires_at;
	return session_check_expiry(s, f);
}

static int
env(void)
{
	int status;

	for (char **w = call.words + 1; *w != NULL;) {
		if (call_value(&call, &w, "unset") != NULL)
			continue;
		status = call_argument(&call, w++);
		if (status != 0)
			return status;
	}
	return tell(session_change(&call.config, call.owner, call.words[0],
			change_env, NULL, &call.session, &call.failure),
	    call.words[0]);
}

static int
cwd(void)
{
	int status = call_arguments(&call, 2);

	if (status != 0)
		return status;
	if (call.words[1] == NULL) {
		complain("session: cwd takes an id and a directory");
		return EXIT_USAGE;
	}
	return tell(session_set_cwd(&call.config, call.owner, call.words[0], -1,
			call.words[1], &call.session, &call.failure),
	    call.words[0]);
}

static int
ttl(void)
{
	static struct session wanted = { .ttl = SESSION_STANDARD,
		.expires_at = SESSION_STANDARD };
	const char *value;
	int status = 0;

	for (char **w = call.words + 1; *w != NULL && status == 0;) {
		value = call_value(&call, &w, "expires");
		if (value != NULL)
			status = words_expires(value, &wanted.expires_at);
		else if (wanted.ttl != SESSION_STANDARD)
			status = call_extra(&call, w);
		else if ((status = call_argument(&call, w)) == 0)
			status = words_ttl(*w++, &wanted.ttl);
	}
	if (status != 0)
		return status;
	return tell(session_change(&call.config, call.owner, call.words[0],
			change_ttl, &wanted, &call.session, &call.failure),
	    call.words[0]);
}

static int
remove_session(void)
{
	int status = call_arguments(&call, 1);

	if (status != 0)
		return status;
	return tell(session_delete(
			&call.config, call.owner, call.words[0], &call.failure),
	    call.words[0]);
}

static int
snapshot(void)
{
	return copies_snapshot(&call);
}

static int
fork_session(void)
{
	return copies_fork(&call);
}

static int
tree(void)
{
	return copies_tree(&call);
}

static int export(void)
{
	int status = call_arguments(&call, 1);

	return status != 0 ? status : session_export(&call);
}

static const struct verb {
	const char *name;
	int (*run)(void);
	bool on_one; /* the first word is an id */
	bool has_json;
	const char *usage, *help;
} verbs[] = {
	{ "create", create, false, false, "[OPTION]...",
	    "make one and print its id; --env NAME=VALUE, --cwd DIR,\n"
	    "      --image NAME, --snapshot ID, --ttl SECONDS|none, --expires "
	    "TIME|none,\n      and limits" },
	{ "list", list, false, true, "[--json] [--limit N] [--after ID]",
	    "the oldest first" },
	{ "show", show, true, true, "ID [--json]", "what is known of it" },
	{ "run", NULL, true, false, "ID [OPTION]... [--] COMMAND [ARGUMENT]...",
	    "as mayfly run, and what it writes stays" },
	{ "env", env, true, false, "ID [NAME=VALUE | --unset NAME]...",
	    "change its variables" },
	{ "cwd", cwd, true, false, "ID DIR", "where its runs start" },
	{ "ttl", ttl, true, false, "ID [SECONDS|none] [--expires TIME|none]",
	    "how long it lives, idle and at all" },
	{ "snapshot", snapshot, true, true, "ID [NAME] [--json]",
	    "keep what it is now, and print the snapshot's id" },
	{ "fork", fork_session, true, true, "ID [COUNT] [--json]",
	    "make COUNT sessions of it, and print their ids" },
	{ "tree", tree, true, true, "ID [--json]",
	    "all that came from its first ancestor" },
	{ "export", export, true, false, "ID >FILE.tar",
	    "its root as a tar archive; of the image host, what runs wrote" },
	{ "delete", remove_session, true, false, "ID",
	    "end what runs in it, and remove it" },
};

#define VERB_COUNT (sizeof(verbs) / sizeof(*verbs))

static int
help(void)
{
	(void)puts("usage: mayfly session VERB ...\n");
	for (size_t i = 0; i < VERB_COUNT; i++)
		(void)printf("  mayfly session %s %s\n      %s\n",
		    verbs[i].name, verbs[i].usage, verbs[i].help);
	(void)puts("\nSee mayfly(1).");
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
	if (v->run == NULL)
		return run_in_session(argc - 2, argv + 2);
	status = call_begin(&call, argv + 2, v->has_json);
	if (status == 0)
		status = v->run();
	return status == CALL_HELP ? help() : status;
}

int
session_main(int argc, char **argv)
{
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
