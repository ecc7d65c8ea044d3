#include "report.h"

#include <errno.h>
#include <unistd.h>

#include "json.h"

static int
write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	for (; len > 0; data += n, len -= (size_t)n) {
		n = write(fd, data, len);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n < 0)
			n = 0;
	}
	return 0;
}

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
	r = write_all(fd, j->data, j->len);
	json_free(j);
	return r;
}

static void
put_stream(
    struct json *j, const char *name, const char *exact, const struct kept *k)
{
	json_bytes(j, name, k->data, k->len);
	if (!json_is_utf8(k->data, k->len))
		json_base64(j, exact, k->data, k->len);
}

static void
put_or_null(struct json *j, const char *name, int value)
{
	if (value < 0)
		json_null(j, name);
	else
		json_number(j, name, value);
}

static void
put_verdict(struct json *j, const struct verdict *v)
{
	put_or_null(j, "exit_code", v->exit_code);
	put_or_null(j, "signal", v->signal);
	json_text(j, "reason", reason_name(v->reason));
	json_object(j, "truncated");
	json_bool(j, "stdout", v->out.truncated);
	json_bool(j, "stderr", v->err.truncated);
	json_end(j);
	json_object(j, "usage");
	json_number(j, "cpu_ms", (int64_t)v->cpu_ms);
	json_number(j, "wall_ms", (int64_t)v->wall_ms);
	json_number(j, "memory_kb", (int64_t)v->memory_kb);
	json_end(j);
	json_object(j, "enforced");
	for (int i = 0; i < LIMIT_MAX; i++)
		json_text(
		    j, limit_rules[i].name, enforcer_name(v->enforced[i]));
	json_end(j);
}

int
report_verdict(int fd, const struct verdict *v, bool streams)
{
	struct json j;

	json_init(&j);
	json_object(&j, NULL);
	if (streams) {
		put_stream(&j, "stdout", "stdout_base64", &v->out);
		put_stream(&j, "stderr", "stderr_base64", &v->err);
	}
	put_verdict(&j, v);
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
