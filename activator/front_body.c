/* The body of a request, by its length or in chunks, as it comes. */
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chunk.h"
#include "defence.h"
#include "front.h"
#include "front_parts.h"
#include "jsoncheck.h"
#include "sys.h"

static noreturn void
refuse_large(struct front *f)
{
	front_refuse(f, ERROR_BODY_TOO_LARGE,
	    "the body is larger than 4194304 bytes", NULL);
}

/* One more piece of the body; what of it is the body's is decoded. */
static bool
take_piece(struct front *f, struct chunk *chunk, size_t n)
{
	size_t body = n, used;
	int r;

	if (!f->head.chunked) {
		f->text_len += n;
		return f->text_len == (size_t)f->head.content_length;
	}
	r = chunk_decode(chunk, f->text + f->text_len, n, &body, &used);
	if (r < 0 && chunk->status == 413)
		refuse_large(f);
	if (r < 0)
		front_refuse(
		    f, error_of_status(chunk->status), chunk->why, NULL);
	f->text_len += body;
	return r > 0;
}

/* How much may be read now: room, and not beyond the body. */
static size_t
piece_size(const struct front *f, size_t room)
{
	size_t want = 65536;

	if (!f->head.chunked)
		want = (size_t)f->head.content_length - f->text_len;
	return want < room - f->text_len ? want : room - f->text_len;
}

void
front_read_body(struct front *f)
{
	/* A chunk's frame may stand where the last bytes will. */
	const size_t room = JSON_SIZE_MAX + 65536;
	size_t have = f->len - f->head_len;
	int64_t began = sys_now_ms(), until;
	struct chunk chunk;
	bool whole = false;
	ssize_t n;

	if (!f->head.chunked && f->head.content_length < 0)
		f->head.content_length = 0;
	if (DEFENCE(BODY_SIZE) && !f->head.chunked &&
	    f->head.content_length > JSON_SIZE_MAX)
		refuse_large(f);
	f->text = malloc(room + 1);
	if (f->text == NULL)
		front_refuse(f, ERROR_SANDBOX_FAILED, "no memory", NULL);
	chunk_init(&chunk, JSON_SIZE_MAX);
	if (!f->head.chunked && have >= (size_t)f->head.content_length)
		have = (size_t)f->head.content_length;
	memcpy(f->text, f->buf + f->head_len, have);
	whole = have > 0 ? take_piece(f, &chunk, have)
			 : !f->head.chunked && f->head.content_length == 0;
	if (!whole)
		front_be_admitted(f);
	if (!whole && f->head.expect_continue && f->reply.minor > 0 &&
	    have == 0 && reply_continue(&f->reply) != 0)
		front_leave(f);
	while (!whole) {
		until = began + FRONT_BODY_MS +
			(int64_t)(f->text_len * 1000 / FRONT_BODY_RATE);
		if (!front_wait_client(until) && DEFENCE(BODY_TIME))
			front_refuse(f, ERROR_TIMEOUT,
			    "the body comes too slowly", NULL);
		n = recv(FRONT_CLIENT, f->text + f->text_len,
		    piece_size(f, room), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0) {
			f->note.why = (char *)(uintptr_t) "no whole body";
			front_leave(f);
		}
		whole = take_piece(f, &chunk, (size_t)n);
	}
	f->text[f->text_len] = '\0';
	f->unread = false;
}
