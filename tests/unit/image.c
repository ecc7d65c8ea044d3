/* Names of images and layers, and manifests: only what was written is read. */
#include "image.h"

#include "unit.h"

#define HEX32 "0123456789abcdef0123456789abcdef"
#define LAYER "sha256/" HEX32 HEX32
#define OTHER "id/abcdefghijklmnopqrstuvwxyz"

static char buf[IMAGE_MANIFEST_MAX];
static char why[200];

static void
names(void)
{
	static const char *const good[] = { "a", "0", "a.b-c_d", "debian:12",
		"a:B", "a:_", "a:.", "a..b", "python:3.11-slim" };
	static const char *const bad[] = { "", ".", "..", ".a", "-a", "_a", "A",
		"a/b", "/", "../a", "a:", ":a", "a:b:c", "a b", "a\n", "a:b/c",
		"a@b", "\xc3\xa4", "a\x1b", "a*", " a", "a " };
	char name[140];

	for (size_t i = 0; i < LENGTH(good); i++)
		holds(image_is_name(guarded_text(good[i])), good[i], __LINE__);
	for (size_t i = 0; i < LENGTH(bad); i++)
		holds(!image_is_name(guarded_text(bad[i])), bad[i], __LINE__);
	memset(name, 'a', sizeof(name));
	name[64] = '\0';
	HOLDS(image_is_name(name));
	name[64] = ':';
	name[65 + 64] = '\0';
	HOLDS(image_is_name(name));
	expect_number((int64_t)strlen(name), IMAGE_NAME_MAX, "the longest");
	name[65 + 64] = 'a';
	name[65 + 65] = '\0';
	HOLDS(!image_is_name(name));
	name[64] = 'a';
	name[65] = '\0';
	HOLDS(!image_is_name(name));
}

static void
layers(void)
{
	static const char *const bad[] = { "", "sha256/", "id/",
		"sha256/" HEX32, LAYER "0", "sha256/../../" HEX32,
		"sha512/" HEX32 HEX32, "id/abcdefghijklmnopqrstuvwxy",
		OTHER "a", "id/Abcdefghijklmnopqrstuvwxyz",
		"id/abcdefghijklm/opqrstuvwxyz", "/" OTHER, "id/..",
		"sha256:" HEX32 HEX32 };

	HOLDS(image_is_layer(guarded_text(LAYER)));
	HOLDS(image_is_layer(guarded_text(OTHER)));
	for (size_t i = 0; i < LENGTH(bad); i++)
		holds(!image_is_layer(guarded_text(bad[i])), bad[i], __LINE__);
}

static void
fill(struct image *m)
{
	image_init(m);
	strcpy(m->name, "some:Tag");
	strcpy(m->digest, "sha256:" HEX32 HEX32);
	strcpy(m->cwd, "/a b\n/=");
	strcpy(m->user, "app:staff");
	m->created_at = 1000;
	HOLDS(image_add_layer(m, LAYER, 12) == 0);
	HOLDS(image_add_layer(m, OTHER, 0) == 0);
	HOLDS(image_add_env(m, "A=") == 0);
	HOLDS(image_add_env(m, "B=x=\ny") == 0);
	HOLDS(image_add_command(m, "") == 0);
	HOLDS(image_add_command(m, "env=not one") == 0);
}

static int
decode(struct image *m, const char *data, size_t len)
{
	image_init(m);
	*why = '\0';
	return image_decode(m, guarded(data, len), len, why, sizeof(why));
}

static void
back_and_forth(void)
{
	static struct image a, b;
	ssize_t len;

	fill(&a);
	len = image_encode(&a, buf, sizeof(buf));
	HOLDS(len > 0 && strncmp(buf, IMAGE_HEAD, strlen(IMAGE_HEAD)) == 0);
	if (!HOLDS(decode(&b, buf, (size_t)len) == 0))
		return;
	expect_text(b.name, a.name, "name");
	expect_text(b.digest, a.digest, "digest");
	expect_text(b.cwd, a.cwd, "cwd");
	expect_text(b.user, a.user, "user");
	expect_number(b.created_at, a.created_at, "created_at");
	expect_number((int64_t)b.layer_count, 2, "layers");
	expect_text(b.layers[0].name, LAYER, "layer");
	expect_text(b.layers[1].name, OTHER, "layer");
	expect_number((int64_t)b.layers[0].size_kb, 12, "size");
	expect_number((int64_t)b.env_count, 2, "variables");
	expect_text(b.env[1], "B=x=\ny", "variable");
	expect_number((int64_t)b.command_count, 2, "words");
	expect_text(b.command[0], "", "word");
	expect_text(b.command[1], "env=not one", "word");
	HOLDS(b.env[2] == NULL && b.command[2] == NULL);
	image_free(&b);
	for (ssize_t size = 0; size < len; size++)
		HOLDS(image_encode(
			  &a, guarded(buf, (size_t)size), (size_t)size) == -1);
	image_free(&a);
}

