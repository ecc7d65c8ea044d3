#include "request_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "placed.h"

int
request_read_list(struct reader *r, const struct json_node *v, char ***ret)
{
	struct json_node *e = NULL;
	size_t n = 0;
	char **list = calloc(v->count + 1, sizeof(*list));

	if (list == NULL)
		return json_no_memory(r->d);
	while ((e = json_each(r->d, v, e)) != NULL) {
		if (json_read_text(r->d, e, &list[n++]) != 0)
			return -1;
	}
	*ret = list;
	return 0;
}

/* {"base64": "..."} or a string: its bytes. */
static int
read_bytes(struct reader *r, const struct json_node *v, bool is_base64,
    char **ret, size_t *ret_len)
{
	if (json_read_text(r->d, v, ret) != 0)
		return -1;
	*ret_len = strlen(*ret);
	if (is_base64 && base64_decode(*ret, *ret_len, ret_len) != 0)
		return json_refuse(r->d, v, "is not base64");
	return 0;
}

int
request_read_stdin(struct reader *r, const struct json_node *v)
{
	struct json_node *e;

	if (v->type == JSON_STRING)
		return read_bytes(r, v, false, &r->b->in, &r->b->in_len);
	e = v->type == JSON_OBJECT ? json_member(r->d, v, "base64") : NULL;
	if (e == NULL || v->count != 1)
		return json_refuse(
		    r->d, v, "must be a string, or {\"base64\": \"...\"}");
	return read_bytes(r, e, true, &r->b->in, &r->b->in_len);
}

static int
read_file(struct reader *r, const struct json_node *v, struct placed *p)
{
	struct json_node *e = NULL;
	bool has_content = false;

	*p = (struct placed){ .mode = 0644 };
	if (json_want(r->d, v, JSON_OBJECT) != 0)
		return -1;
	while ((e = json_each(r->d, v, e)) != NULL) {
		const char *name = json_name(r->d, e);
		bool is_base64 = strcmp(name, "base64") == 0;
		char *text;

		if (strcmp(name, "path") == 0) {
			if (json_read_text(r->d, e, &p->path) != 0)
				return -1;
		} else if (is_base64 || strcmp(name, "content") == 0) {
			if (has_content)
				return json_refuse(
				    r->d, v, "has both content and base64");
			has_content = true;
			if (read_bytes(r, e, is_base64, &p->data, &p->len) != 0)
				return -1;
		} else if (strcmp(name, "mode") == 0) {
			if (json_read_text(r->d, e, &text) != 0)
				return -1;
			if (placed_mode(text, &p->mode) != 0)
				return json_refuse(r->d, e,
				    "must be octal, from \"0\" to \"0777\"");
		} else {
			return json_refuse(r->d, e, "is not a known field");
		}
	}
	if (p->path == NULL)
		return json_refuse(r->d, v, "has no path");
	if (!placed_path_is_good(p->path))
		return json_refuse(r->d, v,
		    "its path is empty, too long or names a directory");
	return 0;
}

int
request_read_files(struct reader *r, const struct json_node *v)
{
	struct json_node *e = NULL;
	struct placed *all;
	size_t n = 0;

	if (json_want(r->d, v, JSON_ARRAY) != 0)
		return -1;
	if (v->count == 0)
		return 0;
	all = calloc(v->count, sizeof(*all));
	if (all == NULL)
		return json_no_memory(r->d);
	while ((e = json_each(r->d, v, e)) != NULL) {
		if (read_file(r, e, &all[n++]) != 0)
			return -1;
	}
	r->b->request.files = 1;
	r->b->files = placed_encode(all, n, &r->b->files_len);
	return r->b->files != NULL ? 0 : json_no_memory(r->d);
}

int
request_read_collect(struct reader *r, const struct json_node *v)
{
	if (json_want(r->d, v, JSON_ARRAY) != 0)
		return -1;
	if (v->count > COLLECT_MAX)
		return json_refuse(
		    r->d, v, "has more than %d paths", COLLECT_MAX);
	if (request_read_list(r, v, &r->b->request.collect) != 0)
		return -1;
	for (char **p = r->b->request.collect; *p != NULL; p++) {
		if (!placed_path_is_good(*p))
			return json_refuse(r->d, v,
			    "has a path that is empty, too long or names a "
			    "directory");
	}
	return 0;
}
