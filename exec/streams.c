#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int
streams_pipe(bool input, int *ret_theirs, int *ret_ours)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	*ret_theirs = fds[input ? 0 : 1];
	*ret_ours = fds[input ? 1 : 0];
	return fcntl(*ret_ours, F_SETFL, O_NONBLOCK);
}

static int
open_stream(struct box *b, int i, struct ends *e)
{
	const struct stream *s[] = { &b->plan->in, &b->plan->out,
		&b->plan->err };

	if (s[i]->direct)
		e->theirs = s[i]->fd;
	else if (streams_pipe(i == 0, &e->theirs, &e->ours) != 0)
		return failure_set(b->failure, "streams", errno, "pipe");
	/* The command may open it anew, as /dev/stdout. */
	if (b->ids.mode == IDS_LEASED &&
	    fchown(e->theirs, ids_builder_uid(&b->ids, b->plan, b->plan->uid),
		ids_builder_gid(&b->ids, b->plan, b->plan->gid)) != 0)
		return errno == EINVAL ? ids_unmapped(&b->ids, b->failure)
				       : failure_set(b->failure, "streams",
					     errno, "fchown");
	return 0;
}

int
streams_open(struct box *b, struct ends e[3])
{
	for (int i = 0; i < 3; i++) {
		e[i].ours = e[i].theirs = -1;
		if (!b->plan->tty && open_stream(b, i, &e[i]) != 0)
			return -1;
	}
	return 0;
}

void
streams_connect(struct box *b, const struct ends e[3])
{
	const struct stream *s[] = { &b->plan->out, &b->plan->err };
	struct kept *kept[] = { &b->verdict->out, &b->verdict->err };
	struct relay *in = &b->relays[0];

	for (int i = 0; i < 3; i++) {
		if (e[i].theirs >= 0)
			(void)close(e[i].theirs);
	}
	/* A terminal is connected when there is one: take_terminal(). */
	if (b->plan->tty)
		return;
	if (!b->plan->in.direct) {
		in->from = b->plan->in.fd;
		in->to = e[0].ours;
		in->to_is_ours = true;
		if (in->from < 0)
			relay_close(in);
	}
	for (int i = 0; i < 2; i++) {
		struct relay *r = &b->relays[i + 1];

		if (s[i]->direct)
			continue;
		r->from = e[i + 1].ours;
		r->owns_from = true;
		r->kept = kept[i];
		r->keeps = s[i]->keep;
		r->whole = s[i]->whole;
		r->limit = limits_output(&b->plan->limits, r->keeps);
		if (!r->keeps && s[i]->fd >= 0)
			relay_to_shared(r, s[i]->fd);
	}
}
