#include "options.h"

#include <stdio.h>
#include <string.h>

enum option_id {
	OPT_BIND,
	OPT_BIND_ROOT,
	OPT_CWD,
	OPT_ENV,
	OPT_HELP,
	OPT_IMAGE,
	OPT_JSON,
	OPT_NETWORK,
	OPT_NO_TTY,
	OPT_RO_BIND,
	OPT_TTY,
	OPT_USER,
	OPT_VERDICT,
};

static const struct option {
	const char *name;
	enum option_id id;
	const char *value; /* NULL: takes none */
	const char *help;
} options[] = {
	{ "bind", OPT_BIND, "SRC[:DST]",
	    "show SRC inside, writable as its owner" },
	{ "bind-root", OPT_BIND_ROOT, NULL,
	    "allow --bind of what belongs to root" },
	{ "cwd", OPT_CWD, "DIR", "directory inside to start in (/)" },
	{ "env", OPT_ENV, "NAME=VALUE", "a variable of the command's" },
	{ "help", OPT_HELP, NULL, "this text" },
	{ "image", OPT_IMAGE, "NAME", "root file system" },
	{ "json", OPT_JSON, NULL, "print the result as JSON, with the output" },
	{ "network", OPT_NETWORK, "none|off",
	    "none: only lo; off: no sockets at all (none)" },
	{ "no-tty", OPT_NO_TTY, NULL, "pipes, also on a terminal" },
	{ "ro-bind", OPT_RO_BIND, "SRC[:DST]", "show SRC inside, read-only" },
	{ "tty", OPT_TTY, NULL, "a terminal for the command" },
	{ "user", OPT_USER, "USER[:GROUP]",
	    "who the command is inside, by number or name (0:0)" },
	{ "verdict", OPT_VERDICT, "FILE", "write the result as JSON to FILE" },
};

void
options_init(struct options *o, const struct limits *limits)
{
	memset(o, 0, sizeof(*o));
	o->verdict_fd = -1;
	plan_init(&o->plan);
	o->plan.limits = *limits;
}

static const struct option *
find_option(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (strlen(options[i].name) == len &&
		    memcmp(options[i].name, name, len) == 0)
			return &options[i];
	}
	return NULL;
}

static int
set_network(struct plan *p, const char *value, char *why, size_t size)
{
	if (strcmp(value, "none") == 0) {
		p->network = NETWORK_NONE;
	} else if (strcmp(value, "off") == 0) {
		p->network = NETWORK_OFF;
	} else {
		(void)snprintf(why, size,
		    "network: '%.40s' is neither none nor off", value);
		return -1;
	}
	return 0;
}

static int
apply_option(
    struct options *o, enum option_id id, char *value, char *why, size_t size)
{
	struct plan *p = &o->plan;

	switch (id) {
	case OPT_BIND:
	case OPT_RO_BIND:
		return plan_bind(p, value, id == OPT_BIND, why, size);
	case OPT_BIND_ROOT:
		p->bind_root = true;
		break;
	case OPT_CWD:
		p->cwd = value;
		break;
	case OPT_ENV:
		return plan_env(p, value, why, size);
	case OPT_HELP:
		o->help = true;
		break;
	case OPT_IMAGE:
		if (o->in_session) {
			(void)snprintf(
			    why, size, "image: a session has its own");
			return -1;
		}
		p->image = value;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_NETWORK:
		return set_network(p, value, why, size);
	case OPT_NO_TTY:
		o->tty = TTY_NO;
		break;
	case OPT_TTY:
		o->tty = TTY_YES;
		break;
	case OPT_USER:
		return plan_user(p, value, why, size);
	case OPT_VERDICT:
		o->verdict_file = value;
		break;
	}
	return 0;
}

/* Uses up argv[*i] and its value. */
static int
parse_one(
    struct options *o, int argc, char **argv, int *i, char *why, size_t size)
{
	static char none[1];
	char *name = argv[*i] + 2, *value = strchr(name, '=');
	size_t len = value != NULL ? (size_t)(value - name) : strlen(name);
	const struct option *option = find_option(name, len);
	enum limit limit = limits_find(name, len);

	if (argv[*i][1] != '-' || (option == NULL && limit == LIMIT_MAX)) {
		(void)snprintf(why, size, "unknown option '%.80s'", argv[*i]);
		return -1;
	}
	if (option != NULL && option->value == NULL) {
		if (value == NULL)
			return apply_option(o, option->id, none, why, size);
		(void)snprintf(
		    why, size, "option '--%s' takes no value", option->name);
		return -1;
	}
	if (value != NULL) {
		value++;
	} else if (*i + 1 < argc) {
		value = argv[++*i];
	} else {
		(void)snprintf(
		    why, size, "option '--%.*s' needs a value", (int)len, name);
		return -1;
	}
	if (option != NULL)
		return apply_option(o, option->id, value, why, size);
	return limits_set(&o->plan.limits, limit, value, why, size);
}

int
options_parse(struct options *o, int argc, char **argv, char *why, size_t size)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (parse_one(o, argc, argv, &i, why, size) != 0)
			return -1;
		if (o->help)
			return 0;
	}
	/* An image may have one of its own. */
	if (i >= argc &&
	    (o->in_session || strcmp(o->plan.image, "host") == 0)) {
		(void)snprintf(why, size, "no command given");
		return -1;
	}
	if (o->json && o->verdict_file != NULL) {
		(void)snprintf(
		    why, size, "--json and --verdict exclude each other");
		return -1;
	}
	if (o->json && o->tty == TTY_YES) {
		(void)snprintf(
		    why, size, "--json and --tty exclude each other");
		return -1;
	}
	o->plan.argv = i < argc ? argv + i : NULL;
	return 0;
}

static void
help_limit(FILE *f, const struct limits *l, int i)
{
	const struct limit_rule *r = &limit_rules[i];
	char standard[32] = "none", left[40];

	if (l->value[i] != LIMIT_UNSET)
		limits_print(i, l->value[i], standard, sizeof(standard));
	(void)snprintf(left, sizeof(left), "--%s %s", r->name,
	    r->decimal	       ? "N.NNN"
	    : *r->unit == '\0' ? "N"
			       : r->unit);
	(void)fprintf(f, "  %-22s %s (%s)\n", left, r->help, standard);
}

void
options_help(FILE *f, const struct limits *limits, const char *image)
{
	char left[40];

	(void)fputs("usage: mayfly run [OPTION]... [--] COMMAND [ARGUMENT]...\n"
		    "\nRuns the command in a fresh sandbox and exits with its "
		    "exit code.\n\nOptions (defaults in parentheses):\n",
	    f);
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		(void)snprintf(left, sizeof(left), "--%s%s%s", options[i].name,
		    options[i].value != NULL ? " " : "",
		    options[i].value != NULL ? options[i].value : "");
		(void)fprintf(f, "  %-22s %s", left, options[i].help);
		if (options[i].id == OPT_IMAGE)
			(void)fprintf(f, " (%s)", image);
		(void)fputc('\n', f);
	}
	(void)fputs("\nLimits:\n", f);
	for (int i = 0; i < LIMIT_MAX; i++)
		help_limit(f, limits, i);
	(void)fputs(
	    "\nExit code: the command's; 128+n for signal n; 124 a limit "
	    "ended it;\n125 mayfly failed; 126 cannot be executed; 127 not "
	    "found; 64 wrong usage.\nSee mayfly(1).\n",
	    f);
}
