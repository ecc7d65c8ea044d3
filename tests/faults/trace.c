#include "trace.h"

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <dirent.h>
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ptrace.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROCESSES_MAX 256
#define AFTERWARDS 5 /* seconds for what the command leaves behind */

struct process {
	pid_t pid; /* 0: no process */
	char who[64]; /* "": not known yet */
	bool held; /* stopped until it is */
	bool ours; /* still the program */
	unsigned children;
	unsigned long calls;
	const char *last; /* the call it is in */
	int failing; /* errno that its call is to have, or 0 */
};

static struct trace *run;
static struct process processes[PROCESSES_MAX];
static bool counting;
static pid_t command;
static int status = -1; /* of the command */
static volatile sig_atomic_t seconds;

/* fcntl(2) is several calls, which fail for different reasons. */
static const char *
name_of(long call, unsigned long which)
{
	const char *name;

	if (call == SYS_fcntl && which == F_DUPFD_CLOEXEC)
		return "fcntl_dupfd";
	if (call == SYS_fcntl && which == F_OFD_SETLK)
		return "fcntl_lock";
	if (call == SYS_fcntl && which == F_ADD_SEALS)
		return "fcntl_seal";
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)call);
	return name != NULL ? name : "none";
}

static struct process *
find(pid_t pid)
{
	for (size_t i = 0; i < PROCESSES_MAX; i++) {
		if (processes[i].pid == pid)
			return &processes[i];
	}
	return NULL;
}

static struct process *
find_or_add(pid_t pid)
{
	struct process *p = find(pid);

	if (p == NULL) {
		p = find(0);
		if (p == NULL)
			errx(2, "too many processes");
		*p = (struct process){ .pid = pid, .last = "none" };
	}
	return p;
}

static void
proceed(const struct process *p, int sig)
{
	(void)ptrace(PTRACE_SYSCALL, p->pid, NULL, (void *)(long)sig);
}

/*
 * Another call in place of the one that is not to be done. It changes nothing,
 * and no filter of the program refuses it, as they would "none".
 */
static void
replace_call(pid_t pid)
{
	struct user_regs_struct r;
	struct iovec v = { &r, sizeof(r) };

	(void)ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &v);
#if defined(__x86_64__)
	r.orig_rax = SYS_close;
	r.rdi = (unsigned long)-1;
#elif defined(__aarch64__)
	int call = SYS_close;
	struct iovec c = { &call, sizeof(call) };

	(void)ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &c);
	r.regs[0] = (unsigned long)-1;
#else
#error "how does one replace a system call here?"
#endif
	(void)ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &v);
}

static void
set_result(pid_t pid, int error)
{
	struct user_regs_struct r;
	struct iovec v = { &r, sizeof(r) };

	(void)ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &v);
#if defined(__x86_64__)
	r.rax = (unsigned long)-error;
#elif defined(__aarch64__)
	r.regs[0] = (unsigned long)-error;
#endif
	(void)ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &v);
}

static void
say(const char *what, const struct process *p)
{
	(void)fprintf(
	    run->report, "%s %s %lu %s\n", what, p->who, p->calls, p->last);
}

/* Of a process that is about to end: what it could have done until then. */
static void
say_state(const struct process *p)
{
	char path[32], line[256];
	unsigned files = 0;
	FILE *f;
	DIR *d;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)p->pid);
	f = fopen(path, "re");
	(void)fprintf(run->report, "state %s", p->who);
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "Cap", 3) == 0 ||
		    strncmp(line, "NoNewPrivs", 10) == 0 ||
		    strncmp(line, "Seccomp", 7) == 0)
			(void)fprintf(run->report, " %.3s%s", line,
			    strchr(line, '\t') + 1);
	}
	if (f != NULL)
		(void)fclose(f);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)p->pid);
	d = opendir(path);
	while (d != NULL && readdir(d) != NULL)
		files++;
	if (d != NULL)
		(void)closedir(d);
	(void)fprintf(run->report, " files %u\n", files - 2);
}

static void
enter_call(struct process *p, long call, const char *name)
{
	p->calls++;
	p->last = name;
	if (run->verbose)
		say("call", p);
	if (call == SYS_exit_group)
		say_state(p);
	if (run->target.left == 0 || strcmp(p->who, run->target.who) != 0 ||
	    (run->target.name != NULL && strcmp(name, run->target.name) != 0) ||
	    --run->target.left > 0)
		return;
	say("met", p);
	if (run->target.error == 0) {
		(void)kill(p->pid, SIGKILL);
		return;
	}
	p->failing = run->target.error;
	if (call != SYS_close)
		replace_call(p->pid);
}

