#include "moment.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* "Z" or "+01:30" at the end: seconds east of UTC. */
static int
parse_offset(const char *text, int64_t *ret)
{
	int hours, minutes, used = 0;

	*ret = 0;
	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return 0;
	if ((*text != '+' && *text != '-') || strlen(text) != 6 ||
	    strspn(text + 1, "0123456789") != 2 ||
	    sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 ||
	    used != 5 || hours > 23 || minutes > 59 || minutes < 0)
		return -1;
	*ret = (*text == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
	return 0;
}

int
moment_parse(const char *text, int64_t *ret)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	struct tm tm = { 0 };
	int64_t offset;
	time_t when;
	int month, day, hour;

	for (size_t i = 0; form[i] != '\0'; i++) {
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9'
				   : (text[i] != form[i] &&
					 !(form[i] == 'T' && text[i] == 't')))
			return -1;
	}
	(void)sscanf(text, "%4d-%2d-%2d%*1c%2d:%2d:%2d", &tm.tm_year, &month,
	    &day, &hour, &tm.tm_min, &tm.tm_sec);
	text += sizeof(form) - 1;
	if (*text == '.') {
		size_t n = strspn(text + 1, "0123456789");

		if (n == 0)
			return -1;
		text += 1 + n;
	}
	if (parse_offset(text, &offset) != 0 || tm.tm_min > 59 ||
	    tm.tm_sec > 59)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	tm.tm_hour = hour;
	/* timegm() carries over what does not exist: the 31st of February. */
	when = timegm(&tm);
	if (tm.tm_mday != day || tm.tm_mon != month - 1 || tm.tm_hour != hour ||
	    (int64_t)when < offset)
		return -1;
	*ret = (int64_t)when - offset;
	return 0;
}

const char *
moment_format(int64_t moment, char buf[MOMENT_SIZE])
{
	time_t when = (time_t)moment;
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(buf, MOMENT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		*buf = '\0';
	return buf;
}
