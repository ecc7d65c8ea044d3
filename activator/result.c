#include "result.h"

/* name as text, and where it is not UTF-8 in exact as base64 as well. */
static void
put_bytes(struct json *j, const char *name, const char *exact, const char *data,
    size_t len)
{
	json_bytes(j, name, data, len);
	if (!json_is_utf8(data, len))
		json_base64(j, exact, data, len);
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
put_files(struct json *j, const struct collected *files, size_t n)
{
	json_array(j, "files");
	for (size_t i = 0; i < n; i++) {
		const struct collected *f = &files[i];

		json_object(j, NULL);
		json_text(j, "path", f->path);
		put_bytes(j, "content", "base64", f->data, f->len);
		json_number(j, "size", (int64_t)f->size);
		json_bool(j, "truncated", f->size > f->len);
		json_end(j);
	}
	json_end(j);
}

void
result_put(struct json *j, const struct verdict *v, bool streams,
    const struct collected *files, size_t n)
{
	if (streams) {
		put_bytes(
		    j, "stdout", "stdout_base64", v->out.data, v->out.len);
		put_bytes(
		    j, "stderr", "stderr_base64", v->err.data, v->err.len);
	}
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
	put_files(j, files, n);
	json_object(j, "enforced");
	for (int i = 0; i < LIMIT_MAX; i++)
		json_text(
		    j, limit_rules[i].name, enforcer_name(v->enforced[i]));
	json_end(j);
}