static void
cut_short(void)
{
	static struct image a, b;
	ssize_t len;
	size_t whole = 0;

	fill(&a);
	len = image_encode(&a, buf, sizeof(buf));
	for (size_t n = 0; n < (size_t)len; n++) {
		int r = decode(&b, buf, n);

		whole += r == 0;
		HOLDS(r == 0 || *why != '\0');
		image_free(&b);
	}
	/* Behind each of the fields that any number may follow. */
	expect_number((int64_t)whole, 6, "cuts that leave a manifest");
	image_free(&a);
}

/* The manifest with the first `from` replaced is refused, with a reason. */
static void
refuse(const char *from, const char *to, const char *reason)
{
	static struct image a, b;
	ssize_t len;
	size_t head, n;
	char *at, *text;

	fill(&a);
	len = image_encode(&a, buf, sizeof(buf));
	image_free(&a);
	at = memmem(buf, (size_t)len, from, strlen(from));
	text = malloc((size_t)len + strlen(to));
	if (!HOLDS(at != NULL) || text == NULL)
		return;
	head = (size_t)(at - buf);
	n = (size_t)len - strlen(from) + strlen(to);
	memcpy(text, buf, head);
	memcpy(text + head, to, strlen(to));
	memcpy(text + head + strlen(to), at + strlen(from),
	    (size_t)len - head - strlen(from));
	HOLDS(decode(&b, text, n) == -1);
	expect_has(why, reason, to);
	image_free(&b);
	free(text);
}

static void
refused(void)
{
	refuse("mayfly-image 1\n", "mayfly-image 2\n", "version");
	refuse("mayfly-image 1\n", "", "version");
	refuse("name=some", "name=../some", "name");
	refuse("name=some", "name=", "name");
	refuse("name=", "name", "without '='");
	refuse("digest=", "other=", "digest");
	refuse("digest=", "", "without '='");
	refuse("cwd=/", "cwd=", "cwd");
	refuse("created_at=1000", "created_at=-1", "created_at");
	refuse("created_at=1000", "created_at=", "created_at");
	refuse("created_at=1000", "created_at=1 ", "created_at");
	refuse("created_at=1000", "created_at=253402300800", "created_at");
	refuse("created_at=1000", "created_at=99999999999999999999999",
	    "created_at");
	refuse("layer=sha256/", "layer=sha256/../", "layer");
	refuse("layer=sha256/", "layer=", "layer");
	refuse(HEX32 " 12", HEX32, "layer");
	refuse(HEX32 " 12", HEX32 " ", "layer");
	refuse(HEX32 " 12", HEX32 " -1", "layer");
	refuse(HEX32 " 12", HEX32 " 99999999999999999999", "layer");
	refuse("env=A=", "env=A", "env");
	refuse("env=A=", "env==", "env");
	refuse("env=A=", "umask=1", "unknown");
	refuse("env=A=", "name=x", "unknown");
	refuse("env=A=", "", "without '='");
}

static void
bounds(void)
{
	static struct image m, b;
	ssize_t len;

	fill(&m);
	while (m.layer_count < PLAN_LAYERS_MAX)
		HOLDS(image_add_layer(&m, OTHER, 1) == 0);
	HOLDS(image_add_layer(&m, OTHER, 1) == -1);
	while (m.env_count < IMAGE_WORDS_MAX)
		HOLDS(image_add_env(&m, "A=1") == 0);
	HOLDS(image_add_env(&m, "A=1") == -1);
	while (m.command_count < IMAGE_WORDS_MAX)
		HOLDS(image_add_command(&m, "x") == 0);
	HOLDS(image_add_command(&m, "x") == -1);
	len = image_encode(&m, buf, sizeof(buf));
	HOLDS(len > 0 && decode(&b, buf, (size_t)len) == 0);
	image_free(&b);
	/* One layer more, and one that is no layer. */
	memcpy(buf + len, "layer=" OTHER " 1", sizeof("layer=" OTHER " 1"));
	HOLDS(decode(&b, buf, (size_t)len + sizeof("layer=" OTHER " 1")) == -1);
	image_free(&b);
	HOLDS(image_add_layer(&m, "../x", 1) == -1);
	HOLDS(image_add_env(&m, "A") == -1 && image_add_env(&m, "=A") == -1);
	image_free(&m);
}

static const struct testcase cases[] = {
	{ "a name has one form, and no path is one", names },
	{ "a layer's name is a digest's or an id's", layers },
	{ "a manifest reads back as it was written, where there is room",
	    back_and_forth },
	{ "a manifest that is cut short is refused or whole", cut_short },
	{ "what is no manifest is refused with the field", refused },
	{ "an image has so many layers, variables and words, and no more",
	    bounds },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
