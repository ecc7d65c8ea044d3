#pragma once

/* The clock of the benchmarks' programs, which stand alone. */

#include <time.h>

/* CLOCK_MONOTONIC, in microseconds and parts of one. */
static inline double
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}
