#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "defence.h"
#include "errors.h"
#include "rights.h"
#include "snapshot.h"
#include "wire.h"

#define PATH_TEXT_MAX 4095
#define ARGUMENTS_MAX 65536
#define LENGTH(a) (sizeof(a) / sizeof(*(a)))
#define NUMBER(type, name, max)                                                \
	{                                                                      \
#name, WIRE_NUMBER, offsetof(struct type, name), max           \
	}
#define TEXT(type, name, max)                                                  \
	{                                                                      \
#name, WIRE_TEXT, offsetof(struct type, name), max             \
	}
#define LIST(type, name, max)                                                  \
	{                                                                      \
#name, WIRE_LIST, offsetof(struct type, name), max             \
	}
#define LIMIT_TEXT(i)                                                          \
	{                                                                      \
		"limit", WIRE_TEXT, offsetof(struct request, limits[i]), 31    \
	}

static const struct wire_field caller_fields[] = {
	TEXT(caller, method, 16),
	TEXT(caller, path, 8192),
	TEXT(caller, host, 255),
	TEXT(caller, origin, 1024),
	TEXT(caller, token, 512),
	TEXT(caller, request_id, 64),
	NUMBER(caller, open, 1),
	NUMBER(caller, bad_credential, 1),
};

static const struct wire_field request_fields[] = {
	NUMBER(request, verb, 64),
	TEXT(request, id, SESSION_ID_LEN),
	LIST(request, command, ARGUMENTS_MAX),
	NUMBER(request, shell, 1),
	LIST(request, env, PLAN_ENV_MAX),
	TEXT(request, cwd, PATH_TEXT_MAX),
	TEXT(request, user, PLAN_USER_MAX),
	TEXT(request, image, 255),
	TEXT(request, snapshot, SESSION_ID_LEN),
	TEXT(request, name, 255),
	TEXT(request, source, 1024),
	TEXT(request, username, USERNAME_MAX),
	TEXT(request, password, PASSWORD_MAX),
	NUMBER(request, network, NETWORK_MAX - 1),
	LIST(request, collect, 256),
	NUMBER(request, files, 1),
	NUMBER(request, streamed, 1),
	LIMIT_TEXT(0),
	LIMIT_TEXT(1),
	LIMIT_TEXT(2),
	LIMIT_TEXT(3),
	LIMIT_TEXT(4),
	LIMIT_TEXT(5),
	LIMIT_TEXT(6),
	LIMIT_TEXT(7),
	LIMIT_TEXT(8),
	LIMIT_TEXT(9),
	LIMIT_TEXT(10),
	NUMBER(request, has_ttl, 1),
	NUMBER(request, has_expires, 1),
	NUMBER(request, ttl, INT64_MAX),
	NUMBER(request, expires, INT64_MAX),
	NUMBER(request, limit, 1000),
	TEXT(request, after, SESSION_ID_LEN),
	NUMBER(request, count, FORK_MAX),
};
_Static_assert(LIMIT_MAX == 11, "each limit has its row above");

static const struct wire_field answer_fields[] = {
	NUMBER(answer, status, 599),
	NUMBER(answer, error, ERROR_MAX - 1),
	TEXT(answer, text, 1024),
	TEXT(answer, body, WIRE_SIZE_MAX),
	TEXT(answer, id, SESSION_ID_LEN),
	NUMBER(answer, output, UINT64_MAX),
};

/* Of a verdict what the sandbox's reader does not know itself. */
struct verdict_wire {
	uint64_t reason, exit_code, signal, cpu_ms, wall_ms, memory_kb;
	uint64_t enforced[LIMIT_MAX];
};

#define ENFORCED(i)                                                            \
	{                                                                      \
		"enforced", WIRE_NUMBER,                                       \
		    offsetof(struct verdict_wire, enforced[i]),                \
		    ENFORCED_MAX - 1                                           \
	}

static const struct wire_field verdict_fields[] = {
	NUMBER(verdict_wire, reason, REASON_MAX - 1),
	NUMBER(verdict_wire, exit_code, 256),
	NUMBER(verdict_wire, signal, 65),
	NUMBER(verdict_wire, cpu_ms, INT64_MAX),
	NUMBER(verdict_wire, wall_ms, INT64_MAX),
	NUMBER(verdict_wire, memory_kb, INT64_MAX),
	ENFORCED(0),
	ENFORCED(1),
	ENFORCED(2),
	ENFORCED(3),
	ENFORCED(4),
	ENFORCED(5),
	ENFORCED(6),
	ENFORCED(7),
	ENFORCED(8),
	ENFORCED(9),
	ENFORCED(10),
};

static const struct wire_field note_fields[] = {
	NUMBER(note, status, 599),
	NUMBER(note, output_over, 1),
	TEXT(note, why, 1024),
};

