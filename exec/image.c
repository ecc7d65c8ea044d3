#include "image.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "moment.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
void
image_init(struct image *m)
{
	memset(m, 0, sizeof(*m));
}

static void
free_words(char **words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
}

void
image_free(struct image *m)
{
	free_words(m->env);
	free_words(m->command);
	image_init(m);
}

bool
image_is_name(const char *name)
{
	size_t len = strspn(name, LOWER DIGITS "._-"), tag;

	if (len < 1 || len > 64 || strchr("._-", *name) != NULL)
		return false;
	if (name[len] == '\0')
		return true;
	if (name[len] != ':')
		return false;
	tag = strspn(
	    name + len + 1, LOWER DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-");
	return tag >= 1 && tag <= 64 && name[len + 1 + tag] == '\0';
}

bool
image_is_layer(const char *name)
{
	if (strncmp(name, "sha256/", 7) == 0)
		return strspn(name + 7, DIGITS "abcdef") == 64 &&
		       name[7 + 64] == '\0';
	return strncmp(name, "id/", 3) == 0 &&
	       strspn(name + 3, LOWER DIGITS) == 26 && name[3 + 26] == '\0';
}

static int
add_word(char ***words, size_t *n, const char *text)
{
	if (*words == NULL)
		*words = calloc(IMAGE_WORDS_MAX + 1, sizeof(**words));
	if (*words == NULL)
		fail_memory();
	if (*n == IMAGE_WORDS_MAX)
		return -1;
	if (((*words)[*n] = strdup(text)) == NULL)
		fail_memory();
	(*n)++;
	return 0;
}

int
image_add_env(struct image *m, const char *text)
{
	return strchr(text, '=') == NULL || *text == '='
		   ? -1
		   : add_word(&m->env, &m->env_count, text);
}

int
image_add_command(struct image *m, const char *text)
{
	return add_word(&m->command, &m->command_count, text);
}

int
image_add_layer(struct image *m, const char *name, uint64_t size_kb)
{
	struct image_layer *l = &m->layers[m->layer_count];

	if (m->layer_count == PLAN_LAYERS_MAX || !image_is_layer(name))
		return -1;
	(void)snprintf(l->name, sizeof(l->name), "%s", name);
	l->size_kb = size_kb;
	l->is_snapshot = false;
	m->layer_count++;
	return 0;
}

int
image_add_snapshot(struct image *m, const char *name, uint64_t size_kb)
{
	if (image_add_layer(m, name, size_kb) != 0)
		return -1;
	m->layers[m->layer_count - 1].is_snapshot = true;
	return 0;
}

ssize_t
image_encode(const struct image *m, char *buf, size_t size)
{
	struct fields w;
	char text[IMAGE_LAYER_MAX + 32];

	fields_begin(&w, buf, size, IMAGE_HEAD);
	fields_put(&w, "name", m->name);
	fields_put(&w, "digest", m->digest);
	fields_put(&w, "cwd", m->cwd);
	fields_put(&w, "user", m->user);
	(void)snprintf(text, sizeof(text), "%" PRId64, m->created_at);
	fields_put(&w, "created_at", text);
	for (size_t i = 0; i < m->layer_count; i++) {
		(void)snprintf(text, sizeof(text), "%s %" PRIu64,
		    m->layers[i].name, m->layers[i].size_kb);
		fields_put(
		    &w, m->layers[i].is_snapshot ? "snapshot" : "layer", text);
	}
	for (size_t i = 0; i < m->env_count; i++)
		fields_put(&w, "env", m->env[i]);
	for (size_t i = 0; i < m->command_count; i++)
		fields_put(&w, "command", m->command[i]);
	return w.len;
}

/* Digits without a sign, at most max. */
static int
parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	if (*text == '\0')
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || n > max / 10)
			return -1;
		n = n * 10 + (uint64_t)(*text - '0');
	}
	*ret = n;
	return n <= max ? 0 : -1;
}

