#ifndef ACTIVATOR_CONNECTION_H
#define ACTIVATOR_CONNECTION_H

/*
 * Serves the one request of a connection, in two processes: this one becomes
 * the broker, and starts the front, which alone reads from the socket. Takes
 * the socket over. The process is of no use afterwards but to end with what
 * this returns.
 */
int connection_serve(int sock);

/*
 * Gets all of it ready before there is a connection: the front, and a sandbox
 * for a run that says nothing of how it shall be. Then it says one byte over
 * channel, and waits for the connection, which comes over both channels to
 * both processes (handover.h). Ends where the other ends of them do.
 */
int connection_await(int channel, int front_channel);

/* Where there can be no process for it: answers so, and waits for nothing. */
void connection_refuse(int sock);

/*
 * Logs that a process of a connection's, who, was killed, where its status of
 * wait(2) says so.
 */
void connection_bury(const char *who, int status);

#endif
