/* Moments as text, and where a stream of text may be cut. */
#include "moment.h"

#include "stream.h"
#include "unit.h"

static void
good_moments(void)
{
	static const struct {
		const char *text;
		int64_t moment;
	} all[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2030-01-31T12:00:00Z", 1896091200 },
		{ "2030-01-31t12:00:00z", 1896091200 },
		{ "2030-01-31T12:00:00.999Z", 1896091200 },
		{ "2030-01-31T13:30:00+01:30", 1896091200 },
		{ "2030-01-31T10:30:00-01:30", 1896091200 },
		{ "2028-02-29T00:00:00Z", 1835395200 },
		{ "9999-12-31T23:59:59Z", 253402300799 },
	};
	char buf[MOMENT_SIZE];
	int64_t m;

	for (size_t i = 0; i < LENGTH(all); i++) {
		m = -1;
		expect_number(moment_parse(all[i].text, &m), 0, all[i].text);
		expect_number(m, all[i].moment, all[i].text);
	}
	expect_text(moment_format(1896091200, buf), "2030-01-31T12:00:00Z",
	    "the other way");
	expect_text(moment_format(0, buf), "1970-01-01T00:00:00Z", "zero");
}

static void
bad_moments(void)
{
	static const char *const all[] = { "", "2030", "2030-01-31",
		"2030-01-31T12:00:00", "2030-01-31 12:00:00Z",
		"2030-02-30T12:00:00Z", "2030-13-01T12:00:00Z",
		"2030-00-01T12:00:00Z", "2030-01-31T24:00:00Z",
		"2030-01-31T12:60:00Z", "2030-01-31T12:00:60Z",
		"2030-01-31T12:00:00.Z", "2030-01-31T12:00:00+1:30",
		"2030-01-31T12:00:00+24:00", "2030-01-31T12:00:00+01:60",
		"2030-01-31T12:00:00Z ", "2030-01-31T12:00:00ZZ",
		"+030-01-31T12:00:00Z", "2030-1-31T12:00:00Z",
		"1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01", "now" };
	int64_t m;

	for (size_t i = 0; i < LENGTH(all); i++)
		expect_number(moment_parse(all[i], &m), -1, all[i]);
}

/* Every text of every length: what is held back is a beginning, no more. */
static void
tails(void)
{
	static const struct {
		const char *text;
		size_t tail;
	} all[] = { { "", 0 }, { "a", 0 }, { "\xc3", 1 }, { "\xc3\xa9", 0 },
		{ "a\xe2", 1 }, { "a\xe2\x82", 2 }, { "a\xe2\x82\xac", 0 },
		{ "\xf0", 1 }, { "\xf0\x9f", 2 }, { "\xf0\x9f\x98", 3 },
		{ "\xf0\x9f\x98\x80", 0 }, { "\x80", 0 }, { "\x80\x80", 0 },
		{ "\xc0", 0 }, { "\xc1", 0 }, { "\xf5", 0 }, { "\xff", 0 },
		{ "\xe0", 1 }, { "\xe0\x80", 0 }, { "\xe0\xa0", 2 },
		{ "\xed\xa0", 0 }, { "\xed\x9f", 2 }, { "\xf4\x90", 0 },
		{ "\xf4\x8f", 2 }, { "\xf0\x80", 0 }, { "\xe2\x28", 0 },
		{ "\xf0\x9f\x28", 0 }, { "\xe2\x82\xac\xe2\x82", 2 } };

	for (size_t i = 0; i < LENGTH(all); i++)
		expect_number(
		    (int64_t)stream_tail(all[i].text, strlen(all[i].text)),
		    (int64_t)all[i].tail, all[i].text);
}

static const struct testcase cases[] = {
	{ "a moment of RFC 3339 is read and written", good_moments },
	{ "what is no moment is refused", bad_moments },
	{ "a stream is never cut within a character", tails },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
