#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "command.h"
#include "probe.h"
#include "sys.h"

#define WIDTH 80
#define NAME_COLUMN 6
#define TEXT_COLUMN 13 /* of cost and remedy */
#define LIST_STEP 16

static void look_config(struct doctor *d, const char *name);

/*
 * In the order of the report, causes before what follows from them. needs: it
 * can be tried only where that check is ok.
 */
static const struct check {
	const char *name;
	void (*look)(struct doctor *d, const char *name);
	const char *needs;
} checks[] = {
	{ "config", look_config, NULL },
	{ "kernel", look_kernel, NULL },
	{ "caller", look_caller, NULL },
	{ "user_namespaces", look_user_namespaces, NULL },
	{ "host_ids", look_host_ids, "user_namespaces" },
	{ "namespaces", look_namespaces, "user_namespaces" },
	{ "mount_api", look_mount_api, "user_namespaces" },
	{ "pivot_root", look_pivot_root, "mount_api" },
	{ "proc", look_proc, "mount_api" },
	{ "overlay", look_overlay, "pivot_root" },
	{ "idmapped_mounts", look_idmapped_mounts, "proc" },
	{ "cgroup", look_cgroup, NULL },
	{ "cgroup_delegation", look_cgroup_delegation, "cgroup" },
	{ "cgroup_controllers", look_cgroup_controllers, "cgroup_delegation" },
	{ "cgroup_kill", look_cgroup_kill, "cgroup_delegation" },
	{ "memory_peak", look_memory_peak, "cgroup_delegation" },
	{ "session_disk", look_session_disk, NULL },
	{ "images", look_images, NULL },
	{ "seccomp", look_seccomp, "user_namespaces" },
	{ "bpf_jit", look_bpf_jit, NULL },
	{ "landlock", look_landlock, NULL },
	{ "smt", look_smt, NULL },
	{ "ksm", look_ksm, NULL },
	{ "kernel.core_pattern", look_core_pattern, NULL },
	{ "kernel_settings", look_settings, NULL },
	{ "kernel_modules", look_modules, NULL },
	{ "sandbox", look_sandbox, NULL },
};

/* A text of its own, which the report keeps. */
static char *
format(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0) {
		complain("doctor: %s", strerror(ENOMEM));
		exit(EXIT_OWN);
	}
	return text;
}

const char *
doctor_text(const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	return text;
}

static struct finding *
add(struct doctor *d, const char *name)
{
	struct finding *f = d->findings;

	if (d->count % LIST_STEP == 0) {
		f = realloc(f, (d->count + LIST_STEP) * sizeof(*f));
		if (f == NULL) {
			complain("doctor: %s", strerror(errno));
			exit(EXIT_OWN);
		}
		d->findings = f;
	}
	f += d->count++;
	*f = (struct finding){ .name = name, .cost = "", .remedy = "" };
	return f;
}

void
doctor_ok(struct doctor *d, const char *name, const char *fmt, ...)
{
	struct finding *f = add(d, name);
	va_list ap;

	va_start(ap, fmt);
	f->found = format(fmt, ap);
	va_end(ap);
}

void
doctor_lacks(struct doctor *d, int level, const char *name, const char *cost,
    const char *remedy, const char *fmt, ...)
{
	struct finding *f = add(d, name);
	va_list ap;

	f->level = level;
	f->cost = cost;
	f->remedy = remedy;
	va_start(ap, fmt);
	f->found = format(fmt, ap);
	va_end(ap);
}

bool
doctor_can_run(const struct doctor *d)
{
	for (size_t i = 0; i < d->count; i++) {
		if (d->findings[i].level == FINDING_FAIL)
			return false;
	}
	return true;
}

int
doctor_read(const char *path, char *buf, size_t size)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (n < 0)
		return -1;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return (int)strlen(buf);
}

static void
look_config(struct doctor *d, const char *name)
{
	char why[512];

	if (config_read(&d->config, why, sizeof(why)) == 0) {
		doctor_ok(d, name, "can be read");
		return;
	}
	/* The other checks go on with the defaults. */
	config_defaults(&d->config);
	doctor_lacks(d, FINDING_FAIL, name,
	    "No sandbox runs with a configuration that is not understood.",
	    "Correct the line or variable.", "%s", why);
}

static bool
is_ok(const struct doctor *d, const char *name)
{
	for (size_t i = 0; i < d->count; i++) {
		if (strcmp(d->findings[i].name, name) == 0)
			return d->findings[i].level == FINDING_OK;
	}
	return false;
}

