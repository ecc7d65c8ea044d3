#include <sys/utsname.h>

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"

/*
 * What the host's kernel should be told. A sandbox does not depend on these:
 * its filter, its namespaces and its limits refuse the same. They are what is
 * left if one of those had a hole, and they protect the host from programs
 * that are in no sandbox.
 */
static const struct setting {
	const char *name;
	long value;
	enum { AT_LEAST, AT_MOST } want;
	bool always; /* else a kernel without it has nothing to be told */
	const char *cost;
} settings[] = {
	{ "fs.protected_symlinks", 1, AT_LEAST, true,
	    "A link planted in /tmp leads privileged programs astray." },
	{ "fs.protected_hardlinks", 1, AT_LEAST, true,
	    "Users can link to files that they may not write." },
	{ "fs.protected_fifos", 2, AT_LEAST, true,
	    "A pipe planted in /tmp takes what a program meant for a file." },
	{ "fs.protected_regular", 2, AT_LEAST, true,
	    "A file planted in /tmp takes what a program meant for its own." },
	{ "kernel.dmesg_restrict", 1, AT_LEAST, true,
	    "Everybody reads the kernel's log, with addresses in it." },
	{ "kernel.kptr_restrict", 2, AT_LEAST, true,
	    "Kernel addresses are shown, which exploits need." },
	{ "kernel.unprivileged_bpf_disabled", 1, AT_LEAST, false,
	    "Users can load BPF, a frequent way to attack the kernel." },
	{ "kernel.perf_event_paranoid", 3, AT_LEAST, false,
	    "Users reach perf events, a frequent way to attack the kernel." },
	{ "kernel.yama.ptrace_scope", 1, AT_LEAST, true,
	    "Each program can read the memory of its user's others." },
	{ "kernel.io_uring_disabled", 2, AT_LEAST, false,
	    "Users reach io_uring, a frequent way to attack the kernel." },
	{ "dev.tty.legacy_tiocsti", 0, AT_MOST, false,
	    "A program can type commands into the terminal it was given." },
	{ "vm.unprivileged_userfaultfd", 0, AT_MOST, false,
	    "An exploit can hold the kernel at a page fault of its choice." },
	{ "debug.exception-trace", 0, AT_MOST, false,
	    "Each crash writes to the kernel's log, which can be flooded." },
};

/* Reads a setting by its sysctl(8) name. Its length, or -1/errno. */
static int
read_setting(const char *name, char *buf, size_t size)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/proc/sys/%s", name);
	for (char *p = path + strlen("/proc/sys/"); *p != '\0'; p++) {
		if (*p == '.')
			*p = '/';
	}
	return doctor_read(path, buf, size);
}

static void
look_setting(struct doctor *d, const struct setting *s)
{
	char value[32];
	long n;

	if (read_setting(s->name, value, sizeof(value)) < 0) {
		if (errno != ENOENT)
			doctor_ok(d, s->name, "not shown to this user");
		else if (!s->always)
			doctor_ok(d, s->name, "this kernel has none");
		else
			doctor_lacks(d, FINDING_WARN, s->name, s->cost,
			    "Use a kernel that has it.",
			    "this kernel has none");
		return;
	}
	n = strtol(value, NULL, 10);
	if (s->want == AT_LEAST ? n >= s->value : n <= s->value)
		doctor_ok(d, s->name, "%s", value);
	else
		doctor_lacks(d, FINDING_WARN, s->name, s->cost,
		    doctor_text("sysctl -w %s=%ld", s->name, s->value),
		    "%s, better %ld", value, s->value);
}

void
look_settings(struct doctor *d, const char *name)
{
	(void)name;
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		look_setting(d, &settings[i]);
}

/* A program that reads crashes, and how many of it at once. */
void
look_core_pattern(struct doctor *d, const char *name)
{
	static const char limit[] = "kernel.core_pipe_limit";
	char pattern[160], value[32];

	if (read_setting(name, pattern, sizeof(pattern)) < 0)
		*pattern = '\0';
	/* Linux 6.16: to a socket they go whatever RLIMIT_CORE is. */
	if (*pattern == '@') {
		doctor_lacks(d, FINDING_WARN, name,
		    "Who listens there is sent the memory of each program that "
		    "crashes, in sandboxes as well: nothing here prevents it.",
		    "sysctl -w kernel.core_pattern=core",
		    "sent to the socket %s", pattern + 1);
		return;
	}
	if (*pattern != '|') {
		doctor_ok(d, name, "no program reads core dumps");
		return;
	}
	doctor_lacks(d, FINDING_WARN, name,
	    "It runs as root on memory that the crashed program chose. From "
	    "crashes in sandboxes it is kept by RLIMIT_CORE and the filter.",
	    "sysctl -w kernel.core_pattern=core", "read by %s", pattern + 1);
	if (read_setting(limit, value, sizeof(value)) < 0)
		doctor_ok(d, limit, "not shown to this user");
	else if (strcmp(value, "0") != 0)
		doctor_ok(d, limit, "%s", value);
	else
		doctor_lacks(d, FINDING_WARN, limit,
		    "Any number of those run at once.",
		    "sysctl -w kernel.core_pipe_limit=16", "0, better 1 to 16");
}

