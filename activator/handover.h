#ifndef ACTIVATOR_HANDOVER_H
#define ACTIVATOR_HANDOVER_H

/*
 * How a connection gets to the processes that wait for one: its descriptor
 * goes over a socket pair, once, and nothing else does.
 */

/* 0 or -1/errno, without waiting: EPIPE where nobody is there any more. */
int handover_send(int channel, int sock);

/*
 * Waits for it: a new descriptor with the lowest free number, or -1 where
 * there will be none.
 */
int handover_receive(int channel);

#endif