/* Who the probes are in a user namespace of theirs. */
static void
choose_ids(struct doctor *d)
{
	struct probe p = {
		.flags = CLONE_NEWUSER, .ids = &d->ids, .try = probe_nothing
	};
	struct failure f;

	d->privileged = ids_privileged();
	d->ids = (struct ids){ .mode = IDS_LEASED,
		.uid_base = (uid_t)d->config.uid_base,
		.gid_base = (gid_t)d->config.uid_base,
		.count = IDS_PER_SANDBOX,
		.lease = -1 };
	if (d->privileged && (probe(&p, &f) == 0 || strcmp(f.step, "ids") != 0))
		return;
	d->ids = (struct ids){ .mode = IDS_SINGLE,
		.caller = geteuid(),
		.caller_group = getegid(),
		.uid_base = geteuid(),
		.gid_base = getegid(),
		.count = 1,
		.lease = -1 };
}

static void
examine(struct doctor *d)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		const struct check *c = &checks[i];

		if (c->needs != NULL && !is_ok(d, c->needs))
			doctor_lacks(d, FINDING_WARN, c->name, "", "",
			    "not tried: see %s", c->needs);
		else
			c->look(d, c->name);
		/* The configuration says which ids there are to choose. */
		if (i == 0)
			choose_ids(d);
	}
	cgroup_close(&d->cgroup);
}

/* Words from column on; the lines after the first are indented. */
static void
print_words(const char *text, size_t column, size_t indent)
{
	bool first = true;
	size_t len;

	for (; *text != '\0'; text += len) {
		text += strspn(text, " \n");
		len = strcspn(text, " \n");
		if (!first && column + 1 + len > WIDTH) {
			(void)printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			(void)putchar(' ');
			column++;
		}
		(void)printf("%.*s", (int)len, text);
		column += len;
		first = false;
	}
	(void)putchar('\n');
}

static void
print_part(const char *label, const char *text)
{
	if (*text == '\0')
		return;
	(void)printf(
	    "%*s%-*s", NAME_COLUMN, "", TEXT_COLUMN - NAME_COLUMN, label);
	print_words(text, TEXT_COLUMN, TEXT_COLUMN);
}

static void
print_report(const struct doctor *d)
{
	static const char *const levels[] = { "ok", "warn", "fail" };
	size_t count[3] = { 0 }, width = 0, len;

	for (size_t i = 0; i < d->count; i++) {
		len = strlen(d->findings[i].name);
		width = len > width ? len : width;
	}
	for (size_t i = 0; i < d->count; i++) {
		const struct finding *f = &d->findings[i];

		count[f->level]++;
		(void)printf("%-*s%-*s", NAME_COLUMN, levels[f->level],
		    (int)width + 2, f->name);
		print_words(
		    f->found, NAME_COLUMN + width + 2, NAME_COLUMN + width + 2);
		print_part("costs", f->cost);
		print_part("do", f->remedy);
	}
	(void)printf("\n%s sandbox can run here: %zu ok, %zu warn, %zu fail.\n",
	    doctor_can_run(d) ? "A" : "No", count[FINDING_OK],
	    count[FINDING_WARN], count[FINDING_FAIL]);
	print_words("What sysctl -w sets lasts until the next boot; a file in "
		    "/etc/sysctl.d/ keeps it.",
	    0, 0);
}

/* 0, or -1 with errno when stdout does not take it. */
static int
print(const struct doctor *d, bool json)
{
	if (json)
		return report_findings(STDOUT_FILENO, d->findings, d->count);
	print_report(d);
	return fflush(stdout) != 0 || ferror(stdout) ? -1 : 0;
}

int
doctor_main(int argc, char **argv)
{
	static struct doctor d = { .cgroup = { .dir = -1, .parent = -1 } };
	bool json = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			(void)puts(
			    "usage: mayfly doctor [--json]\n\nTells what "
			    "this machine offers, what is missing, and "
			    "what each absence costs.");
			return 0;
		}
		if (strcmp(argv[i], "--json") != 0) {
			complain("doctor: unknown %s '%.80s'",
			    argv[i][0] == '-' ? "option" : "argument", argv[i]);
			return EXIT_USAGE;
		}
		json = true;
	}
	/* Probes are waited for. */
	(void)signal(SIGCHLD, SIG_DFL);
	cgroup_settle();
	examine(&d);
	if (print(&d, json) != 0) {
		complain("stdout: %s", strerror(errno));
		return EXIT_OWN;
	}
	return doctor_can_run(&d) ? 0 : 1;
}
