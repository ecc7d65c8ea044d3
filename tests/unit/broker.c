/* What a front that was taken over can get out of the broker. */
#include "broker.h"

#include <sys/socket.h>

#include "routes.h"
#include "unit.h"

static struct config config;

/* A broker in a process of its own, that a front would be talking to. */
static int
start(void)
{
	/* Where nothing can be made: an answer says so, and nothing is left. */
	static char dir[] = "/proc/none";
	char why[256];
	struct broker b = { .config = &config,
		.peer = { .kind = PEER_LOCAL, .text = "test" } };
	int pair[2];

	config_defaults(&config);
	HOLDS(setenv("MAYFLY_STATE_DIR", dir, 1) == 0);
	HOLDS(config_set(&config, "state_dir", dir, why, sizeof(why)) == 0);
	HOLDS(config_set(&config, "tokens", "/nonexistent/tokens", why,
		  sizeof(why)) == 0);
	HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	if (fork() == 0) {
		(void)close(pair[0]);
		(void)close(STDERR_FILENO);
		b.link = pair[1];
		broker_serve(&b, NULL);
		_exit(0);
	}
	(void)close(pair[1]);
	return pair[0];
}

static void
send_caller(int link, const char *host, bool open, enum message expected)
{
	struct caller c = { .method = (char *)(uintptr_t) "GET",
		.path = (char *)(uintptr_t) "/sessions",
		.host = (char *)(uintptr_t)host,
		.open = open };
	struct packet p;

	HOLDS(message_send(link, MESSAGE_CALLER, &c, NULL, 0) == 0);
	HOLDS(message_receive(link, &p) == 1 && p.type == expected);
}

/* Asks for something that has no effect; what comes back, 0 for the end. */
static int
send_request(int link, struct packet *p)
{
	struct request q = { .verb = VERB_SESSION_SHOW,
		.id = (char *)(uintptr_t) "aaaaaaaaaaaaaaaaaaaaaaaaaa" };

	(void)message_send(link, MESSAGE_REQUEST, &q, NULL, 0);
	return message_receive(link, p);
}

static void
is_answered(void)
{
	int link = start();
	struct packet p;
	struct answer a;

	send_caller(link, "localhost", false, MESSAGE_ALLOWED);
	HOLDS(send_request(link, &p) == 1 && p.type == MESSAGE_ERROR);
	HOLDS(message_read(&p, &a) == NULL && a.error == ERROR_SANDBOX_FAILED);
}

static void
refused(void)
{
	int link = start();
	struct packet p;

	send_caller(link, "evil.example", false, MESSAGE_ERROR);
	expect_number(send_request(link, &p), 0, "after a refusal");
}

static void
open_route(void)
{
	int link = start();
	struct packet p;

	send_caller(link, "localhost", true, MESSAGE_ALLOWED);
	expect_number(send_request(link, &p), 0, "without a credential");
}

static void
unannounced(void)
{
	int link = start();
	struct packet p;

	expect_number(send_request(link, &p), 0, "without a caller");
}

static void
twice(void)
{
	int link = start();
	struct packet p;

	send_caller(link, "localhost", false, MESSAGE_ALLOWED);
	HOLDS(send_request(link, &p) == 1);
	expect_number(send_request(link, &p), 0, "a second request");
}

static const struct testcase cases[] = {
	{ "an admitted caller's request is answered", is_answered },
	{ "after a refusal nothing is answered", refused },
	{ "what needs no credential gets nothing of the broker", open_route },
	{ "a request without a caller is not answered", unannounced },
	{ "a second request is not answered", twice },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
