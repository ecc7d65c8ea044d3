#include "collection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE 65536

int
collection_begin(struct collection *l, int fd, char **names)
{
	*l = (struct collection){
		.fd = fd, .names = names, .room = COLLECTION_MAX
	};
	while (names != NULL && names[l->name_count] != NULL)
		l->name_count++;
	l->whole = fd < 0;
	l->files = calloc(l->name_count + 1, sizeof(*l->files));
	return l->files != NULL ? 0 : -1;
}

static void
end(struct collection *l)
{
	(void)close(l->fd);
	l->fd = -1;
}

/* A file begins, if the head is one that can be. */
static int
begin_file(struct collection *l)
{
	struct collected *f = &l->files[l->count];

	l->head_len = 0;
	l->whole = l->head.index == FILES_END;
	if (l->head.index >= l->name_count || l->count >= l->name_count)
		return -1;
	f->path = l->names[l->head.index];
	f->size = l->head.size;
	f->len = 0;
	l->left = l->head.len;
	f->data = malloc((l->left < l->room ? (size_t)l->left : l->room) + 1);
	l->count++;
	return f->data != NULL ? 0 : -1;
}

static void
read_head(struct collection *l)
{
	ssize_t n = read(l->fd, (char *)&l->head + l->head_len,
	    sizeof(l->head) - l->head_len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	l->head_len += n > 0 ? (size_t)n : 0;
	if (n <= 0 || (l->head_len == sizeof(l->head) && begin_file(l) != 0))
		end(l);
}

void
collection_read(struct collection *l)
{
	static char buf[READ_SIZE];
	struct collected *f;
	size_t size;
	ssize_t n;

	if (l->left == 0) {
		read_head(l);
		return;
	}
	f = &l->files[l->count - 1];
	size = l->left < sizeof(buf) ? (size_t)l->left : sizeof(buf);
	n = read(l->fd, buf, size);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end(l);
		return;
	}
	l->left -= (uint64_t)n;
	size = (size_t)n < l->room ? (size_t)n : l->room;
	memcpy(f->data + f->len, buf, size);
	f->len += size;
	l->room -= size;
}
