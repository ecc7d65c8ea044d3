#ifndef ACTIVATOR_CARRY_H
#define ACTIVATOR_CARRY_H

#include "http.h"
#include "message.h"
#include "reply.h"
#include "request.h"

/*
 * The front's part of a run, from the broker's MESSAGE_STARTED to the
 * response: carries the input in, the output out, and answers. 0, or -1 when
 * the client has gone.
 */
int carry(struct reply *r, int link, const struct body *b,
    enum http_accept accept, struct packet *started, struct note *note);

#endif
