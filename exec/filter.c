#include "filter.h"

#include <sys/syscall.h>

#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "filter_bpf.h"

#define PROGRAM(code) code, sizeof(code) / sizeof((code)[0])

/*
 * All programs are asked at every call, and the strictest answer counts; among
 * errnos that of the program loaded last. So the extras stand behind the one
 * for every command: without sockets, each family answers alike.
 */
static const struct {
	unsigned extra; /* 0: loaded for every command */
	const struct sock_filter *code;
	unsigned short length;
} programs[] = {
	{ 0, PROGRAM(filter_allow) },
	{ FILTER_NOSUID, PROGRAM(filter_nosuid) },
	{ FILTER_NOSOCKET, PROGRAM(filter_nosocket) },
	{ FILTER_SAMPLED, PROGRAM(filter_sampled) },
};

static int
load(unsigned extra, bool base)
{
#ifdef MUTATE_FILTER
	return 0;
#endif
#ifdef MUTATE_FILTER_NOSUID
	extra &= ~(unsigned)FILTER_NOSUID;
#endif
#ifdef MUTATE_FILTER_SAMPLED
	extra &= ~(unsigned)FILTER_SAMPLED;
#endif
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct sock_fprog program = {
			.len = programs[i].length,
			.filter = (struct sock_filter *)programs[i].code,
		};

		if ((programs[i].extra == 0
			    ? base
			    : (programs[i].extra & extra) != 0) &&
		    syscall(
			SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
			return -1;
	}
	return 0;
}

int
filter_load(unsigned extra)
{
	return load(extra, true);
}

int
filter_add(unsigned extra)
{
	return load(extra, false);
}
