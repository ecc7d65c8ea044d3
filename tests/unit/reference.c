/* Sources of a registry, taken apart as skopeo takes them apart. */
#include "reference.h"

#include "registries.h"
#include "unit.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct reference r;
static char why[200];

static int
parse(const char *text)
{
	return reference_parse(text, &r, why, sizeof(why));
}

/* What is told to skopeo. */
static void
means(const char *text, const char *host, const char *whole)
{
	char again[REFERENCE_MAX + 300];

	HOLDS(parse(text) == 0);
	expect_text(r.host, host, text);
	reference_format(&r, again, sizeof(again));
	expect_text(again, whole, text);
	/* It means itself. */
	HOLDS(parse(again) == 0);
	expect_text(r.host, host, again);
}

static void
parts(void)
{
	means("docker://alpine", "docker.io",
	    "docker://docker.io/library/alpine");
	means("docker://alpine:3.20", "docker.io",
	    "docker://docker.io/library/alpine:3.20");
	means("docker://some/alpine", "docker.io",
	    "docker://docker.io/some/alpine");
	means("docker://docker.io/alpine", "docker.io",
	    "docker://docker.io/library/alpine");
	means("docker://index.docker.io/a/b", "docker.io",
	    "docker://docker.io/a/b");
	means("docker://localhost/a", "localhost", "docker://localhost/a");
	means("docker://localhost:5000/a", "localhost:5000",
	    "docker://localhost:5000/a");
	/* Without a path that is one of the hub's, with a tag. */
	means("docker://localhost:5000", "docker.io",
	    "docker://docker.io/library/localhost:5000");
	means("docker://127.0.0.1:5000/a/b-c.d_e__f---g/h:T_1.x-y",
	    "127.0.0.1:5000",
	    "docker://127.0.0.1:5000/a/b-c.d_e__f---g/h:T_1.x-y");
	means("docker://r.example/a@sha256:" HEX, "r.example",
	    "docker://r.example/a@sha256:" HEX);
	means("docker://R.example/a", "R.example", "docker://R.example/a");
}

static void
others(void)
{
	static const char *const wrong[] = { "", "docker://", "docker:///a",
		"docker://a/", "docker://a//b", "docker:a", "Docker://a",
		"oci:a", "docker://r.example/", "docker://r.example:/a",
		"docker://r.example:x/a", "docker://r.example:123456/a",
		"docker://-r.example/a", "docker://r.example-/a",
		"docker://.example/a", "docker://r.example@evil/a",
		"docker://u:p@r.example/a", "docker://u@r.example/a",
		"docker://[::1]/a", "docker://[::1]:5000/a",
		"docker://r.example/A", "docker://r.example/a.",
		"docker://r.example/.a", "docker://r.example/a..b",
		"docker://r.example/a___b", "docker://r.example/a._b",
		"docker://r.example/..", "docker://r.example/../a",
		"docker://r.example/a/..", "docker://r.example/a b",
		"docker://r.example/a\n", "docker://r.example/a?b",
		"docker://r.example/a%2fb",
		"docker://r.example/a:", "docker://r.example/a:.b",
		"docker://r.example/a:-b", "docker://r.example/a:b:c",
		"docker://r.example/a:b/c",
		"docker://r.example/a:b@sha256:" HEX,
		"docker://r.example/a@sha256:" HEX "0",
		"docker://r.example/a@sha256:0", "docker://r.example/a@",
		"docker://r.example/a@sha512:" HEX,
		"docker://r.example/a@sha256:" HEX ":b", "docker://\x80/a",
		"docker://r.example/\xc3\xa9", "docker://U.example:1/-o" };

	for (size_t i = 0; i < LENGTH(wrong); i++) {
		if (parse(wrong[i]) == 0)
			expect_text("taken", "refused", wrong[i]);
		HOLDS(*why != '\0');
	}
}

static void
lengths(void)
{
	char text[REFERENCE_MAX + 2] = "docker://r.example/";

	memset(text + strlen(text), 'a', sizeof(text) - strlen(text) - 1);
	HOLDS(strlen(text) == REFERENCE_MAX + 1 && parse(text) == -1);
	text[REFERENCE_MAX] = '\0';
	HOLDS(parse(text) == 0);
	(void)strcpy(text, "docker://");
	memset(text + 9, 'h', 300);
	(void)strcpy(text + 9 + 260, ".e/a");
	HOLDS(parse(text) == -1);
	(void)strcpy(text, "docker://r.example/a:");
	memset(text + 21, 't', 129);
	text[21 + 129] = '\0';
	HOLDS(parse(text) == -1);
	text[21 + 128] = '\0';
	HOLDS(parse(text) == 0 && strlen(r.tag) == 128);
}

static void
listed(void)
{
	static const char list[] = "docker.io, r.example:5000\thttp://plain "
				   "http://plain:80,last";
	bool plain = true;

	HOLDS(registries_have(list, "docker.io", &plain) && !plain);
	HOLDS(registries_have(list, "r.example:5000", &plain) && !plain);
	HOLDS(registries_have(list, "plain", &plain) && plain);
	HOLDS(registries_have(list, "plain:80", &plain) && plain);
	HOLDS(registries_have(list, "last", &plain) && !plain);
	HOLDS(!registries_have(list, "r.example", &plain));
	HOLDS(!registries_have(list, "r.example:500", &plain));
	HOLDS(!registries_have(list, "r.example:50000", &plain));
	HOLDS(!registries_have(list, "x.r.example:5000", &plain));
	HOLDS(!registries_have(list, "Docker.io", &plain));
	HOLDS(!registries_have(list, "docker.io,", &plain));
	HOLDS(!registries_have(list, "http://plain", &plain));
	HOLDS(!registries_have(list, "", &plain));
	HOLDS(!registries_have("", "docker.io", &plain));
	HOLDS(!registries_have(" , ", "", &plain));
	HOLDS(registries_check(list, why, sizeof(why)) == 0);
	HOLDS(registries_check("", why, sizeof(why)) == 0);
	HOLDS(registries_check("a, http:///x", why, sizeof(why)) == -1);
	HOLDS(registries_check("ftp://a", why, sizeof(why)) == -1);
}

static const struct testcase cases[] = {
	{ "a source is its host, path, tag and digest, and made of them anew",
	    parts },
	{ "what is not exactly a source of a registry is refused", others },
	{ "a source, a host and a tag have a greatest length", lengths },
	{ "a registry is in the list to the letter, or not at all", listed },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
