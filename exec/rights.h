#ifndef EXEC_RIGHTS_H
#define EXEC_RIGHTS_H

#include <sys/types.h>
#include <sys/uio.h>

#include <stddef.h>

/* Messages with descriptors: SCM_RIGHTS of unix(7). */
#define RIGHTS_MAX 8

/*
 * Sends the message with n descriptors, at most RIGHTS_MAX; flags as for
 * sendmsg(2), whose result it returns. An end that is gone is EPIPE, no signal.
 */
ssize_t rights_send(int sock, const struct iovec *iov, size_t n_iov,
    const int *fds, int n, int flags);

/*
 * Receives one with at most max descriptors, which are the caller's then and
 * are closed on exec; of fds the others are -1. Returns what recvmsg(2) does:
 * EPROTO, and none of the descriptors, for a message that has more of either
 * than there is room for.
 */
ssize_t rights_receive(
    int sock, struct iovec *iov, size_t n_iov, int *fds, int max, int flags);

#endif
