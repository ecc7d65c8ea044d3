/*
 *	front <-link-> BROKER <-pipe- WORKER --> sandboxes of skopeo and others
 *
 * The worker makes the image as `mayfly image pull` does (rootfs/pull.c). It
 * shares the lock of the pull's record, and its place among max_pulls, so that
 * both last as long as anything of it does. The broker passes on what it says,
 * and tells it to end when nobody wants the image any more: when the client of
 * a stream has gone, when the image is deleted, when mayfly is told to stop.
 */
#include "puller.h"

#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "defence.h"
#include "io.h"
#include "source.h"
#include "sys.h"

#define TOOL "mayfly-rootfs: " /* what it says begins so */

/* The worker's life. */
static noreturn void
work(const struct puller *p, const struct config *c, int result, pid_t parent)
{
	static struct image m;
	struct failure f = { 0 };

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	image_init(&m);
	if (getppid() != parent || make_pull(c, p->source, &m, &f) == 0)
		_exit(0);
	(void)io_write(result, &f, sizeof(f));
	_exit(1);
}

/* Where the worker's words go; its descriptors are its own alone. */
static int
begin_work(struct puller *p, const struct config *c, int said, int result)
{
	pid_t parent = getpid();

	p->pid = fork();
	if (p->pid != 0)
		return p->pid > 0 ? 0 : -1;
	if (dup2(said, STDERR_FILENO) < 0 || dup2(said, STDOUT_FILENO) < 0)
		_exit(1);
	sys_close(&p->said);
	sys_close(&p->result);
	sys_close(&p->signals);
	sys_close(&p->watch);
	/* Its end is the broker's: the front waits for that. */
	sys_close(&p->link);
	work(p, c, result, parent);
}

/* 0 or -1/errno. */
static int
watch_record(struct puller *p)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", p->record.fd);
	p->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (p->watch < 0)
		return -1;
	/* The number of its links changes: its name has gone. */
	return inotify_add_watch(p->watch, path, IN_ATTRIB) < 0 ? -1 : 0;
}

/*
 * Blocked here, they are the worker's as well: it hears them when it runs
 * something, and else in its own time. 0 or -1/errno.
 */
