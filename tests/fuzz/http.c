/* Any bytes as the head of a request: refused, or clean in all its parts. */
#include "http.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the buffer, and nothing in it that would end a line or a string. */
static void
check_text(struct http_text text, const char *buf, size_t len)
{
	if (text.data == NULL) {
		assert(text.len == 0);
		return;
	}
	assert(text.data >= buf && text.data + text.len <= buf + len);
	for (size_t i = 0; i < text.len; i++)
		assert(http_is_text(text.data[i]));
}

static void
check_path(const char *path)
{
	size_t len = strlen(path);

	assert(len < HTTP_LINE_MAX && strpbrk(path, "\\\r\n") == NULL);
	for (size_t i = 0; i < len; i++)
		assert((unsigned char)path[i] >= 0x20 && path[i] != 0x7f);
	if (strcmp(path, "*") == 0)
		return;
	assert(path[0] == '/' && strstr(path, "//") == NULL);
	assert(strstr(path, "/./") == NULL && strstr(path, "/../") == NULL);
	assert(len < 2 || strcmp(path + len - 2, "/.") != 0);
	assert(len < 3 || strcmp(path + len - 3, "/..") != 0);
}

static void
check_query(const struct http_head *h)
{
	static const char *const names[] = { "limit", "after" };
	char value[16], why[64];
	int r;

	for (size_t i = 0; i < 2; i++) {
		r = http_query(h, names[i], value, sizeof(value));
		assert(r >= -1 && r <= 1);
		if (r == 1) {
			assert(memchr(value, '\0', sizeof(value)) != NULL);
			assert(strpbrk(value, "\r\n") == NULL);
		}
	}
	r = http_query_check(h, names, 2, why, sizeof(why));
	assert(r == 0 || (r == -1 && strpbrk(why, "\r\n") == NULL));
}

static void
check_head(const struct http_head *h, const char *buf, int r)
{
	const size_t len = (size_t)r;

	assert(len <= HTTP_HEAD_MAX && memcmp(buf + r - 4, "\r\n\r\n", 4) == 0);
	assert(h->method[0] != '\0');
	assert(strlen(h->method) <= HTTP_METHOD_MAX);
	for (const char *p = h->method; *p != '\0'; p++)
		assert(http_is_token(*p));
	check_path(h->path);
	check_text(h->query, buf, len);
	check_query(h);
	assert(h->minor == 0 || h->host.len > 0);
	check_text(h->host, buf, len);
	check_text(h->origin, buf, len);
	check_text(h->content_type, buf, len);
	check_text(h->token, buf, len);
	assert(h->token.data == NULL || !h->wrong_credential);
	assert(h->content_length >= -1);
	assert(!h->chunked || (h->content_length == -1 && h->minor == 1));
	assert(h->accept < HTTP_ACCEPT_MAX);
	assert(strlen(h->request_id) <= HTTP_ID_MAX);
	assert(strspn(h->request_id,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		   "0123456789._-") == strlen(h->request_id));
}

/* Parses the beginning in memory of its own. */
static int
parse(const uint8_t *data, size_t len)
{
	struct http_head *h = malloc(sizeof(*h));
	char *buf = malloc(len > 0 ? len : 1);
	int r;

	if (h == NULL || buf == NULL)
		abort();
	memcpy(buf, data, len);
	memset(h, 'x', sizeof(*h));
	r = http_parse(buf, len, h);
	assert(r >= -1 && r <= (int)len);
	if (r > 0) {
		check_head(h, buf, r);
	} else if (r == 0) {
		assert(len < HTTP_HEAD_MAX);
	} else {
		assert(h->status == 400 || h->status == 414 ||
		       h->status == 415 || h->status == 417 ||
		       h->status == 431 || h->status == 505);
		assert(memchr(h->why, '\0', sizeof(h->why)) != NULL);
		assert(h->why[0] != '\0' && strpbrk(h->why, "\r\n") == NULL);
	}
	free(buf);
	free(h);
	return r;
}

/* The first two bytes say where the request comes to a halt. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t part;
	int half, whole;

	if (size < 2)
		return 0;
	part = ((size_t)data[0] << 8 | data[1]) % (size - 1);
	data += 2;
	size -= 2;
	half = parse(data, part);
	whole = parse(data, size);
	/* More bytes change nothing but that something is missing. */
	if (half != 0)
		assert(whole == half);
	if (whole > 0) {
		assert(half == 0 || part >= (size_t)whole);
		assert(parse(data, (size_t)whole) == whole);
		assert(parse(data, (size_t)whole - 1) == 0);
	}
	return 0;
}
