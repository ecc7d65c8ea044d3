#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "images.h"
#include "stack.h"
#include "sys.h"

void
session_init(struct session *s)
{
	memset(s, 0, sizeof(*s));
	s->ttl = SESSION_STANDARD;
	s->expires_at = SESSION_NEVER;
	limits_init(&s->limits);
	s->dir = s->lock = s->cancel = s->root = -1;
}

void
session_free(struct session *s)
{
	sys_close(&s->dir);
	sys_close(&s->lock);
	sys_close(&s->cancel);
	sys_close(&s->root);
	for (size_t i = 0; i < s->env_count; i++)
		free(s->env[i]);
	free(s->env);
	if (s->base != NULL)
		image_free(s->base);
	free(s->base);
	session_init(s);
}

bool
session_is_id(const char *id)
{
#ifdef MUTATE_ID
	size_t len = strlen(id);
#else
	size_t len = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789");
#endif

	return len == SESSION_ID_LEN && id[len] == '\0';
}

int
session_compare_env(const char *a, const char *b)
{
	size_t i = 0;
	int left, right;

	while (a[i] != '\0' && a[i] != '=' && a[i] == b[i])
		i++;
	left = a[i] == '=' ? '\0' : (unsigned char)a[i];
	right = b[i] == '=' ? '\0' : (unsigned char)b[i];
	return left - right;
}

static enum session_result
wrong_env(struct failure *f, const char *what)
{
	(void)failure_set(f, "session", 0, "env: %s", what);
	return SESSION_WRONG;
}

static void
remove_env(struct session *s, size_t i)
{
	free(s->env[i]);
	s->env_count--;
	memmove(s->env + i, s->env + i + 1,
	    (s->env_count - i + 1) * sizeof(*s->env));
}

enum session_result
session_merge_env(struct session *s, const char *text, struct failure *f)
{
	bool is_set = strchr(text, '=') != NULL, is_there;
	size_t i = 0, total = strlen(text) + 1;
	char *copy;

	if (*text == '=' || *text == '\0')
		return wrong_env(f, "a variable without a name");
	while (i < s->env_count && session_compare_env(s->env[i], text) < 0)
		i++;
	is_there =
	    i < s->env_count && session_compare_env(s->env[i], text) == 0;
	if (!is_set) {
		if (is_there)
			remove_env(s, i);
		return SESSION_OK;
	}
	for (size_t k = 0; k < s->env_count; k++)
		total += k == i && is_there ? 0 : strlen(s->env[k]) + 1;
	if (total > SESSION_ENV_MAX)
		return wrong_env(f, "more than 1048576 bytes of variables");
	if (!is_there && s->env_count == PLAN_ENV_MAX)
		return wrong_env(f, "more than 4096 variables");
	if (s->env == NULL)
		s->env = calloc(PLAN_ENV_MAX + 1, sizeof(*s->env));
	copy = s->env != NULL ? strdup(text) : NULL;
	if (copy == NULL)
		fail_memory();
	if (is_there) {
		free(s->env[i]);
	} else {
		memmove(s->env + i + 1, s->env + i,
		    (s->env_count - i + 1) * sizeof(*s->env));
		s->env_count++;
	}
	s->env[i] = copy;
	return SESSION_OK;
}

struct image *
session_new_base(struct session *s)
{
	if (s->base != NULL)
		image_free(s->base);
	else
		s->base = calloc(1, sizeof(*s->base));
	if (s->base == NULL)
		fail_memory();
	return s->base;
}

/* What it began with; a session of the host's may have none. */
static int
read_base(const struct config *c, struct session *s, struct failure *f)
{
	if (stack_read(c, s, f) != 0)
		return -1;
	return s->base != NULL || strcmp(s->image, "host") == 0
		   ? 0
		   : failure_set(f, "session", 0, "it has lost its image");
}

static enum session_result
plan_base(const struct config *c, struct session *s, struct plan *p,
    struct failure *f)
{
	enum images_result r = IMAGES_OK;

	p->over_host = strcmp(s->image, "host") == 0;
	if (read_base(c, s, f) != 0)
		return SESSION_FAILED;
	if (s->base != NULL)
		r = images_plan(c, s->base, p, f);
	return r == IMAGES_OK	   ? SESSION_OK
	       : r == IMAGES_WRONG ? SESSION_WRONG
				   : SESSION_FAILED;
}

enum session_result
session_open_layers(const struct config *c, struct session *s, struct plan *p,
    struct failure *f)
{
	int upper;

	if (read_base(c, s, f) != 0 ||
	    (s->base != NULL && images_open_layers(c, s->base, p, f) != 0))
		return SESSION_FAILED;
	/* A run can make it unreadable, and another user's. */
	upper = openat(
	    s->dir, "upper", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (upper < 0) {
		(void)failure_set(f, "state", errno, "open an upper");
		images_release(p);
		return SESSION_FAILED;
	}
	p->layers[p->layer_count++] = upper;
	return SESSION_OK;
}

enum session_result
session_plan(const struct config *c, struct session *s, struct plan *p,
    struct failure *f)
{
	char why[200];

	for (size_t i = 0; i < s->env_count; i++) {
		if (plan_has_env(p, s->env[i]))
			continue;
		if (plan_env(p, s->env[i], why, sizeof(why)) != 0) {
			(void)failure_set(f, "session", 0, "%s", why);
			return SESSION_WRONG;
		}
	}
	if (p->cwd == NULL)
		p->cwd = s->cwd;
	limits_inherit(&p->limits, &s->limits);
	p->image = s->image;
	p->session = s->dir;
	p->lock = s->lock;
	p->cancel = s->cancel;
	return plan_base(c, s, p, f);
}
