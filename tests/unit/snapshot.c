/* A snapshot's record, and the layers of a manifest that are of runs. */
#include "image.h"
#include "record.h"
#include "snapshot.h"
#include "unit.h"

static const char session_id[] = "abcdefghijklmnopqrstuvwxyz";
static const char own_id[] = "0123456789abcdefghijklmnop";

static void
fill(struct snapshot *n)
{
	struct failure f;
	char why[100];

	snapshot_init(n);
	strcpy(n->name, "a name = \"with\" all");
	n->size_kb = 123456789012;
	n->counted = true;
	strcpy(n->as.id, own_id);
	strcpy(n->as.owner, "uid:7");
	strcpy(n->as.image, "debian:12");
	strcpy(n->as.parent, session_id);
	strcpy(n->as.cwd, "/work");
	n->as.created_at = n->as.last_used_at = 1000;
	n->as.ttl = SESSION_NEVER;
	HOLDS(session_merge_env(&n->as, "A=1", &f) == SESSION_OK);
	HOLDS(session_merge_env(&n->as, "B=x=y", &f) == SESSION_OK);
	limits_set(&n->as.limits, LIMIT_NOFILE, "33", why, sizeof(why));
}

static void
whole(void)
{
	static char buf[RECORD_MAX], again[RECORD_MAX];
	struct snapshot n, back;
	char why[160];
	ssize_t len;

	fill(&n);
	len = snapshot_encode(&n, buf, sizeof(buf));
	HOLDS(len > 0);
	snapshot_init(&back);
	HOLDS(snapshot_decode(&back, buf, (size_t)len, why, sizeof(why)) == 0);
	expect_text(back.name, n.name, "name");
	expect_number((int64_t)back.size_kb, 123456789012, "size_kb");
	HOLDS(back.counted);
	expect_text(back.as.id, own_id, "id");
	expect_text(back.as.parent, session_id, "parent");
	expect_text(back.as.cwd, "/work", "cwd");
	HOLDS(back.as.env_count == 2);
	expect_text(back.as.env[1], "B=x=y", "env");
	expect_number(
	    (int64_t)back.as.limits.value[LIMIT_NOFILE], 33, "nofile");
	HOLDS(snapshot_encode(&back, again, sizeof(again)) == len);
	HOLDS(memcmp(buf, again, (size_t)len) == 0);
	/* Where it does not fit to the byte, it does not fit. */
	HOLDS(snapshot_encode(&n, again, (size_t)len) == len);
	for (size_t size = 0; size < (size_t)len; size++)
		HOLDS(snapshot_encode(&n, again, size) == -1);
	snapshot_free(&back);
	snapshot_free(&n);
}

static void
cut(void)
{
	static char buf[RECORD_MAX];
	struct snapshot n, back;
	char why[160], saved;
	ssize_t len;

	fill(&n);
	len = snapshot_encode(&n, buf, sizeof(buf));
	for (ssize_t at = 0; at < len; at++) {
		size_t cut_len = (size_t)at;

		snapshot_init(&back);
		/* What is behind the first fields can be left out whole. */
		if (snapshot_decode(&back, buf, cut_len, why, sizeof(why)) == 0)
			HOLDS(buf[at - 1] == '\0' &&
			      back.as.env_count +
				      back.as.limits.asked[LIMIT_NOFILE] <
				  3);
		snapshot_free(&back);
		/* Nor does it matter what a byte becomes: it ends. */
		saved = buf[at];
		buf[at] = '\0';
		snapshot_init(&back);
		(void)snapshot_decode(
		    &back, buf, (size_t)len, why, sizeof(why));
		snapshot_free(&back);
		buf[at] = saved;
	}
	snapshot_free(&n);
}

/* Decodes the record with the text replaced by another of the same length. */
static int
decode_with(const char *old, const char *new)
{
	static char buf[RECORD_MAX];
	struct snapshot n;
	char why[160], *at;
	ssize_t len;
	int r;

	fill(&n);
	len = snapshot_encode(&n, buf, sizeof(buf));
	at = memmem(buf, (size_t)len, old, strlen(old));
	HOLDS(at != NULL && strlen(old) == strlen(new));
	memcpy(at, new, strlen(new));
	snapshot_free(&n);
	r = snapshot_decode(&n, buf, (size_t)len, why, sizeof(why));
	snapshot_free(&n);
	return r;
}

static void
wrong(void)
{
	HOLDS(decode_with("mayfly-snapshot 1", "mayfly-snapshot 1") == 0);
	HOLDS(decode_with("mayfly-snapshot 1", "mayfly-snapshot 2") == -1);
	HOLDS(decode_with("a name", "a\nname") == -1);
	HOLDS(decode_with("a name", "a\x7fname") == -1);
	HOLDS(decode_with("size_kb=1234", "size_kb=12x4") == -1);
	HOLDS(decode_with("size_kb=1234", "size_kc=1234") == -1);
	HOLDS(decode_with("counted=1", "counted=2") == -1);
	HOLDS(decode_with("mayfly-session 1", "mayfly-session 9") == -1);
	HOLDS(decode_with("id=0123", "id=../x") == -1);
	HOLDS(decode_with("parent=abcd", "parent=../x") == -1);
	HOLDS(decode_with("nofile=33", "nofile=00") == -1);
}

static void
names(void)
{
	char text[SNAPSHOT_NAME_MAX + 2];

	memset(text, 'x', sizeof(text));
	text[SNAPSHOT_NAME_MAX] = '\0';
	HOLDS(snapshot_is_name(text));
	text[SNAPSHOT_NAME_MAX] = 'x';
	text[SNAPSHOT_NAME_MAX + 1] = '\0';
	HOLDS(!snapshot_is_name(text));
	HOLDS(snapshot_is_name("") && snapshot_is_name(" \xc3\xa9/..="));
	for (char c = 1; c < ' '; c++) {
		text[0] = c;
		text[1] = '\0';
		HOLDS(!snapshot_is_name(text));
	}
}

static void
manifest(void)
{
	static char buf[IMAGE_MANIFEST_MAX];
	static struct image m, back;
	char why[160];
	ssize_t len;

	image_init(&m);
	strcpy(m.name, "host");
	HOLDS(image_add_layer(&m, "id/aaaaaaaaaaaaaaaaaaaaaaaaaa", 5) == 0);
	HOLDS(image_add_snapshot(&m, "id/bbbbbbbbbbbbbbbbbbbbbbbbbb",
		  IMAGE_SIZE_UNKNOWN) == 0);
	HOLDS(image_add_snapshot(&m, "../bbbbbbbbbbbbbbbbbbbbbbbbbb", 1) == -1);
	len = image_encode(&m, buf, sizeof(buf));
	image_init(&back);
	HOLDS(image_decode(&back, buf, (size_t)len, why, sizeof(why)) == 0);
	HOLDS(back.layer_count == 2 && !back.layers[0].is_snapshot &&
	      back.layers[1].is_snapshot);
	HOLDS(back.layers[1].size_kb == IMAGE_SIZE_UNKNOWN);
	expect_text(back.layers[1].name, m.layers[1].name, "layer");
	image_free(&back);
	image_free(&m);
}

static const struct testcase cases[] = {
	{ "a snapshot's record is read as it was written", whole },
	{ "a record that is cut or damaged is none, or as much of it", cut },
	{ "what no snapshot can have is refused", wrong },
	{ "a name has no control characters, and an end", names },
	{ "a manifest says which layers runs have made", manifest },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
