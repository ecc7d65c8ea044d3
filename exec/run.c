#include <sys/signalfd.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "command.h"
#include "config.h"
#include "images.h"
#include "options.h"
#include "report.h"
#include "session.h"
#include "session_call.h"
#include "sys.h"
#include "watch.h"

/* A writable bind of root's is wrong usage unless it was asked for twice. */
static int
check_binds(const struct plan *p, char *why, size_t size)
{
	struct stat st;

	for (size_t i = 0; i < p->bind_count; i++) {
		const struct bind *b = &p->binds[i];

		if (b->writable && !p->bind_root && geteuid() == 0 &&
		    stat(b->source, &st) == 0 && st.st_uid == 0) {
			(void)snprintf(why, size,
			    "bind: %.200s belongs to root, and so would what "
			    "is written there; --bind-root allows it",
			    b->source);
			return -1;
		}
	}
	return 0;
}

/* A descriptor that main() had to fill in is not the caller's. */
static int
stream_fd(int fd)
{
	return command_stream_given(fd) ? fd : -1;
}

static void
set_streams(struct options *o)
{
	struct plan *p = &o->plan;

	p->in.fd = stream_fd(STDIN_FILENO);
	p->out.fd = stream_fd(STDOUT_FILENO);
	p->err.fd = stream_fd(STDERR_FILENO);
	p->out.keep = p->err.keep = o->json;
	p->tty = o->tty == TTY_YES ||
		 (o->tty == TTY_AUTO && !o->json && isatty(STDIN_FILENO) &&
		     isatty(STDOUT_FILENO));
}

/* One line that says which limit ended the run. */
static void
tell_reason(const struct plan *p, const struct verdict *v)
{
	static const enum limit limits[REASON_MAX] = {
		[REASON_TIME] = LIMIT_TIME,
		[REASON_WALL] = LIMIT_WALL,
		[REASON_MEMORY] = LIMIT_MEM,
		[REASON_OUTPUT] = LIMIT_OUTPUT,
		[REASON_DISK] = LIMIT_SESSION_DISK,
	};
	static const char *const what[REASON_MAX] = {
		[REASON_TIME] = "CPU time",
		[REASON_WALL] = "elapsed time",
		[REASON_MEMORY] = "memory",
		[REASON_OUTPUT] = "output",
		[REASON_DISK] = "the session's disk",
	};
	uint64_t value;

	if (v->reason == REASON_KILLED) {
		complain("killed: %s",
		    v->stopped_by != 0 ? strsignal(v->stopped_by)
				       : "the sandbox was killed from outside");
		return;
	}
	if (what[v->reason] == NULL)
		return;
	value = p->limits.value[limits[v->reason]];
	if (value == LIMIT_UNSET)
		value = limits_output(&p->limits, true);
	complain("%s: the limit of %" PRIu64 " %s of %s was reached",
	    reason_name(v->reason), value, limit_rules[limits[v->reason]].unit,
	    what[v->reason]);
}

/* Prints what there is to print; the program's exit status. */
static int
tell(const struct options *o, const struct verdict *v)
{
	if (v->exec_error != 0)
		complain("%s: %s", o->plan.argv[0], strerror(v->exec_error));
	tell_reason(&o->plan, v);
	if (o->json && report_verdict(STDOUT_FILENO, v, true) != 0) {
		complain("stdout: %s", strerror(errno));
		return EXIT_OWN;
	}
	if (o->verdict_fd >= 0 &&
	    (report_verdict(o->verdict_fd, v, false) != 0 ||
		close(o->verdict_fd) != 0)) {
		complain("verdict: %s: %s", o->verdict_file, strerror(errno));
		return EXIT_OWN;
	}
	return verdict_exit_code(v);
}

/*
 * Makes or empties the file for the verdict, if there shall be one: before
 * anything can fail, so that nobody takes that of another run for this one's.
 */
