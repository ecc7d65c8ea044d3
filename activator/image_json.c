#include "image_json.h"

#include <string.h>

/* The variable "NAME=VALUE" as a member. */
static void
put_variable(struct json *j, const char *text)
{
	char name[256];
	size_t len = strcspn(text, "=");

	/* No program could ask for it by such a name. */
	if (len >= sizeof(name))
		return;
	memcpy(name, text, len);
	name[len] = '\0';
	json_bytes(j, name, text + len + 1, strlen(text + len + 1));
}

/* Has one before it the same name? Then a run has that one. */
static bool
is_repeated(const struct image *m, size_t n)
{
	size_t len = strcspn(m->env[n], "=") + 1;

	for (size_t i = 0; i < n; i++) {
		if (strncmp(m->env[i], m->env[n], len) == 0)
			return true;
	}
	return false;
}

/* "sha256:HEX" or "id:ID". */
static void
put_layer(struct json *j, const char *layer)
{
	char text[IMAGE_LAYER_MAX + 1];
	char *slash;

	(void)strcpy(text, layer);
	slash = strchr(text, '/');
	if (slash != NULL)
		*slash = ':';
	json_text(j, NULL, text);
}

void
put_image(struct json *j, const struct image *m, enum pull_state state,
    const char *why)
{
	static const char *const names[] = { "ready", "pulling", "failed" };
	uint64_t size_kb = 0;

	for (size_t i = 0; i < m->layer_count; i++)
		size_kb += m->layers[i].size_kb;
	json_text(j, "name", m->name);
	if (*m->digest == '\0')
		json_null(j, "digest");
	else
		json_text(j, "digest", m->digest);
	json_array(j, "layers");
	for (size_t i = 0; i < m->layer_count; i++)
		put_layer(j, m->layers[i].name);
	json_end(j);
	json_number(j, "size_kb", (int64_t)size_kb);
	json_object(j, "env");
	for (size_t i = 0; i < m->env_count; i++) {
		if (!is_repeated(m, i))
			put_variable(j, m->env[i]);
	}
	json_end(j);
	json_text(j, "cwd", *m->cwd != '\0' ? m->cwd : "/");
	json_text(j, "user", *m->user != '\0' ? m->user : "0");
	json_array(j, "command");
	for (size_t i = 0; i < m->command_count; i++)
		json_bytes(j, NULL, m->command[i], strlen(m->command[i]));
	json_end(j);
	json_text(j, "state", names[state]);
	if (state == PULL_FAILED)
		json_text(j, "error", why);
}