/*
 * Network protocols and ciphers in which bugs let who could read a file write
 * it. They load by themselves when a program asks for such a socket.
 */
static struct module {
	const char *name;
	bool loaded, present, blocked;
} modules[] = {
	{ .name = "algif_aead" },
	{ .name = "algif_hash" },
	{ .name = "algif_rng" },
	{ .name = "algif_skcipher" },
	{ .name = "dccp" },
	{ .name = "esp4" },
	{ .name = "esp6" },
	{ .name = "rxrpc" },
	{ .name = "sctp" },
	{ .name = "tipc" },
};

#define MODULE_COUNT (sizeof(modules) / sizeof(*modules))

/* Files write names with '-' or '_'. */
static struct module *
find_module(char *name)
{
	for (char *p = name; *p != '\0'; p++) {
		if (*p == '-')
			*p = '_';
	}
	for (size_t i = 0; i < MODULE_COUNT; i++) {
		if (strcmp(modules[i].name, name) == 0)
			return &modules[i];
	}
	return NULL;
}

/* /proc/modules: the name is the first word. */
static void
read_loaded(const char *line)
{
	char name[64];
	struct module *m;

	if (sscanf(line, "%63s", name) == 1 && (m = find_module(name)) != NULL)
		m->loaded = true;
}

/* modules.dep: "kernel/net/ipv4/esp4.ko.xz: ..." */
static void
read_present(const char *line)
{
	size_t len = strcspn(line, ":");
	const char *base = memrchr(line, '/', len);
	char name[64];
	struct module *m;

	if (base != NULL && sscanf(base, "/%63[^.:]", name) == 1 &&
	    (m = find_module(name)) != NULL)
		m->present = true;
}

/* modprobe.d(5): "blacklist NAME" or "install NAME COMMAND". */
static void
read_blocked(const char *line)
{
	char verb[16], name[64];
	struct module *m;

	if (sscanf(line, "%15s %63s", verb, name) == 2 &&
	    (strcmp(verb, "blacklist") == 0 || strcmp(verb, "install") == 0) &&
	    (m = find_module(name)) != NULL)
		m->blocked = true;
}

static void
for_lines(const char *pattern, void (*read_line)(const char *line))
{
	char line[4096];
	glob_t found;
	FILE *f;

	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		f = fopen(found.gl_pathv[i], "re");
		while (f != NULL && fgets(line, sizeof(line), f) != NULL)
			read_line(line);
		if (f != NULL)
			(void)fclose(f);
	}
	globfree(&found);
}

void
look_modules(struct doctor *d, const char *name)
{
	static const char *const dirs[] = { "/etc", "/run", "/usr/local/lib",
		"/usr/lib", "/lib" };
	char path[512], list[256] = "";
	struct utsname u;
	bool known;

	(void)uname(&u);
	(void)snprintf(
	    path, sizeof(path), "/lib/modules/%s/modules.dep", u.release);
	for_lines(path, read_present);
	/* A container mostly has none of the files, and the kernel does. */
	known = access(path, R_OK) == 0 || access("/proc/modules", F_OK) != 0;
	for_lines("/proc/modules", read_loaded);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/modprobe.d/*.conf", dirs[i]);
		for_lines(path, read_blocked);
	}
	for (size_t i = 0; i < MODULE_COUNT; i++) {
		if (modules[i].loaded ||
		    (modules[i].present && !modules[i].blocked))
			(void)sprintf(
			    list + strlen(list), " %s", modules[i].name);
	}
	if (*list == '\0')
		doctor_ok(d, name,
		    known ? "no risky one is loaded or can be"
			  : "no risky one is loaded; which can be is not shown "
			    "here");
	else
		doctor_lacks(d, FINDING_WARN, name,
		    "Programs outside of sandboxes can load them; bugs in "
		    "them have given root to whoever asked.",
		    doctor_text("Where they are not used: printf 'install %%s "
				"/bin/false\\n'%s >/etc/modprobe.d/"
				"mayfly.conf, and modprobe -r",
			list),
		    "loaded, or to be had:%s", list);
}
