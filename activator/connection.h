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
 * Logs that a process of a connection's, who, was killed, where its status of
 * wait(2) says so.
 */
void connection_bury(const char *who, int status);

#endif
