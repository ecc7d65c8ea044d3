#include "work.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "command.h"
#include "ids.h"
#include "images.h"
#include "session.h"
#include "sys.h"
#include "trash.h"

#define TOOL "mayfly-rootfs"
#define TOOL_INSIDE "/run/" TOOL
#define OUTPUT_MAX 67108864 /* bytes of a program's output */
#define HOUR_MS UINT64_C(3600000)

int
work_open(struct work *w, const struct config *c, struct failure *f)
{
	char random[STATE_RANDOM + 1] = "";

	w->config = c;
	w->hold = w->dir = -1;
	*w->name = '\0';
	w->state = (struct state){ -1, -1, -1 };
	if (state_open(c, &w->state, f) != 0)
		return -1;
	if ((w->hold = images_hold(&w->state, f)) < 0 ||
	    state_check_room(c, &w->state, f) != 0)
		return -1;
	if (state_random(random, STATE_RANDOM) != 0)
		return failure_set(f, "state", errno, "getrandom");
	(void)snprintf(w->name, sizeof(w->name), "image-%s", random);
	w->dir = state_make_locked(&w->state, w->name);
	if (w->dir < 0)
		return failure_set(f, "state", errno, "make a directory");
	return 0;
}

void
work_close(struct work *w)
{
	if (w->dir >= 0)
		(void)trash_remove(
		    w->config, w->state.trash, w->name, UINT64_MAX, NULL);
	sys_close(&w->dir);
	sys_close(&w->hold);
	state_close(&w->state);
}

int
work_path(const struct work *w, const char *name, char *ret, size_t size,
    struct failure *f)
{
	char state[PATH_MAX];

	if (state_path(w->config, state, sizeof(state)) != 0 ||
	    (size_t)snprintf(
		ret, size, "%s/trash/%s/%s", state, w->name, name) >= size)
		return failure_set(f, "state", ENAMETOOLONG, "state_dir");
	return 0;
}

void
job_init(struct job *j, const char *step, const char *const *argv)
{
	memset(j, 0, sizeof(*j));
	j->step = step;
	j->argv = argv;
	j->in = j->out = j->cancel = -1;
}

void
job_bind(struct job *j, const char *source, const char *target)
{
	j->binds[j->bind_count].source = source;
	j->binds[j->bind_count].target = target;
	j->bind_count++;
}

/*
 * As much as it takes; what bounds it is the disk, and who waits. What is
 * configured is for runs, which may have less than these programs need.
 */
static void
plan_limits(struct plan *p, const struct job *j)
{
	limits_init(&p->limits);
	p->limits.value[LIMIT_TIME] = HOUR_MS;
	p->limits.value[LIMIT_WALL] = HOUR_MS;
	p->limits.value[LIMIT_FSIZE] = limit_rules[LIMIT_FSIZE].max;
	p->limits.value[LIMIT_NOFILE] = 8192;
	p->limits.value[LIMIT_OUTPUT] = j->whole ? LIMIT_UNSET : OUTPUT_MAX;
}

/* To be read there; the descriptors stay the caller's. */
static void
plan_layers(struct plan *p, const struct job *j)
{
	p->layers_shown = j->layers != NULL;
	p->layer_count = j->layers != NULL ? j->layer_count : 0;
	for (size_t i = 0; i < p->layer_count; i++)
		p->layers[i] = j->layers->layers[i];
}

static int
copy_words(struct plan *p, const struct job *j)
{
	size_t n = 0;

	/* PID 1 wipes the words. */
	while (j->argv[n] != NULL)
		n++;
	p->argv = calloc(n + 1, sizeof(*p->argv));
	for (size_t i = 0; p->argv != NULL && i < n; i++) {
		if ((p->argv[i] = strdup(j->argv[i])) == NULL)
			fail_memory();
	}
	return p->argv != NULL ? 0 : -1;
}

static void
free_words(struct plan *p)
{
	for (size_t i = 0; p->argv != NULL && p->argv[i] != NULL; i++)
		free(p->argv[i]);
	free(p->argv);
	plan_free(p);
}

