#ifndef ACTIVATOR_FOLLOW_H
#define ACTIVATOR_FOLLOW_H

#include "http.h"
#include "message.h"
#include "reply.h"

/*
 * The front's part of a pull that is streamed, from the broker's
 * MESSAGE_STARTED to the last event. 0, or -1 when the client has gone.
 */
int follow(
    struct reply *r, int link, enum http_accept accept, struct packet *started);

#endif
