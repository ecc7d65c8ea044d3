#include "registries.h"

#include <stdio.h>
#include <string.h>

#define BLANKS " \t,"
#define PLAIN "http://"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

bool
registries_is_host(const char *host, size_t len)
{
	size_t n = strspn(host, LETTERS DIGITS ".-"), digits;

	if (n > len)
		n = len;
	if (n < 1 || n > 253 || strchr(".-", host[0]) != NULL ||
	    strchr(".-", host[n - 1]) != NULL)
		return false;
	if (n == len)
		return true;
	if (host[n] != ':')
		return false;
	digits = strspn(host + n + 1, DIGITS);
	return digits >= 1 && digits <= 5 && n + 1 + digits == len;
}

/* One entry of the list: *ret_len bytes of what is returned; NULL at the end.
 */
static const char *
next(const char **list, size_t *ret_len)
{
	const char *entry = *list + strspn(*list, BLANKS);

	*ret_len = strcspn(entry, BLANKS);
	*list = entry + *ret_len;
	return *ret_len > 0 ? entry : NULL;
}

static bool
is_plain(const char **entry, size_t *len)
{
	const size_t n = strlen(PLAIN);

	if (*len < n || strncmp(*entry, PLAIN, n) != 0)
		return false;
	*entry += n;
	*len -= n;
	return true;
}

int
registries_check(const char *list, char *why, size_t size)
{
	const char *entry;
	size_t len;

	while ((entry = next(&list, &len)) != NULL) {
		(void)is_plain(&entry, &len);
		if (registries_is_host(entry, len))
			continue;
		(void)snprintf(why, size,
		    "registries: '%.*s' is neither HOST[:PORT] nor "
		    "http://HOST[:PORT]",
		    (int)(len < 80 ? len : 80), entry);
		return -1;
	}
	return 0;
}

bool
registries_have(const char *list, const char *host, bool *ret_plain_http)
{
	const char *entry;
	size_t len;

	while ((entry = next(&list, &len)) != NULL) {
		*ret_plain_http = is_plain(&entry, &len);
		if (strlen(host) == len && memcmp(entry, host, len) == 0)
			return true;
	}
	return false;
}
