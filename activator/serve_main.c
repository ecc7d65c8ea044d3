#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "command.h"
#include "config.h"
#include "server.h"
#include "verdict.h"

#define DEFAULT_ADDRESS "127.0.0.1:8080"
#define IDLE_MAX 31536000

static const char usage[] =
    "usage: mayfly serve [--listen HOST:PORT | --listen PATH]...\n"
    "                    [--idle-exit SECONDS]\n\n"
    "Accepts connections and serves one request of each, without systemd or\n"
    "on the sockets that it passes. The default is " DEFAULT_ADDRESS ".\n\n"
    "  --listen WHERE       HOST:PORT with the address in numbers, or a path;\n"
    "                       can be given 16 times\n"
    "  --idle-exit SECONDS  end after so long without work\n\n"
    "See mayfly-activator(8).\n";

/* What the options say. */
struct wishes {
	const char *listen[LISTEN_MAX];
	int count;
	long idle_exit; /* seconds, or -1 */
};

/* One option, with its value behind '=' or as the next word. */
static int
parse_option(struct wishes *w, char **argv, int *i, char *why, size_t size)
{
	char *word = argv[*i], *value = strchr(word, '='), *end;
	size_t len = value != NULL ? (size_t)(value - word) : strlen(word);
	bool listens = len == 8 && strncmp(word, "--listen", len) == 0;

	if (!listens && (len != 11 || strncmp(word, "--idle-exit", len) != 0)) {
		(void)snprintf(why, size, "unknown option '%.80s'", word);
		return -1;
	}
	if (value != NULL)
		value++;
	else if (argv[*i + 1] != NULL)
		value = argv[++*i];
	if (value == NULL || *value == '\0') {
		(void)snprintf(why, size, "%.*s needs a value", (int)len, word);
		return -1;
	}
	if (listens) {
		if (w->count == LISTEN_MAX) {
			(void)snprintf(why, size, "more than %d times --listen",
			    LISTEN_MAX);
			return -1;
		}
		if (!listen_is_place(value)) {
			(void)snprintf(why, size,
			    "--listen: '%.120s' is neither HOST:PORT, with the "
			    "address in numbers, nor a path",
			    value);
			return -1;
		}
		w->listen[w->count++] = value;
		return 0;
	}
	w->idle_exit = strtol(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || w->idle_exit < 1 ||
	    w->idle_exit > IDLE_MAX) {
		(void)snprintf(why, size,
		    "--idle-exit: '%.40s' is not a number of seconds from 1 "
		    "to %d",
		    value, IDLE_MAX);
		return -1;
	}
	return 0;
}

/* What systemd passed, and what was asked for; else the default. */
static int
listen_all(struct server *s, struct wishes *w, char *why, size_t size)
{
	s->count = listen_inherit(s->listeners, why, size);
	if (s->count < 0)
		return -1;
	if (s->count == 0 && w->count == 0)
		w->listen[w->count++] = DEFAULT_ADDRESS;
	if (s->count + w->count > LISTEN_MAX) {
		(void)snprintf(
		    why, size, "listen: more than %d sockets", LISTEN_MAX);
		return -1;
	}
	for (int i = 0; i < w->count; i++) {
		if (listen_on(
			&s->listeners[s->count], w->listen[i], why, size) != 0)
			return -1;
		s->count++;
	}
	for (int i = 0; i < s->count; i++)
		complain("listening on %s", s->listeners[i].text);
	return 0;
}

int
serve_main(int argc, char **argv)
{
	struct wishes w = { .idle_exit = -1 };
	static struct server s;
	static struct config c;
	char why[512];

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			(void)fputs(usage, stdout);
			return 0;
		}
		if (parse_option(&w, argv, &i, why, sizeof(why)) != 0) {
			complain("serve: %s", why);
			return EXIT_USAGE;
		}
	}
	/* Each request reads it anew; here it is told at once what is wrong. */
	if (config_read(&c, why, sizeof(why)) != 0) {
		complain("config: %s", why);
		return EXIT_OWN;
	}
	s.idle_exit = w.idle_exit;
	if (server_prepare(&s) != 0) {
		complain("serve: %s", strerror(errno));
		return EXIT_OWN;
	}
	cgroup_settle();
	if (listen_all(&s, &w, why, sizeof(why)) != 0) {
		complain("%s", why);
		server_close(&s);
		return EXIT_OWN;
	}
	server_run(&s);
	server_finish(&s);
	return 0;
}
