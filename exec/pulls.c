#include "pulls.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io.h"
#include "names.h"
#include "sys.h"

#define PULLS "pulls"
#define HEAD "mayfly-pull 1\n" /* what follows is a sentence */
#define KEPT_SECONDS 3600
#define TRIES 100
#define OPEN_FILE (O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

/* 0, or -1/errno: EAGAIN where somebody has it. */
static int
lock(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
		return 0;
	if (errno == EACCES)
		errno = EAGAIN;
	return -1;
}

/* Who only asks takes no lock: another one's would be refused meanwhile. */
static bool
is_locked(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &whole) != 0 || whole.l_type != F_UNLCK;
}

static int
open_pulls(const struct state *st)
{
	return openat(st->dir, PULLS, OPEN_DIR);
}

/* The file of that name, locked. 0, or -1 with f. */
static int
take(struct pull *p, struct failure *f)
{
	for (int i = 0; i < TRIES; i++) {
		auto_fd fd = openat(p->dir, p->name, OPEN_FILE | O_CREAT, 0600);

		if (fd < 0)
			return failure_set(f, "pull", errno, "make a record");
		if (lock(fd) != 0)
			return failure_set(f, "pull",
			    errno == EAGAIN ? EBUSY : errno, "lock a record");
		if (!state_is_there(p->dir, p->name, fd))
			continue;
		/* From here on it says that it was begun. */
		if (ftruncate(fd, 0) != 0 ||
		    io_write(fd, HEAD, strlen(HEAD)) != 0)
			return failure_set(f, "pull", errno, "write a record");
		p->fd = sys_take(&fd);
		return 0;
	}
	return failure_set(f, "pull", EBUSY, "lock a record");
}

int
pulls_begin(const struct config *c, const char *name, struct pull *ret,
    struct failure *f)
{
	struct state st;
	int r = -1;

	*ret = (struct pull){ .dir = -1, .fd = -1 };
	if (!image_is_name(name))
		return failure_set(f, "pull", 0, "no name of an image");
	(void)strcpy(ret->name, name);
	if (state_open(c, &st, f) != 0)
		return -1;
	/* Who deletes an image locks the directory of images. */
	auto_fd images = state_open_private(st.dir, "images", f);
	if (images >= 0)
		ret->dir = state_open_private(st.dir, PULLS, f);
	if (ret->dir >= 0)
		r = take(ret, f);
	if (r != 0)
		sys_close(&ret->dir);
	state_close(&st);
	return r;
}

bool
pulls_is_wanted(const struct pull *p)
{
	return state_is_there(p->dir, p->name, p->fd);
}

void
pulls_close(struct pull *p)
{
	sys_close(&p->fd);
	sys_close(&p->dir);
	p->fd = p->dir = -1;
}

void
pulls_end(struct pull *p, const char *why)
{
	if (why != NULL)
		/* Behind the head; without it, it was broken off. */
		(void)io_write(p->fd, why, strnlen(why, PULL_WHY_MAX));
	else if (pulls_is_wanted(p))
		(void)unlinkat(p->dir, p->name, 0);
	pulls_close(p);
}

enum pull_state
pulls_look(const struct state *st, const char *name, char why[PULL_WHY_MAX + 1])
{
	const size_t head = strlen(HEAD);
	char text[sizeof(HEAD) + PULL_WHY_MAX];
	auto_fd dir = open_pulls(st);
	auto_fd fd = dir >= 0 ? openat(dir, name, OPEN_FILE) : -1;
	ssize_t n;

	*why = '\0';
	if (fd < 0)
		return PULL_NONE;
	if (is_locked(fd))
		return PULL_GOING;
	n = pread(fd, text, sizeof(text) - 1, 0);
	/* Nobody has begun yet, or a file of another version. */
	if (n < (ssize_t)head || memcmp(text, HEAD, head) != 0)
		return PULL_NONE;
	text[n] = '\0';
	(void)snprintf(why, PULL_WHY_MAX + 1, "%s",
	    (size_t)n > head ? text + head : "the pull was broken off");
	return PULL_FAILED;
}

int
pulls_list(const struct state *st, char ***ret, size_t *ret_n)
{
	auto_fd dir = open_pulls(st);

	*ret = NULL;
	*ret_n = 0;
	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	return names_list(dir, ret, ret_n);
}

bool
pulls_remove(const struct state *st, const char *name)
{
	auto_fd dir = open_pulls(st);

	return dir >= 0 && unlinkat(dir, name, 0) == 0;
}

/* Unless somebody has it. 0 or -1/errno. */
static int
remove_free(int dir, const char *name, bool dry)
{
	auto_fd fd = openat(dir, name, OPEN_FILE);

	if (fd < 0 || lock(fd) != 0 || !state_is_there(dir, name, fd))
		return -1;
	return dry ? 0 : unlinkat(dir, name, 0);
}

void
pulls_forget(const struct state *st, const char *name)
{
	auto_fd dir = open_pulls(st);

	if (dir >= 0)
		(void)remove_free(dir, name, false);
}

/* Has it ended, or stood still, for so long? A clock set back is no reason. */
static bool
is_old(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       time(NULL) - st.st_mtime > KEPT_SECONDS;
}

void
pulls_reap(const struct state *st, bool dry,
    void (*say)(const char *what, const char *name),
    void (*problem)(const char *name, int error))
{
	auto_fd dir = open_pulls(st);
	char **names = NULL;
	size_t n = 0;

	if (dir < 0 && errno == ENOENT)
		return;
	if (dir < 0 || names_list(dir, &names, &n) != 0) {
		problem(PULLS, errno);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (!is_old(dir, names[i]))
			continue;
		if (remove_free(dir, names[i], dry) == 0)
			say("pull", names[i]);
		else if (errno != EAGAIN && errno != ENOENT)
			problem(names[i], errno);
	}
	names_free(names, n);
}
