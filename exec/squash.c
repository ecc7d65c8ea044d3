#include "squash.h"
void
squash_all(const struct config *c, const struct state *st, bool dry,
    void (*say)(const char *what, const char *name),
    void (*problem)(const char *name, int error))
{
	(void)c, (void)st, (void)dry, (void)say, (void)problem;
}
