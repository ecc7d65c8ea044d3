/* What a front that was taken over can get out of the broker. */
#include "broker.h"

#include <sys/socket.h>

#include "routes.h"
#include "unit.h"

static struct config config;
static struct peer peer = { .kind = PEER_LOCAL, .text = "test" };

/* A broker in a process of its own, that a front would be talking to. */
static int
start(void)
{
	/* Where nothing can be made: an answer says so, and nothing is left. */
	static char dir[] = "/proc/none";
	char why[256];
	struct broker b = { .config = &config, .peer = peer };
	int pair[2];

	config_defaults(&config);
	HOLDS(setenv("MAYFLY_STATE_DIR", dir, 1) == 0);
	HOLDS(config_set(&config, "state_dir", dir, why, sizeof(why)) == 0);
	HOLDS(config_set(&config, "tokens", "/nonexistent/tokens", why,
		  sizeof(why)) == 0);
	HOLDS(config_set(
		  &config, "registries", "r.example", why, sizeof(why)) == 0);
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

#define ID "aaaaaaaaaaaaaaaaaaaaaaaaaa"

/* What comes back, 0 for the end. */
static int
send_whole(int link, const struct request *q, struct packet *p)
{
	(void)message_send(link, MESSAGE_REQUEST, q, NULL, 0);
	return message_receive(link, p);
}

/* Asks for something that has no effect. */
static int
send_request(int link, struct packet *p)
{
	return send_whole(
	    link, &(struct request){ .verb = VERB_SESSION_SHOW, .id = ID }, p);
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
	const struct request q = { .verb = VERB_SESSION_SHOW, .id = ID };
	const struct note n = { .status = 403 };
	int link = start();
	struct packet p;

	send_caller(link, "evil.example", false, MESSAGE_ERROR);
	/* A front that had asked before it read that is heard out. */
	(void)message_send(link, MESSAGE_REQUEST, &q, NULL, 0);
	(void)message_send(link, MESSAGE_NOTE, &n, NULL, 0);
	expect_number(message_receive(link, &p), 0, "after a refusal");
	link = start();
	send_caller(link, "evil.example", false, MESSAGE_ERROR);
	(void)message_send(link, MESSAGE_REQUEST, &q, NULL, 0);
	expect_number(send_request(link, &p), 0, "after a refusal, twice");
}

static void
open_route(void)
{
	int link = start();
	struct packet p;

	send_caller(link, "localhost", true, MESSAGE_ALLOWED);
	expect_number(send_request(link, &p), 0, "without a credential");
}

/* Each is something to keep, and the front could send many. */
static void
senseless(void)
{
	const struct note n = { .status = 200 };
	int link = start(), fd = 0;
	struct packet p;

	send_caller(link, "localhost", false, MESSAGE_ALLOWED);
	HOLDS(message_send(
		  link, MESSAGE_PROGRESS, &(struct answer){ 0 }, NULL, 0) == 0);
	expect_number(message_receive(link, &p), 0, "no message for a broker");
	link = start();
	send_caller(link, "localhost", false, MESSAGE_ALLOWED);
	HOLDS(send(link, "\7\0\0\0\1\0\0\0x", 9, 0) == 9);
	expect_number(message_receive(link, &p), 0, "a note that is none");
	link = start();
	send_caller(link, "localhost", false, MESSAGE_ALLOWED);
	HOLDS(message_send(link, MESSAGE_NOTE, &n, &fd, 1) == 0);
	expect_number(message_receive(link, &p), 0, "a descriptor");
	expect_number(write(link, "", 1), -1, "nobody reads any more");
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

/* Each form of it was refused by the front, which is believed in nothing. */
static void
no_id(void)
{
	static const char *const ids[] = { "", "..", "../../../../etc/mayfly",
		"aaaaaaaaaaaaaaaaaaaaaaaaa/", "AAAAAAAAAAAAAAAAAAAAAAAAAA",
		"aaaaaaaaaaaaaaaaaaaaaaaaa\n" };
	struct packet p;

	for (size_t i = 0; i < LENGTH(ids); i++) {
		int link = start();
		struct request q = { .verb = VERB_SESSION_SHOW,
			.id = (char *)(uintptr_t)ids[i] };

		send_caller(link, "localhost", false, MESSAGE_ALLOWED);
		expect_number(send_whole(link, &q, &p), 0, ids[i]);
		(void)close(link);
	}
}

static char *one[] = { "true", NULL };
static char *nameless[] = { "=x", NULL };
static char *none[] = { NULL };

/* Requests in which one field is as no front lets it through. */
static const struct {
	const char *says;
	struct request q;
} wrong[] = {
	{ "command", { .verb = VERB_RUN } },
	{ "command", { .verb = VERB_RUN, .command = none } },
	{ "cwd", { .verb = VERB_RUN, .command = one, .cwd = "../x" } },
	{ "cwd", { .verb = VERB_RUN, .command = one, .cwd = "" } },
	{ "image", { .verb = VERB_RUN, .command = one, .image = "../x" } },
	{ "user", { .verb = VERB_RUN, .command = one, .user = "a:b:c" } },
	{ "user", { .verb = VERB_RUN, .command = one, .user = "70000" } },
	{ "env", { .verb = VERB_RUN, .command = one, .env = nameless } },
	{ "time", { .verb = VERB_RUN,
		      .command = one,
		      .limits = { [LIMIT_TIME] = "9999999999999999" } } },
	{ "wall", { .verb = VERB_RUN,
		      .command = one,
		      .limits = { [LIMIT_WALL] = "0" } } },
	{ "nproc", { .verb = VERB_SESSION_CREATE,
		       .limits = { [LIMIT_NPROC] = "x" } } },
	{ "cwd", { .verb = VERB_SESSION_CREATE, .cwd = "x" } },
	{ "image", { .verb = VERB_SESSION_CREATE, .image = "../x" } },
	{ "snapshot", { .verb = VERB_SESSION_CREATE, .snapshot = "x" } },
	{ "env", { .verb = VERB_SESSION_CREATE, .env = nameless } },
	{ "ttl", { .verb = VERB_SESSION_CREATE, .has_ttl = 1 } },
	{ "expires", { .verb = VERB_SESSION_CREATE, .has_expires = 1 } },
	{ "cwd", { .verb = VERB_SESSION_CWD, .id = ID } },
	{ "cwd", { .verb = VERB_SESSION_CWD, .id = ID, .cwd = "x" } },
};

static void
looked_at(void)
{
	struct answer a;
	struct packet p;

	for (size_t i = 0; i < LENGTH(wrong); i++) {
		int link = start();

		send_caller(link, "localhost", false, MESSAGE_ALLOWED);
		expect_number(
		    send_whole(link, &wrong[i].q, &p), 1, wrong[i].says);
		HOLDS(p.type == MESSAGE_ERROR && message_read(&p, &a) == NULL);
		expect_number(
		    (int64_t)a.error, ERROR_INVALID_FIELD, wrong[i].says);
		expect_has(a.text, wrong[i].says, "the sentence");
		(void)close(link);
	}
}

#define FROM(text) .verb = VERB_IMAGE_PULL, .source = "docker://r.example/" text
#define PULL(...)                                                              \
	{                                                                      \
		FROM("x"), __VA_ARGS__                                         \
	}

/* The same of pulls, which an admin alone may ask for. */
static const struct {
	const char *says;
	struct request q;
} wrong_pulls[] = {
	{ "source", { .verb = VERB_IMAGE_PULL } },
	{ "source", { .verb = VERB_IMAGE_PULL, .source = "oci:/etc" } },
	{ "source", { .verb = VERB_IMAGE_PULL, .source = "--help" } },
	{ "source", { .verb = VERB_IMAGE_PULL, .source = "docker://e/x" } },
	{ "source", { .verb = VERB_IMAGE_PULL,
			.source = "docker://r.example@evil.example/x" } },
	{ "source", { FROM("../x") } },
	{ "source", { FROM("x y") } },
	{ "name", PULL(.name = "../x") },
	{ "name", PULL(.name = "/x") },
	{ "name", PULL(.name = "host") },
	{ "name", PULL(.name = "") },
	{ "auth", PULL(.username = "a") },
	{ "auth", PULL(.password = "a") },
	{ "auth", PULL(.username = "", .password = "a") },
	{ "auth", PULL(.username = "a:b", .password = "c") },
	{ "auth", PULL(.username = "a\"\n", .password = "c") },
	{ "auth", PULL(.username = "a", .password = "c\n") },
};

static void
looked_at_pulls(void)
{
	struct answer a;
	struct packet p;

	peer.kind = PEER_UNIX;
	for (size_t i = 0; i < LENGTH(wrong_pulls); i++) {
		int link = start();

		send_caller(link, "localhost", false, MESSAGE_ALLOWED);
		expect_number(send_whole(link, &wrong_pulls[i].q, &p), 1,
		    wrong_pulls[i].says);
		HOLDS(p.type == MESSAGE_ERROR && message_read(&p, &a) == NULL);
		expect_number(
		    (int64_t)a.error, ERROR_INVALID_FIELD, wrong_pulls[i].says);
		expect_has(a.text, wrong_pulls[i].says, "the sentence");
		(void)close(link);
	}
}

/* Nothing of it is looked at for anybody else. */
static void
no_admin(void)
{
	struct answer a;
	struct packet p;

	peer.kind = PEER_UNIX;
	peer.uid = 1000;
	for (size_t i = 0; i <= LENGTH(wrong_pulls); i++) {
		int link = start();
		struct request q = { .verb = VERB_IMAGE_DELETE, .image = "x" };

		if (i < LENGTH(wrong_pulls))
			q = wrong_pulls[i].q;
		send_caller(link, "localhost", false, MESSAGE_ALLOWED);
		HOLDS(send_whole(link, &q, &p) == 1);
		HOLDS(p.type == MESSAGE_ERROR && message_read(&p, &a) == NULL);
		expect_number((int64_t)a.error, ERROR_FORBIDDEN, "error");
		(void)close(link);
	}
}

static void
no_verb(void)
{
	static const struct request q[] = { { .verb = VERB_MAX, .id = ID },
		{ .verb = VERB_HEALTH, .id = ID }, { .verb = VERB_IMAGE_SHOW },
		{ .verb = VERB_IMAGE_SHOW, .image = "../x" },
		{ .verb = VERB_IMAGE_SHOW, .image = "" },
		{ .verb = VERB_IMAGE_SHOW, .image = "." },
		{ .verb = 63, .id = ID }, { .verb = VERB_SESSION_RUN },
		{ .verb = VERB_SESSION_SHOW }, { .verb = VERB_SESSION_ENV } };
	struct answer a;
	struct packet p;

	for (size_t i = 0; i < LENGTH(q); i++) {
		int link = start();

		send_caller(link, "localhost", false, MESSAGE_ALLOWED);
		HOLDS(send_whole(link, &q[i], &p) == 1);
		HOLDS(p.type == MESSAGE_ERROR && message_read(&p, &a) == NULL);
		expect_number((int64_t)a.error, ERROR_NOT_FOUND, "error");
		(void)close(link);
	}
}

static const struct testcase cases[] = {
	{ "an admitted caller's request is answered", is_answered },
	{ "after a refusal nothing is answered", refused },
	{ "what needs no credential gets nothing of the broker", open_route },
	{ "what makes no sense is the last that is heard", senseless },
	{ "a request without a caller is not answered", unannounced },
	{ "a second request is not answered", twice },
	{ "an id that no front says is the end", no_id },
	{ "each field is looked at again", looked_at },
	{ "each field of a pull is looked at again", looked_at_pulls },
	{ "who is no admin writes no image, whatever is said", no_admin },
	{ "what there is not is not found", no_verb },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
