#include "stream.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"

int
stream_begin(struct stream_out *s, struct reply *r, bool is_sse)
{
	*s = (struct stream_out){
		.reply = r, .is_sse = is_sse, .last_ms = sys_now_ms()
	};
	return reply_begin(
	    r, is_sse ? "text/event-stream" : "application/x-ndjson");
}

void
stream_open(struct stream_out *s, const char *type)
{
	json_again(&s->event);
	json_object(&s->event, NULL);
	json_text(&s->event, "type", type);
}

int
stream_put(struct stream_out *s, const char *event, size_t event_len)
{
	char size[32] = "";
	const char *before = s->is_sse ? "data: " : "",
		   *after = s->is_sse ? "\n" : "";
	bool chunked = s->reply->minor > 0;
	size_t len, total;
	char *bigger;
	int n = 0;

	len = strlen(before) + event_len + strlen(after);
	if (chunked)
		n = snprintf(size, sizeof(size), "%zx\r\n", len);
	total = s->len + (size_t)n + len + 2;
	if (s->start > 0)
		memmove(s->data, s->data + s->start, s->len);
	s->start = 0;
	bigger = realloc(s->data, total + 1);
	if (bigger == NULL)
		return -1;
	s->data = bigger;
	s->len += (size_t)snprintf(
	    s->data + s->len, total + 1 - s->len, "%s%s", size, before);
	memcpy(s->data + s->len, event, event_len);
	s->len += event_len;
	s->len += (size_t)snprintf(s->data + s->len, total + 1 - s->len, "%s%s",
	    after, chunked ? "\r\n" : "");
	s->last_ms = sys_now_ms();
	return 0;
}

int
stream_close(struct stream_out *s)
{
	int r = json_finish(&s->event);

	if (r == 0)
		r = stream_put(s, s->event.data, s->event.len);
	return r;
}

int
stream_flush(struct stream_out *s)
{
	ssize_t n;

	while (s->len > 0) {
		n = send(s->reply->client, s->data + s->start, s->len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		s->start += (size_t)n;
		s->len -= (size_t)n;
	}
	return 0;
}

int
stream_end(struct stream_out *s)
{
	static const char last[] = "0\r\n\r\n";

	if (reply_send(s->reply, s->data + s->start, s->len) != 0)
		return -1;
	s->len = 0;
	return s->reply->minor > 0
		   ? reply_send(s->reply, last, sizeof(last) - 1)
		   : 0;
}

size_t
stream_tail(const char *data, size_t len)
{
	/* The least that can follow each beginning, to ask json_utf8(). */
	for (size_t n = 1; n <= 3 && n <= len; n++) {
		const unsigned char *s = (const unsigned char *)data + len - n;
		char whole[4];
		size_t need = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

		if ((s[0] & 0xc0) == 0x80)
			continue;
		if (s[0] < 0xc2 || need <= n)
			return 0;
		memcpy(whole, s, n);
		/* What follows the lead byte has a narrower range for some. */
		for (size_t i = n; i < need; i++)
			whole[i] = (char)(i > 1		 ? 0x80
					  : s[0] == 0xe0 ? 0xa0
					  : s[0] == 0xf0 ? 0x90
							 : 0x80);
		return json_utf8(whole, need) == need ? n : 0;
	}
	return 0;
}
