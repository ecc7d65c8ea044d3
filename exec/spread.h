#ifndef EXEC_SPREAD_H
#define EXEC_SPREAD_H

#include <sys/types.h>

/*
 * Moves the process, which has just been made and has not run yet, to another
 * CPU where one is free. Without effect on what it may run on afterwards.
 */
void spread(pid_t pid);

#endif
