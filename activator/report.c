#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "io.h"
#include "json.h"
#include "result.h"
#include "session_json.h"

/* Writes what was made and frees it. */
static int
emit(struct json *j, int fd)
{
	int r;

	if (json_finish(j) != 0) {
		json_free(j);
		errno = ENOMEM;
		return -1;
	}
	r = io_write(fd, j->data, j->len);
	json_free(j);
	return r;
}

int
report_verdict(int fd, const struct verdict *v, bool streams)
{
	struct json j;

	json_init(&j);
	json_object(&j, NULL);
	result_put(&j, v, streams, NULL, 0);
	return emit(&j, fd);
}

int
report_findings(int fd, const struct finding *f, size_t n)
{
	static const char *const levels[] = { "ok", "warn", "fail" };
	struct json j;
	bool ok = true;

	json_init(&j);
	json_object(&j, NULL);
	json_array(&j, "findings");
	for (size_t i = 0; i < n; i++) {
		json_object(&j, NULL);
		json_text(&j, "name", f[i].name);
		json_text(&j, "level", levels[f[i].level]);
		json_text(&j, "found", f[i].found);
		json_text(&j, "cost", f[i].cost);
		json_text(&j, "remedy", f[i].remedy);
		json_end(&j);
		ok = ok && f[i].level != FINDING_FAIL;
	}
	json_end(&j);
	json_bool(&j, "ok", ok);
	return emit(&j, fd);
}

int
report_session(int fd, const struct session *s)
{
	struct json j;

	json_init(&j);
	put_session(&j, NULL, s);
	return emit(&j, fd);
}

struct report_sessions {
	struct json json;
};

struct report_sessions *
report_sessions_begin(void)
{
	struct report_sessions *r = calloc(1, sizeof(*r));

	if (r != NULL) {
		json_init(&r->json);
		json_array(&r->json, NULL);
	}
	return r;
}

void
report_sessions_add(struct report_sessions *r, const struct session *s)
{
	put_session(&r->json, NULL, s);
}

int
report_sessions_end(struct report_sessions *r, int fd)
{
	int result = emit(&r->json, fd);

	free(r);
	return result;
}

int
report_snapshot(int fd, const struct snapshot *n)
{
	struct json j;

	json_init(&j);
	put_snapshot(&j, NULL, n);
	return emit(&j, fd);
}

void
report_snapshots_add(struct report_sessions *r, const struct snapshot *n)
{
	put_snapshot(&r->json, NULL, n);
}

int
report_tree(int fd, const struct relative *all, size_t n)
{
	struct json j;

	json_init(&j);
	put_tree(&j, all, n);
	return emit(&j, fd);
}