static void
take_call(struct process *p)
{
	struct ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, (void *)sizeof(info),
		&info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY && counting && p->ours) {
		enter_call(p, (long)info.entry.nr,
		    name_of((long)info.entry.nr, info.entry.args[1]));
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && p->failing != 0) {
		set_result(p->pid, p->failing);
		p->failing = 0;
	}
}

static void
take_child(struct process *parent)
{
	unsigned long pid;
	struct process *p;

	if (ptrace(PTRACE_GETEVENTMSG, parent->pid, NULL, &pid) != 0)
		return;
	p = find_or_add((pid_t)pid);
	(void)snprintf(p->who, sizeof(p->who), "%.50s.%u", parent->who,
	    ++parent->children);
	p->ours = parent->ours;
	if (p->held)
		proceed(p, 0);
	p->held = false;
}

/* True when the process is none of ours any more. */
static bool
take_exec(struct process *p)
{
	char link[32], path[PATH_MAX];
	ssize_t n;

	if (p->pid != command) {
		(void)ptrace(PTRACE_DETACH, p->pid, NULL, NULL);
		p->pid = 0;
		return true;
	}
	(void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)p->pid);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	if (strcmp(path, run->program) == 0)
		counting = true;
	return false;
}

static void
take_stop(struct process *p, int wait_status)
{
	int sig = WSTOPSIG(wait_status);

	switch ((unsigned)wait_status >> 16) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		take_child(p);
		break;
	case PTRACE_EVENT_EXEC:
		if (take_exec(p))
			return;
		break;
	case PTRACE_EVENT_STOP:
		if (sig != SIGTRAP) {
			(void)ptrace(PTRACE_LISTEN, p->pid, NULL, NULL);
			return;
		}
		/* It may be seen before its parent has told of it. */
		if (*p->who == '\0') {
			p->held = true;
			return;
		}
		break;
	default:
		if (sig == (SIGTRAP | 0x80)) {
			take_call(p);
			break;
		}
		proceed(p, sig);
		return;
	}
	proceed(p, 0);
}

static void
take_end(struct process *p, int wait_status)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT,
		SIGSYS, SIGTRAP };

	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		if (WIFSIGNALED(wait_status) && p->ours &&
		    WTERMSIG(wait_status) == faults[i])
			(void)fprintf(
			    run->report, "crash %s %d\n", p->who, faults[i]);
	}
	if (p->pid == command) {
		status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
						: 128 + WTERMSIG(wait_status);
		if (run->patience > seconds + AFTERWARDS)
			run->patience = seconds + AFTERWARDS;
	}
	p->pid = 0;
}

/* Whoever has not ended by now: said, and ended. */
static void
give_up(void)
{
	const char *word = status < 0 ? "hung" : "left";

	for (size_t i = 0; i < PROCESSES_MAX; i++) {
		if (processes[i].pid == 0)
			continue;
		say(word, &processes[i]);
		(void)kill(processes[i].pid, SIGKILL);
	}
	if (run->client > 0)
		(void)kill(run->client, SIGKILL);
	run->patience = INT_MAX;
}

/* How many there are, without the client. */
static unsigned
count_processes(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < PROCESSES_MAX; i++)
		n += processes[i].pid != 0;
	return n;
}

static void
watch(void)
{
	bool told = run->client == 0;
	int wait_status;
	pid_t pid;

	while (count_processes() > 0 || run->client > 0) {
		if (!told && run->client <= 0 && status < 0 &&
		    count_processes() == 1) {
			(void)kill(command, SIGTERM);
			told = true;
		}
		if (seconds >= run->patience)
			give_up();
		pid = waitpid(-1, &wait_status, __WALL);
		if (pid < 0)
			continue;
		if (pid == run->client) {
			run->client = 0;
		} else if (WIFSTOPPED(wait_status)) {
			take_stop(find_or_add(pid), wait_status);
		} else if (find(pid) != NULL) {
			take_end(find(pid), wait_status);
		}
	}
}

static void
count_second(int sig)
{
	(void)sig;
	seconds++;
}

int
trace(struct trace *t, pid_t pid, int go)
{
	const struct sigaction count = { .sa_handler = count_second };
	const struct itimerval every = { { 1, 0 }, { 1, 0 } };
	struct process *p;

	run = t;
	command = pid;
	p = find_or_add(command);
	(void)strcpy(p->who, "0");
	p->ours = true;
	if (ptrace(PTRACE_SEIZE, command, NULL,
		PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
		    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		    PTRACE_O_TRACECLONE) != 0)
		err(2, "ptrace");
	(void)ptrace(PTRACE_INTERRUPT, command, NULL, NULL);
	(void)close(go);
	(void)sigaction(SIGALRM, &count, NULL);
	(void)setitimer(ITIMER_REAL, &every, NULL);
	watch();
	return status;
}
