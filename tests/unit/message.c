/* What front and broker say to each other: its encoding and its bounds. */
#include "message.h"

#include <sys/socket.h>

#include "unit.h"
#include "wire.h"

struct sample {
	uint64_t number;
	char *text, **list;
};

static const struct wire_field fields[] = {
	{ "number", WIRE_NUMBER, offsetof(struct sample, number), 1000 },
	{ "text", WIRE_TEXT, offsetof(struct sample, text), 5 },
	{ "list", WIRE_LIST, offsetof(struct sample, list), 3 },
};

static int
encode(const struct sample *s, char **ret, size_t *ret_len)
{
	return wire_encode(fields, LENGTH(fields), s, ret, ret_len);
}

static const char *
decode(struct sample *s, char *data, size_t len)
{
	return wire_decode(fields, LENGTH(fields), s, data, len);
}

static void
there_and_back(void)
{
	char a[] = "one", b[] = "", *list[] = { a, b, a, NULL };
	struct sample s = { 1000, a, list }, t = { 0 };
	char *data;
	size_t len;

	HOLDS(encode(&s, &data, &len) == 0);
	HOLDS(decode(&t, data, len) == NULL);
	expect_number((int64_t)t.number, 1000, "number");
	expect_text(t.text, "one", "text");
	expect_text(t.list[1], "", "an empty element");
	expect_text(t.list[2], "one", "the last element");
	HOLDS(t.list[3] == NULL);
}

static void
nothing(void)
{
	struct sample s = { 0 }, t = { 7, NULL, NULL };
	char *data;
	size_t len;

	HOLDS(encode(&s, &data, &len) == 0);
	HOLDS(decode(&t, data, len) == NULL);
	HOLDS(t.number == 0 && t.text == NULL && t.list[0] == NULL);
}

static void
over_bounds(void)
{
	char text[] = "longer", one[] = "1",
	     *list[] = { one, one, one, one, NULL };
	struct sample all[] = { { 1001, NULL, NULL }, { 0, text, NULL },
		{ 0, NULL, list } };
	char *data;
	size_t len;

	for (size_t i = 0; i < LENGTH(all); i++)
		expect_number(encode(&all[i], &data, &len), -1, fields[i].name);
}

/* Every shorter form, and one that is longer, is refused. */
static void
cut_short(void)
{
	char a[] = "one", *list[] = { a, a, NULL };
	struct sample s = { 5, a, list }, t;
	char *data, copy[128];
	size_t len;

	HOLDS(encode(&s, &data, &len) == 0 && len < sizeof(copy));
	for (size_t n = 0; n < len; n++) {
		memcpy(copy, data, n);
		HOLDS(decode(&t, copy, n) != NULL);
	}
	memcpy(copy, data, len);
	copy[len] = 0;
	expect_text(decode(&t, copy, len + 1), "the end", "one byte more");
}

/* What somebody sends whose own bounds are wider. */
static void
beyond(void)
{
	static const struct wire_field wide[] = {
		{ "number", WIRE_NUMBER, offsetof(struct sample, number),
		    UINT64_MAX },
		{ "text", WIRE_TEXT, offsetof(struct sample, text), 100 },
		{ "list", WIRE_LIST, offsetof(struct sample, list), 100 },
	};
	static char text[] = "longer", one[] = "1",
		    *list[] = { one, one, one, one, NULL };
	const struct sample all[] = { { 1001, NULL, NULL },
		{ UINT64_MAX, NULL, NULL }, { 0, text, NULL },
		{ 0, NULL, list } };
	static const char *const names[] = { "number", "number", "text",
		"list" };
	struct sample t, s = { 0, one, NULL };
	char *data;
	size_t len;

	for (size_t i = 0; i < LENGTH(all); i++) {
		HOLDS(
		    wire_encode(wide, LENGTH(wide), &all[i], &data, &len) == 0);
		expect_text(decode(&t, data, len), names[i], "refused");
		free(data);
	}
	/* A text that ends before its end, and one that does not end. */
	HOLDS(encode(&s, &data, &len) == 0);
	data[12] = '\0';
	expect_text(decode(&t, data, len), "text", "a NUL within");
	data[12] = data[13] = '1';
	expect_text(decode(&t, data, len), "text", "no NUL behind");
	free(data);
}

/* Any byte changed: refused, or something within the bounds. */
static void
garbled(void)
{
	char a[] = "one", *list[] = { a, a, NULL };
	struct sample s = { 5, a, list }, t;
	char *data, *copy;
	size_t len;

	HOLDS(encode(&s, &data, &len) == 0);
	copy = malloc(len);
	for (size_t i = 0; i < len; i++) {
		for (int v = 0; v < 256; v++) {
			memcpy(copy, data, len);
			copy[i] = (char)v;
			if (decode(&t, copy, len) != NULL)
				continue;
			HOLDS(t.number <= 1000);
			HOLDS(t.text == NULL || strlen(t.text) <= 5);
		}
	}
	free(copy);
}