/* Its verdict as a failure, unless it did its work. */
static int
judge(const struct job *j, const struct verdict *v, struct failure *f)
{
	if (v->reason == REASON_EXIT && v->exit_code == 0)
		return v->out.truncated ? failure_set(f, j->step, 0,
					      "%s says too much", j->argv[0])
					: 0;
	if (v->exec_error != 0)
		return failure_set(f, j->step, v->exec_error, "%s", j->argv[0]);
	if (v->reason == REASON_EXIT)
		return failure_set(f, j->step, 0, "%s failed with %d",
		    j->argv[0], v->exit_code);
	return failure_set(f, j->step, 0, "%s was ended: %s", j->argv[0],
	    reason_name(v->reason));
}

int
work_run(const struct work *w, const struct job *j, struct kept *ret_out,
    struct failure *f)
{
	/* Where what is too large for the tmpfs goes. */
	static char tmp[] = "TMPDIR=/mnt/tmp", home[] = "HOME=/mnt/tmp";
	char *const env[] = { tmp, home };
	struct verdict v;
	struct plan p;
	char why[160];
	int r;

	plan_init(&p);
	for (size_t i = 0; i < sizeof(env) / sizeof(*env); i++)
		(void)plan_env(&p, env[i], why, sizeof(why));
	plan_limits(&p, j);
	p.work = w->dir;
	p.in.fd = j->in;
	p.out.fd = j->out;
	p.out.keep = j->out < 0;
	p.out.whole = j->whole;
	p.err.fd = STDERR_FILENO;
	p.network = j->network ? NETWORK_HOST : NETWORK_NONE;
	for (size_t i = 0; i < j->bind_count; i++)
		p.binds[p.bind_count++] =
		    (struct bind){ .source = j->binds[i].source,
			    .target = j->binds[i].target,
			    .owned = true };
	p.cancel = j->cancel;
	plan_layers(&p, j);
	if (copy_words(&p, j) != 0 || plan_finish(&p, why, sizeof(why)) != 0)
		fail_memory();
	memset(&v, 0, sizeof(v));
	r = box_run(&p, w->config, &v, f);
	if (r == 0)
		r = judge(j, &v, f);
	if (r == 0 && ret_out != NULL && kept_add(&v.out, "", 1) != 0)
		fail_memory();
	if (r == 0 && ret_out != NULL) {
		*ret_out = v.out;
		ret_out->len--;
		v.out.data = NULL;
	}
	verdict_free(&v);
	free_words(&p);
	return r;
}

/* Beside the program, or where `make install` puts it. 0 or -1/errno. */
static int
find_tool(char *path, size_t size)
{
	static const char *const beside[] = { "", "../libexec/" };
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[len > 0 ? len : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash != NULL)
		slash[1] = '\0';
	for (size_t i = 0; i < sizeof(beside) / sizeof(*beside); i++) {
		int n = snprintf(path, size, "%s%s%s", self, beside[i], TOOL);

		if ((size_t)n < size && access(path, X_OK) == 0)
			return 0;
	}
	/* A program that is a copy in memory has no place. */
	(void)snprintf(path, size, "%s", ROOTFS_TOOL);
	return access(path, X_OK);
}

int
work_find_tool(struct failure *f)
{
	char path[PATH_MAX];

	return find_tool(path, sizeof(path)) == 0
		   ? 0
		   : failure_set(f, TOOL, errno, "find it");
}

int
work_tool(const struct work *w, struct job *j, struct kept *ret_out,
    struct failure *f)
{
	const char *const *own = j->argv;
	const char *words[8] = { TOOL_INSIDE };
	char path[PATH_MAX];
	int r;

	if (find_tool(path, sizeof(path)) != 0)
		return failure_set(f, j->step, errno, "find %s", TOOL);
	for (size_t n = 1;
	     own[n - 1] != NULL && n < sizeof(words) / sizeof(*words) - 1; n++)
		words[n] = own[n - 1];
	j->argv = words;
	job_bind(j, path, TOOL_INSIDE);
	r = work_run(w, j, ret_out, f);
	j->argv = own;
	j->binds[--j->bind_count].source = NULL;
	return r;
}

