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
 * a UNIX socket that listens. A client is connected to it already, which sends
 * what is in the one file and keeps what comes in the other. When that has
 * ended, and all processes that the command started, it gets SIGTERM. -u UID
 * whose client that is
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
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "trace.h"

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
read_target(struct target *to, char *text, bool has_error)
{
	(void)snprintf(to->who, sizeof(to->who), "%s", strsep(&text, ":"));
	if (has_error)
		to->name = strsep(&text, ":");
	to->left = read_number(strsep(&text, ":"));
	for (int e = 1; has_error && e < 4096; e++) {
		const char *known = strerrorname_np(e);

		if (known != NULL && text != NULL && strcmp(known, text) == 0)
			to->error = e;
	}
	if (has_error && to->error == 0)
		errx(2, "there is no such error");
}

/* Waits until it is traced, and executes the command. */
static noreturn void
be_command(char **argv, int go, int listener)
{
	char number[16];

	(void)!read(go, number, 1);
	(void)snprintf(number, sizeof(number), "%d", (int)getpid());
	if (listener >= 0) {
		if (dup2(listener, 3) != 3 || fcntl(3, F_SETFD, 0) != 0)
			err(2, "dup2");
		(void)setenv("LISTEN_FDS", "1", 1);
		(void)setenv("LISTEN_PID", number, 1);
	}
	(void)execvp(*argv, argv);
	err(2, "%s", *argv);
}

static int
run_command(struct trace *t, char **argv, int listener)
{
	pid_t pid;
	int go[2];

	if (pipe2(go, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		err(2, "fork");
	if (pid == 0) {
		(void)close(go[1]);
		be_command(argv, go[0], listener);
	}
	(void)close(go[0]);
	if (listener >= 0)
		(void)close(listener);
	return trace(t, pid, go[1]);
}

int
main(int argc, char **argv)
{
	struct trace t = { .report = stderr, .patience = 15 };
	struct client c = { .uid = geteuid() };
	int option, listener = -1;

	while ((option = getopt(argc, argv, "+k:e:o:s:l:r:a:u:p:v")) != -1) {
		switch (option) {
		case 'k':
		case 'e':
			read_target(&t.target, optarg, option == 'e');
			break;
		case 'o':
			t.report = fopen(optarg, "we");
			break;
		case 's':
			t.patience = atoi(optarg);
			break;
		case 'l':
			c.socket = optarg;
			break;
		case 'r':
			c.request = optarg;
			break;
		case 'a':
			c.answer = optarg;
			break;
		case 'u':
			c.uid = (uid_t)atoi(optarg);
			break;
		case 'p':
			t.program = optarg;
			break;
		case 'v':
			t.verbose = true;
			break;
		default:
			return 2;
		}
	}
	if (t.program == NULL || optind == argc || t.report == NULL)
		errx(2, "usage: inject [OPTION]... -p PROGRAM -- COMMAND...");
	if (c.socket != NULL)
		t.client = client_start(&c, &listener);
	(void)fprintf(
	    t.report, "status %d\n", run_command(&t, argv + optind, listener));
	return fclose(t.report) != 0;
}
