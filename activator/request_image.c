#include <string.h>

#include "reference.h"
#include "request_parts.h"

int
request_read_source(struct reader *r, const struct json_node *v)
{
	if (json_read_text(r->d, v, &r->b->request.source) != 0)
		return -1;
	return strlen(r->b->request.source) <= REFERENCE_MAX
		   ? 0
		   : json_refuse(
			 r->d, v, "is longer than %d bytes", REFERENCE_MAX);
}

int
request_read_auth(struct reader *r, const struct json_node *v)
{
	struct request *q = &r->b->request;
	struct json_node *e = NULL;

	if (v->type == JSON_NULL)
		return 0;
	if (json_want(r->d, v, JSON_OBJECT) != 0)
		return -1;
	while ((e = json_each(r->d, v, e)) != NULL) {
		const char *name = json_name(r->d, e);
		bool user = strcmp(name, "username") == 0;
		char **to = user ? &q->username : &q->password;
		size_t max = user ? USERNAME_MAX : PASSWORD_MAX;

		if (!user && strcmp(name, "password") != 0)
			return json_refuse(r->d, e, "is not a known field");
		if (json_read_text(r->d, e, to) != 0)
			return -1;
		if (strlen(*to) > max)
			return json_refuse(
			    r->d, e, "is longer than %zu bytes", max);
	}
	return q->username != NULL && q->password != NULL
		   ? 0
		   : json_refuse(r->d, v, "needs a username and a password");
}
