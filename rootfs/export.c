#include "make.h"

int
make_export(
    const struct config *c, const char *name, const char *to, struct failure *f)
{
	(void)c;
	(void)name;
	(void)to;
	return failure_set(f, "usage", 0, "export is not there yet");
}
