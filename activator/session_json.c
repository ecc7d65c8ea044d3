#include "session_json.h"

#include <string.h>
#include <time.h>

#include "moment.h"

static void
put_moment(struct json *j, const char *name, int64_t moment)
{
	char text[MOMENT_SIZE];

	if (moment == SESSION_NEVER)
		json_null(j, name);
	else
		json_text(j, name, moment_format(moment, text));
}

/* A clock that was set back makes nothing younger than new. */
static void
put_age(struct json *j, const char *name, int64_t since)
{
	int64_t age = (int64_t)time(NULL) - since;

	json_number(j, name, age > 0 ? age : 0);
}

void
put_session(struct json *j, const char *name, const struct session *s)
{
	json_object(j, name);
	json_text(j, "session_id", s->id);
	json_text(j, "id", s->id);
	json_text(j, "image", s->image);
	if (*s->parent == '\0')
		json_null(j, "parent");
	else
		json_text(j, "parent", s->parent);
	json_bytes(j, "cwd", s->cwd, strlen(s->cwd));
	put_moment(j, "created_at", s->created_at);
	put_moment(j, "last_used_at", s->last_used_at);
	put_moment(j, "expires_at", s->expires_at);
	put_age(j, "age_secs", s->created_at);
	put_age(j, "idle_secs", s->last_used_at);
	if (s->ttl == SESSION_NEVER)
		json_null(j, "ttl");
	else
		json_number(j, "ttl", s->ttl);
	json_array(j, "env_names");
	for (size_t i = 0; i < s->env_count; i++)
		json_bytes(j, NULL, s->env[i], strcspn(s->env[i], "="));
	json_end(j);
	json_end(j);
}

void
put_snapshot(struct json *j, const char *name, const struct snapshot *n)
{
	json_object(j, name);
	json_text(j, "snapshot_id", n->as.id);
	json_text(j, "session_id", n->as.parent);
	if (*n->name == '\0')
		json_null(j, "name");
	else
		json_bytes(j, "name", n->name, strlen(n->name));
	put_moment(j, "created_at", n->as.created_at);
	json_number(j, "size_kb", (int64_t)n->size_kb);
	json_end(j);
}

void
put_tree(struct json *j, const struct relative *all, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		/* What stands before it ends, down to its parent. */
		for (size_t d = i > 0 ? all[i - 1].depth + 1 : 0;
		     d > all[i].depth; d--) {
			json_end(j);
			json_end(j);
		}
		json_object(j, NULL);
		json_text(j, "id", all[i].id);
		put_moment(j, "created_at", all[i].created_at);
		json_bool(j, "deleted", all[i].deleted);
		json_array(j, "children");
	}
}