int
work_new_layer(char ret[IMAGE_LAYER_MAX + 1], struct failure *f)
{
	(void)strcpy(ret, "id/");
	ret[3 + SESSION_ID_LEN] = '\0';
	if (state_random(ret + 3, SESSION_ID_LEN) != 0)
		return failure_set(f, "layer", errno, "getrandom");
	return 0;
}

/* What the overlay is to know of directories, which their maker may not set. */
static const struct mark {
	const char *key, *attribute, *value;
} marks[] = {
	{ "opaque=", "trusted.overlay.opaque", "y" },
	{ "whiteouts=", "trusted.overlay.origin", "" },
};

static int
set_mark(int tree, const struct mark *m, const char *name, struct failure *f)
{
	auto_fd fd =
	    sys_openat2(tree, name + strspn(name, "/"), O_RDONLY | O_DIRECTORY,
		RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);

	if (fd < 0 ||
	    fsetxattr(fd, m->attribute, m->value, strlen(m->value), 0) != 0)
		return failure_set(f, "layer", errno, "mark a directory");
	return 0;
}

/* A field of the tool's; 0, or -1 with f. */
static int
take_field(int tree, const char *field, struct unpacked *u, struct failure *f)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		size_t len = strlen(marks[i].key);

		if (strncmp(field, marks[i].key, len) == 0)
			return set_mark(tree, &marks[i], field + len, f);
	}
	if (strcmp(field, "implied=1") == 0)
		u->implied = true;
	return 0;
}

/* What the tool says of the tree that it has made. */
static int
take_report(
    int tree, const struct kept *said, struct unpacked *u, struct failure *f)
{
	bool whole = false;

	for (const char *p = said->data; p < said->data + said->len;
	     p += strlen(p) + 1) {
		if (take_field(tree, p, u, f) != 0)
			return -1;
		if (strncmp(p, "size_kb=", 8) == 0) {
			u->size_kb = strtoull(p + 8, NULL, 10);
			whole = true;
		}
	}
	return whole ? 0 : failure_set(f, "layer", 0, "the tool says nothing");
}

/*
 * Behind an archive stands what fills up its last block, which no reader
 * wants; but who writes it into a pipe is not to find that nobody reads it.
 */
static void
drain(int in)
{
	char buf[4096];
	struct stat st;
	ssize_t n;

	if (in < 0 || fstat(in, &st) != 0 ||
	    !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		return;
	do
		n = read(in, buf, sizeof(buf));
	while (n > 0 || (n < 0 && errno == EINTR));
}

int
work_unpack(const struct work *w, struct unpacked *u, const char *layer,
    struct failure *f)
{
	const bool upon = u->below != NULL && u->below->layer_count > 0;
	const char *overlay = ids_privileged() ? "trusted" : "user";
	const char *base = strchr(layer, '/') + 1;
	char path[64 + IMAGE_LAYER_MAX], max_kb[24];
	const char *const words[] = { "unpack", u->archive, path, max_kb,
		overlay, upon ? PLAN_SHOWN "/all" : "-", NULL };
	struct kept said = { 0 };
	struct job j;
	int r;

	(void)snprintf(path, sizeof(path), "/mnt/%s", base);
	(void)snprintf(
	    max_kb, sizeof(max_kb), "%" PRIu64, w->config->max_image);
	job_init(&j, "layer", words);
	j.in = u->in;
	if (u->bind != NULL)
		job_bind(&j, u->bind, WORK_SOURCE);
	if (upon) {
		j.layers = u->below;
		j.layer_count = u->below->layer_count;
	}
	if (work_tool(w, &j, &said, f) != 0)
		return -1;
	drain(u->in);
	auto_fd tree = openat(w->dir, base, OPEN_DIR);
	if (tree < 0)
		r = failure_set(f, "layer", errno, "open what was unpacked");
	else
		r = take_report(tree, &said, u, f);
	free(said.data);
	if (r == 0 && syncfs(tree) != 0)
		r = failure_set(f, "layer", errno, "sync");
	return r;
}

int
work_keep(
    struct work *w, const char *from, const char *layer, struct failure *f)
{
	return images_add_layer(
	    &w->state, w->dir, strchr(from, '/') + 1, layer, f);
}
