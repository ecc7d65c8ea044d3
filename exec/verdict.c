#include "verdict.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char *const reason_names[REASON_MAX] = { "exit", "signal", "time",
	"wall", "memory", "output", "disk", "killed" };

void
verdict_free(struct verdict *v)
{
	free(v->out.data);
	free(v->err.data);
	v->out.data = v->err.data = NULL;
}

const char *
reason_name(enum reason r)
{
	return reason_names[r];
}

int
verdict_exit_code(const struct verdict *v)
{
	switch (v->reason) {
	case REASON_EXIT:
		return v->exit_code;
	case REASON_SIGNAL:
		return EXIT_SIGNALLED + v->signal;
	case REASON_KILLED:
		return EXIT_SIGNALLED +
		       (v->stopped_by != 0 ? v->stopped_by : v->signal);
	default:
		return EXIT_LIMIT;
	}
}

int
kept_add(struct kept *k, const char *data, size_t len)
{
	size_t have = 4096, need = k->len + len;
	char *bigger;

	if (len == 0)
		return 0;
	while (have < k->len)
		have *= 2;
	if (k->data == NULL || need > have) {
		while (have < need)
			have *= 2;
		bigger = realloc(k->data, have);
		if (bigger == NULL)
			return -1;
		k->data = bigger;
	}
	memcpy(k->data + k->len, data, len);
	k->len = need;
	return 0;
}

void
verdict_exceed(struct verdict *v, enum reason reason)
{
	if (v->reason != REASON_EXIT && v->reason != REASON_SIGNAL)
		return;
	v->reason = reason;
	v->exit_code = -1;
	v->signal = SIGKILL;
}
