#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "images.h"
#include "snapshot_parts.h"
#include "stack.h"
#include "sys.h"

/* What s does not say itself; both together can be too much. */
static enum session_result
complete(struct session *s, const struct snapshot *n, struct failure *f)
{
	const struct session *from = &n->as;
	enum session_result r = SESSION_OK;

	(void)strcpy(s->image, from->image);
	(void)strcpy(s->parent, from->parent);
	if (*s->cwd == '\0')
		(void)strcpy(s->cwd, from->cwd);
	for (size_t i = 0; i < from->env_count && r == SESSION_OK; i++) {
		size_t k = 0;

		while (k < s->env_count &&
		       session_compare_env(s->env[k], from->env[i]) != 0)
			k++;
		if (k == s->env_count)
			r = session_merge_env(s, from->env[i], f);
	}
	limits_inherit(&s->limits, &from->limits);
	return r;
}

static enum session_result
none(struct failure *f)
{
	(void)failure_set(
	    f, "session", 0, "snapshot: there is no such snapshot");
	return SESSION_WRONG;
}

static enum session_result
begin_held(const struct config *c, const struct state *st, int snapshots,
    const char *owner, const char *id, struct session *s, struct failure *f)
{
	static struct snapshot n;
	auto_fd dir = -1;
	enum session_result r;
	struct image *base;

	snapshot_init(&n);
	r = snapshot_find(snapshots, owner, id, &n, &dir, f);
	if (r == SESSION_NOT_FOUND)
		r = none(f);
	if (r == SESSION_OK)
		r = complete(s, &n, f);
	snapshot_free(&n);
	if (r != SESSION_OK)
		return r;
	base = session_new_base(s);
	if (images_read_file(dir, "image", base, f) != IMAGES_OK) {
		if (faccessat(dir, "image", F_OK, 0) != 0 && errno == ENOENT)
			return none(f);
		return SESSION_FAILED;
	}
	if (base->layer_count > 0) {
		s->root = stack_open_layer(
		    st, base->layers[base->layer_count - 1].name);
		if (s->root < 0)
			return snapshot_failed(f, "open a layer");
	}
	return session_create(c, s, f);
}

enum session_result
snapshot_begin(const struct config *c, const char *owner, const char *id,
    struct session *s, struct failure *f)
{
	enum session_result r;
	auto_fd snapshots = -1, hold = -1;
	struct state st;

	if (!session_is_id(id))
		return none(f);
	r = snapshot_open_all(c, &st, &snapshots, f);
	if (r == SESSION_NOT_FOUND)
		return none(f);
	if (r != SESSION_OK)
		return r;
	/* Its layers stay until the session names them. */
	hold = images_hold(&st, f);
	r = hold >= 0 ? begin_held(c, &st, snapshots, owner, id, s, f)
		      : SESSION_FAILED;
	state_close(&st);
	return r;
}
