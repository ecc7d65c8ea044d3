/* Who may call: hosts, tokens and their hashes. */
#include "auth.h"

#include <sys/ptrace.h>

#include <signal.h>

#include "tokens.h"
#include "unit.h"

static void
hashes(void)
{
	static const struct {
		const char *text, *hash;
	} known[] = {
		/* The examples of FIPS 180-4, and the empty text. */
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
		      "7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410"
			 "ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd4"
		    "19db06c1" },
	};
	char hash[SHA256_HEX + 1], *million = malloc(1000000);

	for (size_t i = 0; i < LENGTH(known); i++) {
		sha256_hex(known[i].text, strlen(known[i].text), hash);
		expect_text(hash, known[i].hash, known[i].text);
	}
	memset(million, 'a', 1000000);
	sha256_hex(million, 1000000, hash);
	expect_text(hash,
	    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d"
	    "39ccc7112cd0",
	    "a million a");
}

static void
hosts(void)
{
	static const struct {
		const char *host, *allowed;
		bool is;
	} all[] = {
		{ "localhost", "", true },
		{ "LocalHost:8080", "", true },
		{ "127.0.0.1", "", true },
		{ "127.0.0.1:1", "", true },
		{ "[::1]", "", true },
		{ "[::1]:65535", "", true },
		{ "", "", false },
		{ "localhost.", "", false },
		{ "localhost.evil.com", "", false },
		{ "evil.com", "", false },
		{ "evil.com:80", "", false },
		{ "localhost:80:80", "", false },
		{ "localhost:8o", "", false },
		{ "localhost@evil.com", "", false },
		{ "127.0.0.1.evil.com", "", false },
		{ "127.0.0.2", "", false },
		{ "0.0.0.0", "", false },
		{ "[::2]", "", false },
		{ "[::1", "", false },
		{ "[::1]x", "", false },
		{ "::1", "", false },
		{ "box.example", "box.example", true },
		{ "box.example:8080", "box.example", true },
		{ "BOX.example", "other, box.example", true },
		{ "box.example", "box.example.org", false },
		{ "box.example.org", "box.example", false },
		{ "b", "box", false },
		{ "box.example:81", "box.example:80", false },
		{ "box.example:80", "box.example:80", true },
		{ ",", ", ,", false },
	};

	for (size_t i = 0; i < LENGTH(all); i++)
		expect_number(host_is_allowed(all[i].host, all[i].allowed),
		    all[i].is, all[i].host);
}

#define HASH "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void
tokens_read_well(void)
{
	char text[] = "# who\nfirst " HASH "\n\nsecond.2 " HASH " admin\n",
	     why[200];
	struct tokens t;

	HOLDS(tokens_parse(&t, text, why, sizeof(why)) == 0);
	expect_number((int64_t)t.count, 2, "tokens");
	expect_text(t.all[0].name, "first", "name");
	HOLDS(!t.all[0].admin && t.all[1].admin);
	HOLDS(tokens_find(&t, "abc") != NULL);
	HOLDS(tokens_find(&t, "abd") == NULL);
	HOLDS(tokens_find(&t, "") == NULL);
	HOLDS(tokens_find(&t, HASH) == NULL);
	/* A digest is another one wherever it differs. */
	for (size_t i = 0; i < SHA256_HEX; i++) {
		t.all[0].hash[i] ^= 1;
		HOLDS(tokens_find(&t, "abc") == &t.all[1]);
		t.all[1].hash[i] ^= 1;
		HOLDS(tokens_find(&t, "abc") == NULL);
		t.all[0].hash[i] ^= 1;
		HOLDS(tokens_find(&t, "abc") == &t.all[0]);
		t.all[1].hash[i] ^= 1;
	}
}

static void
tokens_read_ill(void)
{
	static const char *const lines[] = { "name", "name ", "name abc",
		"name " HASH " adm", "name " HASH " admin more", "name  " HASH,
		" name " HASH, "na/me " HASH, "name " HASH "0",
		"name BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61"
		"F20015AD" };
	char text[256], why[200];
	struct tokens t;

	for (size_t i = 0; i < LENGTH(lines); i++) {
		(void)snprintf(text, sizeof(text), "%s\n", lines[i]);
		expect_number(
		    tokens_parse(&t, text, why, sizeof(why)), -1, lines[i]);
		HOLDS(strncmp(why, "line 1:", 7) == 0);
	}
}

/* How many instructions it takes to look for a token; counted one by one. */
static long
instructions(const struct tokens *t, const char *secret)
{
	pid_t pid = fork();
	int status;
	long n = 0;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(1);
		(void)raise(SIGSTOP);
		(void)tokens_find(t, secret);
		(void)raise(SIGSTOP);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		skip("nothing can be traced here");
	do {
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0 ||
		    waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
			skip("nothing can be traced here");
		n++;
	} while (WSTOPSIG(status) != SIGSTOP);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	return n;
}

/* Digests that differ from the right one sooner or later, or not at all. */
static void
constant_time(void)
{
	static const size_t differs[] = { 0, 1, 31, 32, 62, 63 };
	struct token all[3] = { { .name = "a", .hash = HASH } };
	struct tokens t = { all, LENGTH(all) };
	long first = 0, n;

	for (size_t place = 0; place < LENGTH(all); place++) {
		for (size_t i = 0; i < LENGTH(differs); i++) {
			for (size_t k = 0; k < LENGTH(all); k++) {
				memcpy(all[k].hash, HASH, sizeof(HASH));
				all[k].hash[k == place ? differs[i] : 5] ^= 1;
			}
			n = instructions(&t, "abc");
			if (first == 0)
				first = n;
			expect_number(n, first, "instructions");
		}
		/* Found: a step more, or what a sanitizer makes of it. */
		memcpy(all[place].hash, HASH, sizeof(HASH));
		n = instructions(&t, "abc") - first;
		HOLDS(n >= -100 && n <= 100);
	}
	HOLDS(first > 1000);
}

static const struct testcase cases[] = {
	{ "SHA-256 is that of the standard's examples", hashes },
	{ "Host has to be a name that is allowed", hosts },
	{ "tokens are read, and found by their secret alone",
	    tokens_read_well },
	{ "looking for a token takes as many steps whatever is like it",
	    constant_time },
	{ "a line that is no token is refused by its number", tokens_read_ill },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
