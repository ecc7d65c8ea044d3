#include "verdict.h"

#include <stdlib.h>

static const char *const reason_names[REASON_MAX] = { "exit", "signal", "time",
	"wall", "memory", "output", "killed" };

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