static int
watch_signals(struct puller *p)
{
	static const int wanted[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	sigset_t set;

	/* Where a caller ignores it the worker's end could not be told. */
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		(void)sigaddset(&set, wanted[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return p->signals < 0 ? -1 : 0;
}

static void
close_all(struct puller *p, const char *why)
{
	sys_close(&p->said);
	sys_close(&p->result);
	sys_close(&p->signals);
	sys_close(&p->watch);
	source_forget(p->token);
	p->token = NULL;
	pulls_end(&p->record, why);
	sys_close(&p->slot);
}

int
puller_start(struct puller *p, const struct config *c, const struct source *s,
    struct failure *f)
{
	int said[2] = { -1, -1 }, result[2] = { -1, -1 }, r = -1;

	p->source = s;
	p->token = source_token(s);
	p->said = p->result = p->signals = p->watch = -1;
	p->len = 0;
	p->cut = false;
	*p->last = *p->because = '\0';
	if (pipe2(said, O_CLOEXEC) == 0 && pipe2(result, O_CLOEXEC) == 0 &&
	    watch_signals(p) == 0 && watch_record(p) == 0) {
		p->said = said[0];
		p->result = result[0];
		r = begin_work(p, c, said[1], result[1]);
	}
	if (r != 0)
		(void)failure_set(f, "pull", errno, "start it");
	/* Ends of ours would be ends that never come. */
	sys_close(&said[1]);
	sys_close(&result[1]);
	if (r != 0)
		close_all(p, NULL);
	return r;
}

/* Is it in the line? Of a longer one than there is room for, its beginning. */
static bool
line_has(const struct puller *p, const char *secret)
{
	size_t len = strlen(p->line), n = strlen(secret);

	if (n > 0 && strstr(p->line, secret) != NULL)
		return true;
	for (n = n < len ? n : len; p->cut && n > 0; n--) {
		if (memcmp(p->line + len - n, secret, n) == 0)
			return true;
	}
	return false;
}

/* Does it tell the password? A registry can say anything. */
static bool
is_secret(const struct puller *p)
{
	const char *password = p->source->password;

	return DEFENCE(PULL_SECRET) && password != NULL &&
	       (line_has(p, password) || line_has(p, p->token));
}

/* What skopeo quotes has a backslash before a quote and a backslash. */
static void
unquote(char *line)
{
	char *to = line;

	for (const char *from = line; *from != '\0'; from++) {
		/* Also one behind which the line was cut. */
		if (*from == '\\' && strchr("\"\\", from[1]) != NULL &&
		    *++from == '\0')
			break;
		*to++ = *from;
	}
	*to = '\0';
}

/*
 * Of 'time="..." level=fatal msg="..."' the sentence alone, without what a
 * terminal would act on.
 */
static void
keep_last(struct puller *p, const char *line)
{
	const char *from = strstr(line, " msg=\"");
	size_t n = 0;

	from = from != NULL ? from + strlen(" msg=\"") : line;
	for (; *from != '\0' && n < sizeof(p->last) - 1; from++) {
		if (*from == '"' && from[1] == '\0')
			break;
		p->last[n++] = *from >= ' ' && *from <= '~' ? *from : '?';
	}
	p->last[n] = '\0';
}

static void
end_line(struct puller *p)
{
	bool secret;

	p->line[p->len] = '\0';
	p->len = 0;
	secret = is_secret(p);
	unquote(p->line);
	secret = secret || is_secret(p);
	p->cut = false;
	if (*p->line == '\0' || secret)
		return;
	keep_last(p, p->line);
	if (p->say != NULL)
		p->say(p->context, p->last);
}

/* What it says; the end of it closes the pipe. */
static void
read_said(struct puller *p)
{
	char buf[4096];
	ssize_t n = read(p->said, buf, sizeof(buf));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		end_line(p);
		sys_close(&p->said);
		p->said = -1;
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == '\n' || buf[i] == '\r')
			end_line(p);
		else if (p->len < sizeof(p->line) - 1)
			p->line[p->len++] = buf[i] != '\0' ? buf[i] : '?';
		else
			p->cut = true;
	}
}

/* Why it shall end now, or NULL. */
static const char *
find_reason(struct puller *p, const struct pollfd fds[4])
{
	char buf[4096];

	if (fds[1].revents != 0 && read(p->signals, buf, sizeof(buf)) > 0)
		return "mayfly was told to stop";
	if (fds[2].revents != 0) {
		while (read(p->watch, buf, sizeof(buf)) > 0)
			;
		if (!pulls_is_wanted(&p->record))
			return "the image was deleted";
	}
	return fds[3].revents != 0 ? "" : NULL;
}

/* Until all of its ends are closed. Why it was told to end, or NULL. */
static const char *
follow_worker(struct puller *p, int caller)
{
	const char *reason = NULL, *now;

	while (p->said >= 0) {
		struct pollfd fds[4] = {
			{ .fd = p->said, .events = POLLIN },
			{ .fd = p->signals, .events = POLLIN },
			{ .fd = p->watch, .events = POLLIN },
			{ .fd = reason == NULL ? caller : -1,
			    .events = POLLIN },
		};

		if (poll(fds, 4, -1) < 0)
			continue;
		now = find_reason(p, fds);
		if (now != NULL && reason == NULL) {
			reason = now;
			(void)kill(p->pid, SIGTERM);
		}
		if (fds[0].revents != 0)
			read_said(p);
	}
	return reason;
}

/* What was wrong with it: a sentence for all, and one for the log. */
static void
tell(struct puller *p, const struct failure *f, char why[PULL_WHY_MAX + 1])
{
	/* Of the image, and not of this machine, where paths are named. */
	static const char *const its_own[] = { "skopeo", "digest", "manifest",
		"layer" };
	const char *last = strcmp(f->step, "skopeo") == 0 ||
				   strncmp(p->last, TOOL, strlen(TOOL)) == 0
			       ? p->last
			       : "";
	char text[320];

	(void)snprintf(p->because, sizeof(p->because), "%s%s%s",
	    failure_text(f, text, sizeof(text)), *last != '\0' ? ": " : "",
	    last);
	for (size_t i = 0; i < sizeof(its_own) / sizeof(*its_own); i++) {
		if (strcmp(its_own[i], f->step) == 0) {
			(void)strcpy(why, p->because);
			return;
		}
	}
	(void)snprintf(why, PULL_WHY_MAX + 1,
	    "the image could not be made: step %s%s%s", f->step,
	    f->error != 0 ? ": " : "", f->error != 0 ? strerror(f->error) : "");
}

int
puller_wait(struct puller *p, int caller, char why[PULL_WHY_MAX + 1])
{
	const char *reason = follow_worker(p, caller);
	struct failure f = { 0 };
	bool has_failure = io_read(p->result, &f, sizeof(f)) == 0;
	int status = -1;

	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	*why = '\0';
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		/* The worker has ended the record. */
		close_all(p, NULL);
		return 0;
	}
	if (reason == NULL && has_failure)
		tell(p, &f, why);
	else
		(void)strcpy(
		    why, reason != NULL ? reason : "the pull was broken off");
	if (*p->because == '\0')
		(void)strcpy(p->because, why);
	close_all(p, *why != '\0' ? why : NULL);
	return -1;
}
