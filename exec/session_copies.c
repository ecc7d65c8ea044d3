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
#include "tree.h"
#include "verdict.h"

int
copies_snapshot(struct call *k)
{
	static struct snapshot n;
	const char *id = k->words[0], *name = k->words[1];
	enum session_result r;
	int status = call_arguments(k, 2);

	if (status != 0)
		return status;
	snapshot_init(&n);
	if (name != NULL && strlen(name) > SNAPSHOT_NAME_MAX)
		return words_wrong("name: longer than 128 bytes:", name);
	(void)snprintf(n.name, sizeof(n.name), "%s", name != NULL ? name : "");
	(void)snprintf(n.as.owner, sizeof(n.as.owner), "%s", call_self());
	r = snapshot_take(&k->config, k->owner, id, -1, &n, &k->failure);
	if (r != SESSION_OK)
		status = call_tell(r, "session", id, &k->failure);
	else if (k->json)
		status =
		    report_snapshot(STDOUT_FILENO, &n) == 0 ? 0 : call_untold();
	else
		status =
		    puts(n.as.id) < 0 || fflush(stdout) != 0 ? EXIT_OWN : 0;
	snapshot_free(&n);
	return status;
}

/* Where the sessions are listed; NULL: their ids as text. */
static void
print_child(void *context, const struct session *s)
{
	if (context != NULL)
		report_sessions_add(context, s);
	else
		(void)puts(s->id);
}

int
copies_fork(struct call *k)
{
	const char *id = k->words[0], *word = k->words[1];
	struct report_sessions *report = NULL;
	enum session_result r;
	unsigned long count = 1;
	char *end = NULL;
	int status = call_arguments(k, 2);

	if (status != 0)
		return status;
	if (word != NULL) {
		count = strtoul(word, &end, 10);
		if (*word < '0' || *word > '9' || *end != '\0')
			return words_wrong("count: not a number:", word);
	}
	if (k->json)
		report = report_sessions_begin();
	r = session_fork(&k->config, k->owner, id, -1, call_self(), count,
	    print_child, report, &k->failure);
	if (r != SESSION_OK)
		return call_tell(r, "session", id, &k->failure);
	if (k->json && report_sessions_end(report, STDOUT_FILENO) != 0)
		return call_untold();
	return 0;
}

/* Is there one more child of the same parent further down? */
static bool
has_next(const struct relative *all, size_t n, size_t i, size_t depth)
{
	while (++i < n && all[i].depth >= depth) {
		if (all[i].depth == depth)
			return true;
	}
	return false;
}

static void
print_tree(const struct relative *all, size_t n, const char *self)
{
	char text[MOMENT_SIZE];

	for (size_t i = 0; i < n; i++) {
		size_t depth = all[i].depth;

		for (size_t d = 1; d < depth; d++)
			(void)fputs(
			    has_next(all, n, i, d) ? "|   " : "    ", stdout);
		if (depth > 0)
			(void)fputs(
			    has_next(all, n, i, depth) ? "|-- " : "`-- ",
			    stdout);
		(void)printf("%s %s%s%s\n", all[i].id,
		    moment_format(all[i].created_at, text),
		    all[i].deleted ? " deleted" : "",
		    strcmp(all[i].id, self) == 0 ? " *" : "");
	}
}

int
copies_tree(struct call *k)
{
	const char *id = k->words[0];
	struct relative *all = NULL;
	enum session_result r;
	size_t n = 0;
	int status = call_arguments(k, 1);

	if (status != 0)
		return status;
	r = tree_show(&k->config, k->owner, id, &all, &n, &k->failure);
	if (r != SESSION_OK)
		return call_tell(r, "session", id, &k->failure);
	if (!k->json)
		print_tree(all, n, id);
	else if (report_tree(STDOUT_FILENO, all, n) != 0)
		status = call_untold();
	free(all);
	return status;
}
