/* A session's record: it reads back what was written, and nothing else. */
#include "record.h"

#include "unit.h"

static char buf[RECORD_MAX];
static char why[200];

static struct session
sample(void)
{
	struct session s;
	struct failure f;

	session_init(&s);
	memcpy(s.id, "0mwpxtxn9tett2gem8rgo8j5cs", SESSION_ID_LEN);
	strcpy(s.owner, "token:some-name");
	strcpy(s.image, "host");
	strcpy(s.cwd, "/a b\n/=");
	s.created_at = 1000;
	s.last_used_at = 2000;
	s.ttl = 300;
	s.expires_at = SESSION_NEVER;
	HOLDS(session_merge_env(&s, "B=2\n=x", &f) == SESSION_OK);
	HOLDS(session_merge_env(&s, "A=", &f) == SESSION_OK);
	s.limits.value[LIMIT_CPUS] = 500;
	s.limits.asked[LIMIT_CPUS] = true;
	return s;
}

static void
expect_same(const struct session *a, const struct session *b)
{
	expect_text(a->id, b->id, "id");
	expect_text(a->owner, b->owner, "owner");
	expect_text(a->image, b->image, "image");
	expect_text(a->parent, b->parent, "parent");
	expect_text(a->cwd, b->cwd, "cwd");
	expect_number(a->created_at, b->created_at, "created_at");
	expect_number(a->last_used_at, b->last_used_at, "last_used_at");
	expect_number(a->ttl, b->ttl, "ttl");
	expect_number(a->expires_at, b->expires_at, "expires_at");
	expect_number(
	    (int64_t)a->env_count, (int64_t)b->env_count, "variables");
	for (size_t i = 0; i < a->env_count && i < b->env_count; i++)
		expect_text(a->env[i], b->env[i], "variable");
	for (int i = 0; i < LIMIT_MAX; i++) {
		HOLDS(a->limits.asked[i] == b->limits.asked[i]);
		HOLDS(a->limits.value[i] == b->limits.value[i]);
	}
}

/* Decodes a copy that ends at a hole in the address space. */
static int
decode(struct session *s, const char *data, size_t len)
{
	session_init(s);
	*why = '\0';
	return record_decode(s, guarded(data, len), len, why, sizeof(why));
}

static void
back_and_forth(void)
{
	struct session s = sample(), t;
	ssize_t len = record_encode(&s, buf, sizeof(buf));

	HOLDS(len > 0);
	HOLDS(strncmp(buf, RECORD_HEAD, sizeof(RECORD_HEAD) - 1) == 0);
	HOLDS(decode(&t, buf, (size_t)len) == 0);
	expect_same(&t, &s);
	session_free(&t);
	/* No limits, no variables, no end. */
	session_free(&s);
	s = sample();
	s.limits.asked[LIMIT_CPUS] = false;
	s.limits.value[LIMIT_CPUS] = LIMIT_UNSET;
	s.ttl = SESSION_NEVER;
	s.expires_at = 3000;
	len = record_encode(&s, buf, sizeof(buf));
	HOLDS(decode(&t, buf, (size_t)len) == 0);
	expect_same(&t, &s);
}

static void
room(void)
{
	struct session s = sample();
	ssize_t len = record_encode(&s, buf, sizeof(buf));

	for (ssize_t size = 0; size < len; size++)
		HOLDS(record_encode(
			  &s, guarded(buf, (size_t)size), (size_t)size) == -1);
	HOLDS(record_encode(&s, guarded(buf, (size_t)len), (size_t)len) == len);
}

static void
cut_short(void)
{
	struct session s = sample(), t;
	ssize_t len = record_encode(&s, buf, sizeof(buf));
	size_t whole = 0;

	for (size_t n = 0; n < (size_t)len; n++) {
		int r = decode(&t, buf, n);

		/* Without some of the fields that may be there or not. */
		whole += r == 0;
		HOLDS(r == 0 || *why != '\0');
		session_free(&t);
	}
	expect_number((int64_t)whole, 3, "cuts that leave a record");
}

/* The record with the first `from` replaced is refused, with a reason. */
static void
refuse(const char *from, const char *to, const char *reason)
{
	struct session s = sample(), t;
	ssize_t len = record_encode(&s, buf, sizeof(buf));
	char *at = memmem(buf, (size_t)len, from, strlen(from));
	char *text = malloc((size_t)len + strlen(to));
	size_t head, n;

	if (!HOLDS(at != NULL) || text == NULL)
		return;
	head = (size_t)(at - buf);
	n = (size_t)len - strlen(from) + strlen(to);
	memcpy(text, buf, head);
	memcpy(text + head, to, strlen(to));
	memcpy(text + head + strlen(to), at + strlen(from),
	    (size_t)len - head - strlen(from));
	HOLDS(decode(&t, text, n) == -1);
	expect_has(why, reason, to);
	session_free(&t);
	free(text);
}

static void
refused(void)
{
	refuse("mayfly-session 1\n", "mayfly-session 2\n", "version");
	refuse("mayfly-session 1\n", "", "version");
	refuse("owner=", "", "without '='");
	refuse("owner=", "other=", "owner");
	refuse("id=0m", "id=../", "id");
	refuse("id=0m", "id=0M", "id");
	refuse("id=0m", "id=", "id");
	refuse("token:some-name", "", "owner");
	refuse("token:some-name", "a b", "owner");
	refuse("image=host", "image=../host", "image");
	refuse("image=host", "image=.host", "image");
	refuse("parent=", "parent=x", "parent");
	refuse("cwd=/", "cwd=", "cwd");
	refuse("created_at=1000", "created_at=-1", "created_at");
	refuse("created_at=1000", "created_at=01", "created_at");
	refuse("created_at=1000", "created_at=", "created_at");
	refuse("created_at=1000", "created_at=253402300800", "created_at");
	refuse("created_at=1000", "created_at=99999999999999999999999999999",
	    "created_at");
	refuse("ttl=300", "ttl=0", "ttl");
	refuse("ttl=300", "ttl=3155760001", "ttl");
	refuse("ttl=300", "ttl=never", "ttl");
	refuse("env=B=2", "env=A=2", "env");
	refuse("env=B=2\n=x", "env=B", "env");
	refuse("env=B=2", "env==", "env");
	refuse("cpus=500", "cpus=9", "cpus");
	refuse("cpus=500", "cpus=", "cpus");
	refuse("cpus=500", "gpus=1", "unknown");
}

static void
twice(void)
{
	struct session s = sample(), t;
	ssize_t len = record_encode(&s, buf, sizeof(buf));

	memcpy(buf + len, "cpus=500", 9);
	HOLDS(decode(&t, buf, (size_t)len + 9) == -1);
	expect_has(why, "twice", "cpus");
	memcpy(buf + len, "owner=x", 8);
	HOLDS(decode(&t, buf, (size_t)len + 8) == -1);
	expect_has(why, "unknown", "owner");
}

static const struct testcase cases[] = {
	{ "a record reads back as it was written", back_and_forth },
	{ "a record that does not fit is not written", room },
	{ "a record that is cut short is refused or whole", cut_short },
	{ "what is no record is refused with the field", refused },
	{ "a field that stands twice is refused", twice },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
