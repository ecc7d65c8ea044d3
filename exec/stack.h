#ifndef EXEC_STACK_H
#define EXEC_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "session.h"
#include "state.h"

/*
 * The layers below a session's `upper`, and how that becomes one of them: then
 * nothing writes in it any more, and others can stand on it as well.
 *
 * The order is such that a crash loses nothing. First the session's manifest,
 * the file `image`, names the new layer; then `upper` is renamed to be it; then
 * there is a new `upper`, which comes to be by a rename as well. So where the
 * manifest's last layer does not exist, it still is `upper`, and is left out;
 * and a session without an `upper` gets an empty one. Whoever opens a session
 * puts that right first, and so does the reaper.
 */

/* More are refused; the reaper makes one of them long before. */
#define STACK_MAX 100

/* How far the reaper lets the layers of runs pile up. */
#define STACK_HIGH 16

/*
 * Reads the manifest of a session, which is open and locked, into s->base,
 * and puts right what a crash has left; NULL where there is none. 0 or -1/f.
 */
int stack_read(const struct config *c, struct session *s, struct failure *f);

/*
 * What runs have written since becomes a layer of s->base, if that is
 * anything. The layers are the caller's to hold: images_hold(). *ret_size is
 * of all that runs have written, in KB, and *ret_counted whether that is no
 * estimate.
 */
enum session_result
stack_push(const struct config *c, const struct state *st, struct session *s,
    uint64_t *ret_size, bool *ret_counted, struct failure *f);

/*
 * Gives the directory `name` in dir the owner, mode, attributes and times of
 * what is open at from (O_PATH will do): the root of a session is its
 * `upper`. 0 or -1/errno.
 */
int
stack_copy_root(const struct config *c, int from, int dir, const char *name);

/* Has root the attributes that below has? -1 for below: has it none? */
bool stack_is_like(int root, int below);

/* The same of two directories, with the caller's rights. 0 or errno's value. */
int stack_copy_attributes(int from, int to);

/*
 * Makes the directory layers/id/ID one that the caller can open: an ordinary
 * user's run can give its root to another id. 0 or -1/errno.
 */
int stack_reach(const struct config *c, const struct state *st, const char *id);

/* The layer's directory, with O_PATH. -1/errno. */
int stack_open_layer(const struct state *st, const char *layer);

/*
 * For the reaper: puts right what crashes have left in sessions that nobody
 * runs in. problem is told of what cannot be. With dry nothing is done.
 */
void stack_repair(const struct config *c, const struct state *st, bool dry,
    void (*problem)(const char *name, int error));

#endif