static const struct {
	const struct wire_field *fields;
	size_t n;
} tables[MESSAGE_MAX] = {
	[MESSAGE_CALLER] = { caller_fields, LENGTH(caller_fields) },
	[MESSAGE_REQUEST] = { request_fields, LENGTH(request_fields) },
	[MESSAGE_ERROR] = { answer_fields, LENGTH(answer_fields) },
	[MESSAGE_ANSWER] = { answer_fields, LENGTH(answer_fields) },
	[MESSAGE_STARTED] = { answer_fields, LENGTH(answer_fields) },
	[MESSAGE_VERDICT] = { verdict_fields, LENGTH(verdict_fields) },
	[MESSAGE_NOTE] = { note_fields, LENGTH(note_fields) },
	[MESSAGE_PROGRESS] = { answer_fields, LENGTH(answer_fields) },
};

/* What every message begins with; longer ones go on in further packets. */
struct head {
	uint32_t type, len;
};

/* A packet must fit the socket's buffer, whose least default is 208 KB. */
#define PACKET_MAX 65536

/* -1 stands for none; on the wire there are no negative numbers. */
static void
pack_verdict(const struct verdict *v, struct verdict_wire *w)
{
	*w = (struct verdict_wire){ .reason = v->reason,
		.exit_code = (uint64_t)(v->exit_code + 1),
		.signal = (uint64_t)(v->signal + 1),
		.cpu_ms = v->cpu_ms,
		.wall_ms = v->wall_ms,
		.memory_kb = v->memory_kb };
	for (int i = 0; i < LIMIT_MAX; i++)
		w->enforced[i] = v->enforced[i];
}

static void
unpack_verdict(const struct verdict_wire *w, struct verdict *v)
{
	memset(v, 0, sizeof(*v));
	v->reason = (enum reason)w->reason;
	v->exit_code = (int)w->exit_code - 1;
	v->signal = (int)w->signal - 1;
	v->cpu_ms = w->cpu_ms;
	v->wall_ms = w->wall_ms;
	v->memory_kb = w->memory_kb;
	for (int i = 0; i < LIMIT_MAX; i++)
		v->enforced[i] = (enum enforcer)w->enforced[i];
}

static int
send_bytes(
    int link, enum message type, char *data, size_t len, const int *fds, int n)
{
	struct head h = { .type = type, .len = (uint32_t)len };
	size_t now = len < PACKET_MAX ? len : PACKET_MAX;
	struct iovec iov[2] = { { &h, sizeof(h) }, { data, now } };

	if (rights_send(link, iov, 2, fds, n, 0) < 0)
		return -1;
	for (data += now, len -= now; len > 0; data += now, len -= now) {
		now = len < PACKET_MAX ? len : PACKET_MAX;
		iov[0] = (struct iovec){ data, now };
		if (rights_send(link, iov, 1, NULL, 0, 0) < 0)
			return -1;
	}
	return 0;
}

int
message_send(
    int link, enum message type, const void *body, const int *fds, int n)
{
	struct verdict_wire w;
	char *data = NULL;
	size_t len = 0;
	int r;

	if (type == MESSAGE_VERDICT) {
		pack_verdict(body, &w);
		body = &w;
	}
	if (wire_encode(
		tables[type].fields, tables[type].n, body, &data, &len) != 0)
		return -1;
	r = send_bytes(link, type, data, len, fds, n);
	free(data);
	return r;
}

int
message_receive(int link, struct packet *p)
{
	static char first[PACKET_MAX];
	struct head h;
	struct iovec iov[2] = { { &h, sizeof(h) }, { first, sizeof(first) } };
	size_t have;
	ssize_t n;

	memset(p, 0, sizeof(*p));
	do {
		n = rights_receive(link, iov, 2, p->fds, STARTED_MAX, 0);
		if (n <= 0)
			return (int)n;
	} while (n == 1); /* an 'o' that came too late */
	errno = EPROTO;
	if ((size_t)n < sizeof(h) ||
	    (DEFENCE(MESSAGE_TYPE) && h.type >= MESSAGE_MAX) ||
	    (DEFENCE(MESSAGE_SIZE) && h.len > WIRE_SIZE_MAX) ||
	    (DEFENCE(MESSAGE_LENGTH) && (size_t)n - sizeof(h) > h.len))
		return -1;
	p->type = (enum message)h.type;
	p->len = h.len;
	p->data = malloc(h.len > 0 ? h.len : 1);
	if (p->data == NULL)
		return -1;
	have = (size_t)n - sizeof(h);
	memcpy(p->data, first, have);
	while (have < h.len) {
		iov[0] = (struct iovec){ p->data + have, h.len - have };
		n = rights_receive(link, iov, 1, NULL, 0, 0);
		if (n <= 0) {
			free(p->data);
			return -1;
		}
		have += (size_t)n;
	}
	return 1;
}

const char *
message_read(struct packet *p, void *to)
{
	struct verdict_wire w = { 0 };
	void *into = p->type == MESSAGE_VERDICT ? (void *)&w : to;
	const char *wrong = wire_decode(
	    tables[p->type].fields, tables[p->type].n, into, p->data, p->len);

	if (wrong == NULL && p->type == MESSAGE_VERDICT)
		unpack_verdict(&w, to);
	return wrong;
}
