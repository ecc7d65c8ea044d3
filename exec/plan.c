#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

bool
plan_answers_first(const struct plan *p)
{
	return (p->caller >= 0 || p->prepared) && p->session < 0 &&
	       p->files_out < 0;
}

/* There is room for PATH and HOME beside all that may be given. */
#define ENV_ROOM (PLAN_ENV_MAX + 2)

void
plan_init(struct plan *p)
{
	memset(p, 0, sizeof(*p));
	p->image = "host";
	p->in.fd = p->out.fd = p->err.fd = -1;
	p->caller = p->files_in = p->files_out = -1;
	p->session = p->lock = p->cancel = p->work = -1;
	limits_init(&p->limits);
}

/* FNV-1a. */
static uint32_t
hash(const char *name, size_t len)
{
	uint32_t h = 2166136261;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619;
	return h;
}

/* Index of the variable name[0..len), or env_count. */
static size_t
env_index(const struct plan *p, const char *name, size_t len)
{
	const uint32_t h = p->env_hash != NULL ? hash(name, len) : 0;
	size_t i;

	if (memchr(name, '=', len) != NULL)
		return p->env_count;
	for (i = 0; i < p->env_count && p->env[i] != NULL; i++) {
		if (p->env_hash != NULL && p->env_hash[i] != h)
			continue;
		if (strncmp(p->env[i], name, len) == 0 && p->env[i][len] == '=')
			break;
	}
	return i;
}

/* At most max of them. */
static int
add_env(struct plan *p, char *text, size_t max, char *why, size_t size)
{
	const char *equals = strchr(text, '=');
	size_t i;

	if (equals == NULL || equals == text) {
		(void)snprintf(why, size,
		    "env: '%.40s' is not of the form NAME=VALUE", text);
		return -1;
	}
	if (p->env == NULL) {
		p->env = calloc(ENV_ROOM + 1, sizeof(*p->env));
		p->env_hash = calloc(ENV_ROOM, sizeof(*p->env_hash));
	}
	if (p->env == NULL || p->env_hash == NULL)
		fail_memory();
	i = env_index(p, text, (size_t)(equals - text));
	if (i >= max) {
		(void)snprintf(
		    why, size, "env: more than %d variables", PLAN_ENV_MAX);
		return -1;
	}
	p->env[i] = text;
	p->env_hash[i] = hash(text, (size_t)(equals - text));
	if (i == p->env_count)
		p->env_count++;
	return 0;
}

void
plan_free(struct plan *p)
{
	free(p->env);
	free(p->env_hash);
	p->env = NULL;
	p->env_hash = NULL;
	p->env_count = 0;
}

int
plan_env(struct plan *p, char *text, char *why, size_t size)
{
	return add_env(p, text, PLAN_ENV_MAX, why, size);
}

int
plan_env_own(struct plan *p, char *text, char *why, size_t size)
{
	return add_env(p, text, ENV_ROOM, why, size);
}

bool
plan_has_env(const struct plan *p, const char *text)
{
	return env_index(p, text, strcspn(text, "=")) < p->env_count;
}

const char *
plan_getenv(const struct plan *p, const char *name)
{
	size_t i = env_index(p, name, strlen(name));

	return i < p->env_count ? p->env[i] + strlen(name) + 1 : NULL;
}

/* Absolute, and no component that goes up. */
static bool
is_inside_path(const char *path)
{
	if (*path != '/')
		return false;
	for (const char *p = path; (p = strstr(p, "/..")) != NULL; p++) {
		if (p[3] == '/' || p[3] == '\0')
			return false;
	}
	return true;
}

/*
 * Is the path, in whatever spelling ("//proc", "/./proc"), the root or at or
 * below one of the directories that are made here?
 */
static bool
is_ours(const char *path)
{
	static const char *const ours[] = { "proc", "dev", "sys" };
	size_t len;

	for (;;) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len != 1 || *path != '.')
			break;
		path++;
	}
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		if (strlen(ours[i]) == len && memcmp(path, ours[i], len) == 0)
			return true;
	}
	return len == 0;
}