static void
large_request(void)
{
	struct request q = { .verb = 1 }, r;
	static char *command[3];
	struct packet p;
	size_t size = 4 << 20;
	int pair[2];

	command[0] = malloc(size + 1);
	memset(command[0], 'x', size);
	command[0][size] = '\0';
	q.command = command;
	HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	if (fork() == 0)
		_exit(message_send(pair[0], MESSAGE_REQUEST, &q, NULL, 0) != 0);
	HOLDS(message_receive(pair[1], &p) == 1);
	HOLDS(p.type == MESSAGE_REQUEST && message_read(&p, &r) == NULL);
	expect_number((int64_t)strlen(r.command[0]), (int64_t)size, "bytes");
	HOLDS(memcmp(r.command[0], command[0], size) == 0);
}

static void
with_descriptors(void)
{
	struct answer a = { .status = 200, .output = LIMIT_UNSET }, b;
	struct packet p;
	int pair[2];
	char byte;

	HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	int fds[3] = { pair[0], pair[1], pair[0] };
	HOLDS(message_send(pair[0], MESSAGE_STARTED, &a, fds, 3) == 0);
	HOLDS(message_receive(pair[1], &p) == 1);
	HOLDS(p.fds[2] >= 0 && p.fds[3] == -1 && p.fds[4] == -1);
	HOLDS(message_read(&p, &b) == NULL && b.output == LIMIT_UNSET);
	HOLDS(write(p.fds[0], "!", 1) == 1);
	HOLDS(read(pair[1], &byte, 1) == 1 && byte == '!');
}

static void
verdicts(void)
{
	struct verdict v = { .reason = REASON_SIGNAL,
		.exit_code = -1,
		.signal = 64,
		.cpu_ms = 1,
		.wall_ms = 2,
		.memory_kb = 3,
		.enforced = { ENFORCED_CGROUP } },
		       w;
	struct packet p;
	int pair[2];

	HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	HOLDS(message_send(pair[0], MESSAGE_VERDICT, &v, NULL, 0) == 0);
	HOLDS(message_receive(pair[1], &p) == 1);
	HOLDS(message_read(&p, &w) == NULL);
	HOLDS(w.reason == REASON_SIGNAL && w.exit_code == -1);
	HOLDS(w.signal == 64 && w.cpu_ms == 1 && w.wall_ms == 2);
	HOLDS(w.memory_kb == 3 && w.enforced[0] == ENFORCED_CGROUP);
}

/* What is no message, and a byte that came too late. */
static void
stray_packets(void)
{
	static const struct {
		uint32_t type, len;
		const char *about;
	} heads[] = { { MESSAGE_MAX, 0, "unknown type" },
		{ MESSAGE_NOTE, WIRE_SIZE_MAX + 1, "too long" },
		{ UINT32_MAX, UINT32_MAX, "all ones" } };
	const struct timeval soon = { 0, 100000 };
	const uint32_t longer[] = { MESSAGE_NOTE, 1, 0, 0 };
	struct packet p;
	int pair[2];

	HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	HOLDS(setsockopt(
		  pair[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)) == 0);
	for (size_t i = 0; i < LENGTH(heads); i++) {
		HOLDS(write(pair[0], &heads[i], 8) == 8);
		expect_number(message_receive(pair[1], &p), -1, heads[i].about);
		/* At once, and not when nothing more comes. */
		expect_number(errno, EPROTO, heads[i].about);
	}
	HOLDS(write(pair[0], longer, sizeof(longer)) == sizeof(longer));
	expect_number(message_receive(pair[1], &p), -1, "more than it says");
	HOLDS(write(pair[0], "123", 3) == 3);
	expect_number(message_receive(pair[1], &p), -1, "three bytes");
	HOLDS(write(pair[0], "o", 1) == 1);
	HOLDS(message_send(pair[0], MESSAGE_ALLOWED, NULL, NULL, 0) == 0);
	HOLDS(message_receive(pair[1], &p) == 1 && p.type == MESSAGE_ALLOWED);
	(void)close(pair[0]);
	expect_number(message_receive(pair[1], &p), 0, "the end");
}

static const struct testcase cases[] = {
	{ "a struct is the same after its way over the wire", there_and_back },
	{ "what was not given is not there", nothing },
	{ "what is over its bound is not sent", over_bounds },
	{ "a message that is cut short, or longer, is refused", cut_short },
	{ "what is over its bound is not taken", beyond },
	{ "no changed byte gets past a bound", garbled },
	{ "a message of 4 MB arrives whole", large_request },
	{ "descriptors arrive with their message", with_descriptors },
	{ "a verdict is the same after its way over the wire", verdicts },
	{ "what is no message is refused", stray_packets },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
