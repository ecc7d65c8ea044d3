#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "seal.h"
#include "verdict.h"

#define VERSION "0.1.0"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage, *help;
} commands[] = {
	{ "run", run_main, "run [OPTION]... [--] COMMAND [ARGUMENT]...",
	    "run a command in a fresh sandbox" },
	{ "serve", serve_main,
	    "serve [--listen HOST:PORT | --listen PATH]... [--idle-exit SECONDS]",
	    "answer HTTP requests where systemd does not accept them" },
	{ "activate", activate_main, "activate",
	    "serve the connection on descriptor 0; mayfly-activator(8)" },
	{ "token", token_main, "token add NAME [--admin] | list | remove NAME",
	    "say who may call over TCP" },
	{ "session", session_main, "session VERB ...",
	    "a root file system that stays from run to run" },
	{ "image", image_main, "image VERB ...",
	    "root file systems: pull, import, build, show, delete" },
	{ "snapshot", snapshot_main, "snapshot VERB ...",
	    "what sessions were, to make others from" },
	{ "reap", reap_main, "reap [--dry-run]",
	    "remove expired sessions and what crashes left behind" },
	{ "doctor", doctor_main, "doctor [--json]",
	    "tell what this machine offers and lacks" },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(*commands))

static void
print_help(FILE *f)
{
	(void)fputs("usage: mayfly COMMAND ...\n\nCommands:\n", f);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		(void)fprintf(f, "  mayfly %s\n      %s\n", commands[i].usage,
		    commands[i].help);
	(void)fputs("  mayfly --help | --version\n\nSee mayfly(1).\n", f);
}

/* What was printed and is not there is no success. */
static int
finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	complain("stdout: %s", strerror(errno));
	return status == 0 ? EXIT_OWN : status;
}

int
main(int argc, char **argv)
{
	const char *name = argc > 0 ? argv[0] : "";
	const char *slash = strrchr(name, '/');

	/* Under ulimit -f a write fails, and that can be told. */
	(void)signal(SIGXFSZ, SIG_IGN);
	command_fill_streams();
	/* inetd says it without a path, and so does a shell. */
	if (strcmp(slash != NULL ? slash + 1 : name, "mayfly-activator") == 0)
		return activate_main(argc, argv);
	if (argc < 2) {
		complain("no command given; see mayfly --help");
		return EXIT_USAGE;
	}
	if (seal_self(argv) != 0) {
		complain(
		    "seal: copy this program to memory: %s", strerror(errno));
		return EXIT_OWN;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return finish(commands[i].run(argc - 1, argv + 1));
	}
	if (strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
	} else if (strcmp(argv[1], "--version") == 0) {
		(void)puts("mayfly " VERSION);
	} else {
		complain("unknown %s '%.80s'; see mayfly --help",
		    argv[1][0] == '-' ? "option" : "command", argv[1]);
		return EXIT_USAGE;
	}
	return finish(0);
}