int
plan_bind(struct plan *p, char *text, bool writable, char *why, size_t size)
{
	const char *option = writable ? "bind" : "ro-bind";
	struct bind *b = &p->binds[p->bind_count];
	char *colon = NULL;

	/* A source is not empty: the first byte is never the colon. */
	for (char *s = text; *s != '\0' && (s = strstr(s + 1, ":/")) != NULL;)
		colon = s;
	if (p->bind_count == PLAN_BINDS_MAX) {
		(void)snprintf(why, size, "%s: more than %d binds", option,
		    PLAN_BINDS_MAX);
		return -1;
	}
	b->source = text;
	b->target = colon != NULL ? colon + 1 : text;
	b->writable = writable;
	if (!is_inside_path(b->target)) {
		(void)snprintf(why, size,
		    "%s: '%.80s' is not an absolute path without '..'", option,
		    b->target);
		return -1;
	}
	if (is_ours(b->target)) {
		(void)snprintf(why, size, "%s: nothing can be shown at '%.80s'",
		    option, b->target);
		return -1;
	}
	if (colon != NULL)
		*colon = '\0';
	p->bind_count++;
	return 0;
}

/* A number up to PLAN_ID_MAX; returns what follows it, or NULL. */
static const char *
parse_id(const char *text, unsigned *ret)
{
	unsigned long n = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9' && n <= PLAN_ID_MAX; p++)
		n = n * 10 + (unsigned long)(*p - '0');
	if (p == text || n > PLAN_ID_MAX)
		return NULL;
	*ret = (unsigned)n;
	return p;
}

/* As useradd(8) allows it, with what directories of accounts add. */
static size_t
name_length(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	size_t len = strspn(text, letters);

	if (len > 0)
		while (strspn(text + len, letters) > 0 ||
		       strspn(text + len, "0123456789.-$") > 0)
			len++;
	return len;
}

/* A name, or a number; where it ends, or NULL. */
static const char *
parse_account(const char *text, bool *ret_is_name)
{
	size_t len = name_length(text);
	unsigned id;

	*ret_is_name = len > 0;
	return len > 0 ? text + len : parse_id(text, &id);
}

/* "USER[:GROUP]" of which one is a name at least. */
static bool
has_names(const char *text)
{
	bool user, group = false;
	const char *rest = parse_account(text, &user);

	if (rest != NULL && *rest == ':')
		rest = parse_account(rest + 1, &group);
	return rest != NULL && *rest == '\0' && (user || group) &&
	       strlen(text) <= PLAN_USER_MAX;
}

int
plan_user(struct plan *p, const char *text, char *why, size_t size)
{
	unsigned uid, gid;
	const char *rest = parse_id(text, &uid);

	p->user_asked = true;
	p->user = NULL;
	if (has_names(text)) {
		p->user = text;
		p->uid = p->gid = 0;
		return 0;
	}
	gid = rest != NULL ? uid : 0;
	if (rest != NULL && *rest == ':')
		rest = parse_id(rest + 1, &gid);
	if (rest == NULL || *rest != '\0') {
		(void)snprintf(why, size,
		    "user: '%.40s' is neither a name nor UID[:GID] with "
		    "numbers from 0 to %d",
		    text, PLAN_ID_MAX);
		return -1;
	}
	p->uid = uid;
	p->gid = gid;
	return 0;
}

int
plan_finish(struct plan *p, char *why, size_t size)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:"
			     "/usr/sbin:/usr/bin:/sbin:/bin";
	static char root[] = "HOME=/root", home[] = "HOME=/home";

	if (plan_getenv(p, "PATH") == NULL &&
	    plan_env_own(p, path, why, size) != 0)
		return -1;
	/* Of a name it is known only inside where its home is. */
	if (p->user == NULL && plan_getenv(p, "HOME") == NULL &&
	    plan_env_own(p, p->uid == 0 ? root : home, why, size) != 0)
		return -1;
	return 0;
}

bool
plan_writes_outside(const struct plan *p)
{
	for (size_t i = 0; i < p->bind_count; i++) {
		if (p->binds[i].writable)
			return true;
	}
	return false;
}

bool
plan_is_foreign(const struct plan *p)
{
	return p->layer_count > 0 && !p->over_host && !p->layers_shown;
}

bool
plan_is_layered(const struct plan *p)
{
	return p->session >= 0 || (p->layer_count > 0 && !p->layers_shown);
}
