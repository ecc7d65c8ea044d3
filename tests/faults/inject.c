/*
 * Runs a program and lets one system call go wrong, of it or of any process
 * that it starts:
 *
 *	inject [OPTION]... -p PROGRAM -- COMMAND [ARGUMENT]...
 *
 *	-k WHO:N	SIGKILL to WHO at its Nth call, which is not done
 *	-e WHO:NAME:N:ERROR	the Nth of its calls with this name fails so;
 *			close(2) closes all the same
 *	-o FILE		the report, below
 *	-v		with a line `call WHO N NAME` for each call
 *	-s SECONDS	until it counts as hung (15)
 *	-l SOCKET -r FILE -a FILE	the command is given, as systemd would,
 *a UNIX socket that listens. A client is connected to it already, which sends
 *what is in the one file and keeps what comes in the other. When that has
 *ended, and all processes that the command started, it gets SIGTERM. -u UID
 *whose client that is
 *
 * WHO is "0" for the command's own process, "0.2" for the second that this one
 * started, "0.2.1" for the first of that one: the same from run to run, as the
 * count of calls is, because nothing of the program is changed. It counts from
 * the moment in which the command executes PROGRAM. A process started by it
 * that executes anything is let go: what it does then is its own.
 *
 * The report:
 *
 *	met WHO N NAME		it was done
 *	state WHO ...		what this one had when it ended by itself
 *	crash WHO SIGNAL	it died of a fault of its own
 *	hung WHO N NAME		at its last call, after the SECONDS
 *	left WHO N NAME		still there long after the command
 *	status N		the command's, as a shell has it; always the
 *				last line
 */
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <dirent.h>
#include <elf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ptrace.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
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

static struct {
	char who[64];
	unsigned long left; /* such calls until then */
	int error; /* 0: SIGKILL */
	const char *name; /* of the call, or NULL for any */
} target;

static struct {
	const char *socket, *request, *answer;
	uid_t uid;
	int listener;
	pid_t client;
} http = { .listener = -1 };

static struct process processes[PROCESSES_MAX];
static const char *program;
static FILE *report;
static bool verbose, counting;
static int patience = 15;
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
	    report, "%s %s %lu %s\n", what, p->who, p->calls, p->last);
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
	(void)fprintf(report, "state %s", p->who);
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "Cap", 3) == 0 ||
		    strncmp(line, "NoNewPrivs", 10) == 0 ||
		    strncmp(line, "Seccomp", 7) == 0)
			(void)fprintf(
			    report, " %.3s%s", line, strchr(line, '\t') + 1);
	}
	if (f != NULL)
		(void)fclose(f);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)p->pid);
	d = opendir(path);
	while (d != NULL && readdir(d) != NULL)
		files++;
	if (d != NULL)
		(void)closedir(d);
	(void)fprintf(report, " files %u\n", files - 2);
}

static void
enter_call(struct process *p, long call, const char *name)
{
	p->calls++;
	p->last = name;
	if (verbose)
		say("call", p);
	if (call == SYS_exit_group)
		say_state(p);
	if (target.left == 0 || strcmp(p->who, target.who) != 0 ||
	    (target.name != NULL && strcmp(name, target.name) != 0) ||
	    --target.left > 0)
		return;
	say("met", p);
	if (target.error == 0) {
		(void)kill(p->pid, SIGKILL);
		return;
	}
	p->failing = target.error;
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
	if (strcmp(path, program) == 0)
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
			    report, "crash %s %d\n", p->who, faults[i]);
	}
	if (p->pid == command) {
		status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
						: 128 + WTERMSIG(wait_status);
		if (patience > seconds + AFTERWARDS)
			patience = seconds + AFTERWARDS;
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
	if (http.client > 0)
		(void)kill(http.client, SIGKILL);
	patience = INT_MAX;
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
	bool told = http.socket == NULL;
	int wait_status;
	pid_t pid;

	while (count_processes() > 0 || http.client > 0) {
		if (!told && http.client <= 0 && status < 0 &&
		    count_processes() == 1) {
			(void)kill(command, SIGTERM);
			told = true;
		}
		if (seconds >= patience)
			give_up();
		pid = waitpid(-1, &wait_status, __WALL);
		if (pid < 0)
			continue;
		if (pid == http.client) {
			http.client = 0;
		} else if (WIFSTOPPED(wait_status)) {
			take_stop(find_or_add(pid), wait_status);
		} else if (find(pid) != NULL) {
			take_end(find(pid), wait_status);
		}
	}
}

