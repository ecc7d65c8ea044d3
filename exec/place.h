#ifndef EXEC_PLACE_H
#define EXEC_PLACE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * Numbered places in a file, each of which is taken by a lock on the byte
 * that has its number. The lock is of the open file description, and so goes
 * with its last holder, however that ends.
 */

/*
 * Takes one of the places 0 to count - 1 with fd, which must have none yet.
 * is_good, or NULL, says of one that is locked at that moment whether it can
 * be used: 1, 0, or -1/errno. 0, or -1/errno: EAGAIN when there was a moment
 * during the call at which all that are good were taken.
 */
int place_take(int fd, uint64_t count,
    int (*is_good)(const void *context, int fd, uint64_t n),
    const void *context, uint64_t *ret_n);

/*
 * A lock that goes with its holder's descriptors is not all: the kernel closes
 * them when the sandbox's PID 1 is killed, and only then ends what that one
 * has started, for which it may have to wait. So it is noted in the file, at
 * an offset, who that process is.
 */
#define PLACE_NOTE 16 /* bytes of a note */
/* before_us: what place_now_us() said before the process was started. 0 or
 * -1/errno. */
int place_note(int fd, uint64_t n, pid_t pid, int64_t before_us);
int64_t place_now_us(void);

/*
 * A pidfd of the process noted, which has ended once the descriptor is
 * readable; or -1/errno: ENOENT when it has ended already, or none was noted,
 * else why that cannot be told.
 */
int place_left(int fd, uint64_t n);

#endif