/* "NAME KB", for one of the two that add it. */
static int
take_lower(struct image *m, const char *value,
    int (*add)(struct image *m, const char *name, uint64_t size_kb))
{
	char name[IMAGE_LAYER_MAX + 1];
	size_t len = strcspn(value, " ");
	uint64_t size_kb;

	if (len > IMAGE_LAYER_MAX || value[len] != ' ' ||
	    parse_number(value + len + 1, IMAGE_SIZE_UNKNOWN, &size_kb) != 0)
		return -1;
	memcpy(name, value, len);
	name[len] = '\0';
	return add(m, name, size_kb);
}

static int
take_layer(struct image *m, const char *value)
{
	return take_lower(m, value, image_add_layer);
}

static int
take_snapshot(struct image *m, const char *value)
{
	return take_lower(m, value, image_add_snapshot);
}

static int
copy_text(char *place, size_t size, const char *value)
{
	size_t len = strlen(value);

	if (len >= size)
		return -1;
	memcpy(place, value, len + 1);
	return 0;
}

static int
take_once(struct image *m, size_t n, const char *value)
{
	uint64_t moment = 0;

	switch (n) {
	case 0:
		return image_is_name(value)
			   ? copy_text(m->name, sizeof(m->name), value)
			   : -1;
	case 1:
		return copy_text(m->digest, sizeof(m->digest), value);
	case 2:
		return *value != '\0' && *value != '/'
			   ? -1
			   : copy_text(m->cwd, sizeof(m->cwd), value);
	case 3:
		return copy_text(m->user, sizeof(m->user), value);
	default:
		if (parse_number(value, MOMENT_MAX, &moment) != 0)
			return -1;
		m->created_at = (int64_t)moment;
		return 0;
	}
}

/* The field at text, the nth of the manifest. */
static int
take(struct image *m, size_t n, const char *text, char *why, size_t size)
{
	static const char *const once[] = { "name", "digest", "cwd", "user",
		"created_at" };
	static const struct {
		const char *key;
		int (*take)(struct image *m, const char *value);
	} many[] = {
		{ "layer", take_layer },
		{ "snapshot", take_snapshot },
		{ "env", image_add_env },
		{ "command", image_add_command },
	};
	const size_t first = sizeof(once) / sizeof(*once);
	size_t len = strcspn(text, "=");

	if (text[len] != '=')
		return fields_refuse(
		    why, size, "manifest", "a field without '='");
	if (n < first) {
		if (strlen(once[n]) != len || memcmp(once[n], text, len) != 0)
			return fields_refuse(
			    why, size, once[n], "not where it belongs");
		return take_once(m, n, text + len + 1) != 0
			   ? fields_refuse(why, size, once[n], "a wrong value")
			   : 0;
	}
	for (size_t i = 0; i < sizeof(many) / sizeof(*many); i++) {
		if (strlen(many[i].key) == len &&
		    memcmp(many[i].key, text, len) == 0)
			return many[i].take(m, text + len + 1) != 0
				   ? fields_refuse(why, size, many[i].key,
					 "a wrong value, or too many")
				   : 0;
	}
	return fields_refuse(why, size, "manifest", "an unknown field");
}

int
image_decode(
    struct image *m, const char *data, size_t len, char *why, size_t size)
{
	const size_t head = sizeof(IMAGE_HEAD) - 1;
	size_t n = 0;

	if (len < head || memcmp(data, IMAGE_HEAD, head) != 0)
		return fields_refuse(why, size, "manifest",
		    "of a version that is not known here");
	if (len > IMAGE_MANIFEST_MAX || len == head || data[len - 1] != '\0')
		return fields_refuse(why, size, "manifest", "not whole");
	for (const char *p = data + head; p < data + len; p += strlen(p) + 1) {
		if (take(m, n++, p, why, size) != 0)
			return -1;
	}
	if (n < 5)
		return fields_refuse(why, size, "manifest", "not whole");
	return 0;
}