/* Sends the request, and keeps what is answered until there is no more. */
static void
be_client(int sock)
{
	int from = open(http.request, O_RDONLY), to;
	char buf[65536];
	ssize_t n;

	to = open(http.answer, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (from < 0 || to < 0)
		err(2, "%s", http.request);
	while ((n = read(from, buf, sizeof(buf))) > 0 &&
	       send(sock, buf, (size_t)n, MSG_NOSIGNAL) == n)
		;
	while ((n = read(sock, buf, sizeof(buf))) > 0) {
		if (write(to, buf, (size_t)n) != n)
			err(2, "%s", http.answer);
	}
	_exit(0);
}

/* The client is first in the queue, before there is a server. */
static void
start_client(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	http.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", http.socket);
	(void)unlink(http.socket);
	/* The socket is that user's to connect to, too. */
	if (seteuid(http.uid) != 0 ||
	    bind(http.listener, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(http.listener, 16) != 0 ||
	    connect(sock, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    seteuid(getuid()) != 0)
		err(2, "%s", http.socket);
	(void)unlink(http.socket);
	http.client = fork();
	if (http.client == 0) {
		(void)close(http.listener);
		be_client(sock);
	}
	(void)close(sock);
}

static void
start_command(char **argv)
{
	struct process *p;
	char number[16];
	int go[2];

	if (pipe2(go, O_CLOEXEC) != 0)
		err(2, "pipe");
	command = fork();
	if (command < 0)
		err(2, "fork");
	if (command == 0) {
		(void)close(go[1]);
		(void)!read(go[0], number, 1);
		(void)snprintf(number, sizeof(number), "%d", (int)getpid());
		if (http.listener >= 0) {
			/* Before what it was is closed with the rest. */
			if (dup2(http.listener, 3) != 3)
				err(2, "dup2");
			(void)fcntl(3, F_SETFD, 0);
			(void)setenv("LISTEN_FDS", "1", 1);
			(void)setenv("LISTEN_PID", number, 1);
		}
		(void)execvp(*argv, argv);
		err(2, "%s", *argv);
	}
	p = find_or_add(command);
	(void)strcpy(p->who, "0");
	p->ours = true;
	if (ptrace(PTRACE_SEIZE, command, NULL,
		PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
		    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		    PTRACE_O_TRACECLONE) != 0)
		err(2, "ptrace");
	(void)ptrace(PTRACE_INTERRUPT, command, NULL, NULL);
	(void)close(go[0]);
	(void)close(go[1]);
	if (http.listener >= 0)
		(void)close(http.listener);
}

static unsigned long
read_number(const char *text)
{
	char *end;
	unsigned long n = text != NULL ? strtoul(text, &end, 10) : 0;

	if (n == 0 || *end != '\0')
		errx(2, "that is no number of a call");
	return n;
}

/* "WHO:N", or with an error "WHO:NAME:N:ERROR". */
static void
read_target(char *text, bool has_error)
{
	(void)snprintf(
	    target.who, sizeof(target.who), "%s", strsep(&text, ":"));
	if (has_error)
		target.name = strsep(&text, ":");
	target.left = read_number(strsep(&text, ":"));
	for (int e = 1; has_error && e < 4096; e++) {
		const char *known = strerrorname_np(e);

		if (known != NULL && text != NULL && strcmp(known, text) == 0)
			target.error = e;
	}
	if (has_error && target.error == 0)
		errx(2, "there is no such error");
}

static void
count_second(int sig)
{
	(void)sig;
	seconds++;
}

int
main(int argc, char **argv)
{
	const struct sigaction count = { .sa_handler = count_second };
	const struct itimerval every = { { 1, 0 }, { 1, 0 } };
	int option;

	report = stderr;
	http.uid = geteuid();
	while ((option = getopt(argc, argv, "+k:e:o:s:l:r:a:u:p:v")) != -1) {
		switch (option) {
		case 'k':
		case 'e':
			read_target(optarg, option == 'e');
			break;
		case 'o':
			report = fopen(optarg, "we");
			break;
		case 's':
			patience = atoi(optarg);
			break;
		case 'l':
			http.socket = optarg;
			break;
		case 'r':
			http.request = optarg;
			break;
		case 'a':
			http.answer = optarg;
			break;
		case 'u':
			http.uid = (uid_t)atoi(optarg);
			break;
		case 'p':
			program = optarg;
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return 2;
		}
	}
	if (program == NULL || optind == argc || report == NULL)
		errx(2, "usage: inject [OPTION]... -p PROGRAM -- COMMAND...");
	(void)sigaction(SIGALRM, &count, NULL);
	if (http.socket != NULL)
		start_client();
	start_command(argv + optind);
	(void)setitimer(ITIMER_REAL, &every, NULL);
	watch();
	(void)fprintf(report, "status %d\n", status);
	return fclose(report) != 0;
}
