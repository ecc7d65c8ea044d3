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
