#include <errno.h>
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
	{ "reap", reap_main, "reap [--dry-run]",
	    "remove what crashes left behind" },
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

int
main(int argc, char **argv)
{
	command_fill_streams();
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
			return commands[i].run(argc - 1, argv + 1);
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
	return 0;
}
