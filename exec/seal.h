#ifndef EXEC_SEAL_H
#define EXEC_SEAL_H

/*
 * Where this program's file belongs to the ordinary user who calls it, what
 * runs inside as that user could write to it through /proc/self/exe
 * (CVE-2019-5736). Then it starts itself anew from a sealed copy in memory.
 * Returns when nothing needs to be done; -1/errno when it cannot be.
 */
int seal_self(char **argv);

#endif