static bool
open_verdict(struct options *o)
{
	if (o->verdict_file == NULL)
		return true;
	o->verdict_fd = open(
	    o->verdict_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (o->verdict_fd < 0)
		complain("verdict: %s: %s", o->verdict_file, strerror(errno));
	return o->verdict_fd >= 0;
}

static int
run_plan(const struct options *o, const struct config *c)
{
	struct verdict v;
	struct failure f;
	char text[320];
	int status;

	status = box_run(&o->plan, c, &v, &f);
	command_begin_line(v.within_line);
	if (status != 0) {
		complain("%s", failure_text(&f, text, sizeof(text)));
		return EXIT_OWN;
	}
	status = tell(o, &v);
	verdict_free(&v);
	return status;
}

/* Reads configuration and options; -1 when there is something to run. */
static int
prepare(
    struct options *o, struct config *c, bool in_session, int argc, char **argv)
{
	char why[512];

	if (config_read(c, why, sizeof(why)) != 0) {
		complain("config: %s", why);
		return EXIT_OWN;
	}
	options_init(o, &c->limits);
	o->plan.image = c->default_image;
	o->in_session = in_session;
	if (options_parse(o, argc, argv, why, sizeof(why)) != 0 ||
	    (!o->help && check_binds(&o->plan, why, sizeof(why)) != 0)) {
		complain("run: %s", why);
		return EXIT_USAGE;
	}
	if (o->help) {
		options_help(stdout, &c->limits, c->default_image);
		return 0;
	}
	if (!open_verdict(o))
		return EXIT_OWN;
	set_streams(o);
	return -1;
}

/* With what the image says of how to run in it. -1, or why it cannot be. */
static int
use_image(struct options *o, const struct config *c, struct image *m)
{
	const char *name = o->plan.image;
	enum images_result r = IMAGES_OK;
	struct failure f;
	char text[320];

	image_init(m);
	if (strcmp(name, "host") != 0)
		r = images_read(c, name, m, &f);
	if (r == IMAGES_NOT_FOUND) {
		complain("image: there is no image '%.129s'", name);
		return EXIT_OWN;
	}
	if (r == IMAGES_OK)
		r = images_plan(c, m, &o->plan, &f);
	if (r == IMAGES_WRONG) {
		complain("run: %s", f.detail);
		return EXIT_USAGE;
	}
	if (r != IMAGES_OK) {
		complain("%s", failure_text(&f, text, sizeof(text)));
		return EXIT_OWN;
	}
	return -1;
}

static int
finish_and_run(struct options *o, const struct config *c)
{
	char why[512];

	if (o->plan.argv == NULL) {
		complain("run: no command given, and the image has none");
		return EXIT_USAGE;
	}
	if (plan_finish(&o->plan, why, sizeof(why)) != 0) {
		complain("run: %s", why);
		return EXIT_USAGE;
	}
	return run_plan(o, c);
}

int
run_main(int argc, char **argv)
{
	static struct options o;
	static struct config c;
	static struct image m;
	int status = prepare(&o, &c, false, argc, argv);

	if (status < 0)
		status = use_image(&o, &c, &m);
	if (status < 0)
		status = finish_and_run(&o, &c);
	images_release(&o.plan);
	image_free(&m);
	return status;
}

/* Told to stop before there was a sandbox. */
static int
tell_stopped(const struct options *o, int sig)
{
	const struct verdict v = { .reason = REASON_KILLED,
		.exit_code = -1,
		.signal = SIGKILL,
		.stopped_by = sig };

	return tell(o, &v);
}

/* Waits for its turn in the session. The signal that says to stop, or 0. */
static int
wait_turn(const struct config *c, const char *id, struct session *s,
    enum session_result *ret, struct failure *f)
{
	struct signalfd_siginfo info;
	sigset_t stop, before;

	watch_stop_signals(&stop);
	auto_fd signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	(void)sigprocmask(SIG_BLOCK, signals >= 0 ? &stop : NULL, &before);
	*ret = session_open(c, call_owner(), id, signals, s, f);
	/* Told once is enough: a second time must not lose what is said. */
	if (signals >= 0 && read(signals, &info, sizeof(info)) == sizeof(info))
		return (int)info.ssi_signo;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return 0;
}

int
run_in_session(int argc, char **argv)
{
	static struct options o;
	static struct config c;
	static struct session s;
	enum session_result r;
	struct failure f;
	int status = prepare(&o, &c, true, argc, argv), sig;

	if (status >= 0)
		return status;
	session_init(&s);
	sig = wait_turn(&c, argv[0], &s, &r, &f);
	if (sig != 0) {
		if (r == SESSION_OK)
			session_close(&s);
		return tell_stopped(&o, sig);
	}
	if (r != SESSION_OK)
		return call_tell(r, "session", argv[0], &f);
	r = session_plan(&c, &s, &o.plan, &f);
	status = r != SESSION_OK ? call_tell(r, "session", argv[0], &f)
				 : finish_and_run(&o, &c);
	images_release(&o.plan);
	session_close(&s);
	return status;
}
