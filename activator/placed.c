#include "placed.h"

#include <stdlib.h>
#include <string.h>

#include "files.h"

int
placed_mode(const char *text, uint32_t *ret)
{
	size_t len = strlen(text);
	unsigned long mode;

	if (len == 0 || len > 4 || strspn(text, "01234567") != len)
		return -1;
	mode = strtoul(text, NULL, 8);
	if (mode > 0777)
		return -1;
	*ret = (uint32_t)mode;
	return 0;
}

bool
placed_path_is_good(const char *path)
{
	size_t len = strlen(path);

	return len > 0 && len <= FILES_NAME_MAX && path[len - 1] != '/';
}

static char *
append(char *to, const void *from, size_t len)
{
	if (len > 0)
		memcpy(to, from, len);
	return to + len;
}

char *
placed_encode(const struct placed *all, size_t n, size_t *ret_len)
{
	size_t len = (n + 1) * sizeof(struct file_in);
	struct file_in head;
	char *data, *to;

	for (size_t i = 0; i < n; i++)
		len += strlen(all[i].path) + all[i].len;
	data = to = malloc(len);
	if (data == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		/* Padding would carry what the memory held before. */
		memset(&head, 0, sizeof(head));
		head.name_len = (uint32_t)strlen(all[i].path);
		head.mode = all[i].mode;
		head.size = all[i].len;
		to = append(to, &head, sizeof(head));
		to = append(to, all[i].path, head.name_len);
		to = append(to, all[i].data, all[i].len);
	}
	memset(&head, 0, sizeof(head));
	(void)append(to, &head, sizeof(head));
	*ret_len = len;
	return data;
}
