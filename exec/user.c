/*
 * Who the plan's user is. A name can only be told by the passwd and group of
 * the root, which is as hostile as what will run in it: a process that has no
 * rights but those of the sandbox's own root reads them, and says two numbers
 * and a directory.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inside.h"
#include "sys.h"

#define FILE_MAX_SIZE 1048576
#define HOME_MAX 4095

struct found {
	int error; /* errno, or 0 */
	bool no_user, no_group;
	unsigned uid, gid;
	char home[HOME_MAX + 1]; /* absolute, or "" */
	gid_t groups[PLAN_GROUPS_MAX];
	size_t group_count;
};

/* "name:x:uid:gid:comment:home:shell", or a group's first three. */
#define FIELDS_MAX 7
struct line {
	char *field[FIELDS_MAX];
	int count;
};

/* The whole text file of the root, "" where there is none; or NULL/errno. */
static char *
read_text(int root, const char *name)
{
	auto_fd fd = sys_openat2(root, name, O_RDONLY | O_NONBLOCK | O_NOCTTY,
	    RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	struct stat st;
	size_t len = 0;
	ssize_t n = 1;
	char *buf = calloc(1, FILE_MAX_SIZE + 1);

	if (buf == NULL || (fd < 0 && !fail_is_machines(errno)))
		return buf;
	if (fd < 0 || fstat(fd, &st) != 0)
		n = -1;
	while (n > 0 && S_ISREG(st.st_mode) && len < FILE_MAX_SIZE) {
		n = read(fd, buf + len, FILE_MAX_SIZE - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (n >= 0)
		return buf;
	free(buf);
	return NULL;
}

/* The next line of *text, taken apart in place; false at the end. */
static bool
next_line(char **text, struct line *l)
{
	char *line = strsep(text, "\n");

	l->count = 0;
	while (line != NULL && l->count < FIELDS_MAX)
		l->field[l->count++] = strsep(&line, ":");
	return l->count > 0;
}

static bool
parse_id(const char *text, unsigned *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*ret = (unsigned)n;
	return *text >= '0' && *text <= '9' && *end == '\0' && n <= PLAN_ID_MAX;
}

/*
 * By name, and else by number: as Docker has it, a number that nobody has is
 * a user of group 0. Returns the user's name, or NULL for none.
 */
static const char *
find_user(char *passwd, const char *user, struct found *r)
{
	unsigned number = 0, uid, gid;
	bool numeric = parse_id(user, &number);
	struct line l;

	r->no_user = !numeric;
	r->uid = number;
	while (next_line(&passwd, &l)) {
		if (l.count < 6 || !parse_id(l.field[2], &uid) ||
		    !parse_id(l.field[3], &gid))
			continue;
		if (strcmp(l.field[0], user) != 0 &&
		    !(numeric && uid == number))
			continue;
		r->no_user = false;
		r->uid = uid;
		r->gid = gid;
		if (*l.field[5] == '/')
			(void)snprintf(
			    r->home, sizeof(r->home), "%s", l.field[5]);
		return l.field[0];
	}
	return NULL;
}

static bool
is_member(char *members, const char *name)
{
	const char *one;

	while ((one = strsep(&members, ",")) != NULL) {
		if (strcmp(one, name) == 0)
			return true;
	}
	return false;
}

/* Those that say so, as far as there are ids for them. */
static void
find_groups(char *groups, const char *name, unsigned ids, struct found *r)
{
	struct line l;
	unsigned gid;

	while (next_line(&groups, &l) && r->group_count < PLAN_GROUPS_MAX) {
		if (l.count >= 4 && parse_id(l.field[2], &gid) && gid < ids &&
		    is_member(l.field[3], name))
			r->groups[r->group_count++] = gid;
	}
}

static void
find_group(char *groups, const char *group, struct found *r)
{
	bool numeric = parse_id(group, &r->gid);
	struct line l;
	unsigned gid;

	r->no_group = !numeric;
	while (!numeric && next_line(&groups, &l)) {
		if (l.count < 3 || strcmp(l.field[0], group) != 0 ||
		    !parse_id(l.field[2], &gid))
			continue;
		r->no_group = false;
		r->gid = gid;
		return;
	}
}

static void
look_up(struct inside *in, struct found *r)
{
	char text[PLAN_USER_MAX + 1], *group;
	const char *name;
	char *passwd = read_text(in->root, "etc/passwd");
	char *groups = passwd != NULL ? read_text(in->root, "etc/group") : NULL;

	if (groups == NULL) {
		r->error = errno;
		return;
	}
	(void)snprintf(text, sizeof(text), "%s", in->plan->user);
	group = strchr(text, ':');
	if (group != NULL)
		*group++ = '\0';
	name = find_user(passwd, text, r);
	/* Who asks for a group has that one alone. */
	if (group != NULL)
		find_group(groups, group, r);
	else if (name != NULL)
		find_groups(groups, name, in->ids->count, r);
}

int
user_become_root(struct inside *in)
{
	uid_t uid = ids_builder_uid(in->ids, in->plan, 0);
	gid_t gid = ids_builder_gid(in->ids, in->plan, 0);

	return (in->ids->mode != IDS_SINGLE &&
		   (setresgid(gid, gid, gid) != 0 ||
		       setresuid(uid, uid, uid) != 0)) ||
		       users_drop_all() != 0
		   ? -1
		   : 0;
}

/* In a process of its own. 0, or -1/errno where nothing was found out. */
static int
ask_child(struct inside *in, struct found *r)
{
	int pair[2], status;
	ssize_t n;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		if (user_become_root(in) != 0)
			r->error = errno;
		else
			look_up(in, r);
		(void)send(pair[1], r, sizeof(*r), MSG_NOSIGNAL);
		_exit(0);
	}
	(void)close(pair[1]);
	n = pid > 0 ? recv(pair[0], r, sizeof(*r), 0) : -1;
	(void)close(pair[0]);
	if (pid > 0 && waitpid(pid, &status, 0) != pid)
		return -1;
	if (n != (ssize_t)sizeof(*r)) {
		errno = n < 0 ? errno : EPROTO;
		return -1;
	}
	errno = r->error;
	return r->error != 0 ? -1 : 0;
}

static int
set_home(struct inside *in, const struct found *r)
{
	static char text[sizeof("HOME=") + HOME_MAX];
	char why[80];

	if (plan_getenv(in->plan, "HOME") != NULL)
		return 0;
	(void)snprintf(text, sizeof(text), "HOME=%s",
	    *r->home != '\0' ? r->home
	    : r->uid == 0    ? "/root"
			     : "/home");
	return plan_env_own(&in->own, text, why, sizeof(why));
}

int
user_find(struct inside *in)
{
	static struct found r;
	const struct plan *p = in->plan;

	if (p->user == NULL)
		return 0;
	if (ask_child(in, &r) != 0)
		return inside_fail(in, "look up the user");
	r.home[HOME_MAX] = '\0';
	errno = 0;
	if (r.no_user || r.no_group)
		return inside_fail(in, "'%.80s': the root has no such %s",
		    p->user, r.no_user ? "user" : "group");
	if (r.uid > PLAN_ID_MAX || r.gid > PLAN_ID_MAX)
		return inside_fail(in, "a number that is too large");
	in->own.uid = r.uid;
	in->own.gid = r.gid;
	in->own.group_count =
	    r.group_count < PLAN_GROUPS_MAX ? r.group_count : PLAN_GROUPS_MAX;
	memcpy(in->own.groups, r.groups, sizeof(r.groups));
	errno = ENOMEM;
	return set_home(in, &r) != 0 ? inside_fail(in, "HOME") : 0;
}

/*
 * The command may open its streams anew, as /dev/stdout. Root's supervisor has
 * seen to it where it knew the user.
 */
int
user_own_streams(struct inside *in)
{
	uid_t uid = ids_builder_uid(in->ids, in->plan, in->plan->uid);
	gid_t gid = ids_builder_gid(in->ids, in->plan, in->plan->gid);

	if (in->plan->tty || in->ids->mode == IDS_SINGLE ||
	    (in->ids->mode == IDS_LEASED && in->plan->user == NULL) ||
	    (in->ids->mode == IDS_SUBUID && uid == 0))
		return 0;
	for (int i = 0; i < 3; i++) {
		if (fchown(in->streams[i], uid, gid) != 0)
			return inside_fail(in, "fchown");
	}
	return 0;
}
