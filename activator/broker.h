#ifndef ACTIVATOR_BROKER_H
#define ACTIVATOR_BROKER_H

#include <sys/types.h>

#include "auth.h"
#include "config.h"
#include "errors.h"
#include "json.h"
#include "message.h"
#include "prepared.h"
#include "session.h"

/* One request, as the process sees it that may do something. */
struct broker {
	int link; /* to the front */
	const struct config *config;
	struct prepared *prepared; /* or NULL */
	struct peer peer;
	struct caller caller;
	struct identity who;
	struct request request;
	const char *owner; /* whose sessions are seen; NULL: all */
	char request_id[SESSION_ID_LEN + 1];

	/* For the log: */
	char because[256]; /* of a refusal, in more words than the client's */
	struct verdict verdict;
	bool has_verdict;
	bool allowed; /* the caller may ask for something */
	bool refused; /* and may not have read so yet */
	bool goes_on; /* with a pull, after the answer */
};

/*
 * Serves the front at link. wrong: what is wrong with the configuration, or
 * NULL. Logs one line.
 */
void broker_serve(struct broker *b, const char *wrong);

/*
 * Sends the front what it waits for. If that cannot be done the front, and
 * with it the client, hears that there will be nothing.
 */
void broker_tell(struct broker *b, enum message type, const void *body);

/* Answers with an error; message is a sentence. */
void broker_refuse(struct broker *b, enum error error, const char *message);

/* Answers with the JSON, which is finished and freed; NULL for none. */
void broker_answer(struct broker *b, int status, struct json *j);

/* Answers what a session's function said; false where it was SESSION_OK. */
bool broker_refuse_session(
    struct broker *b, enum session_result r, const struct failure *f);

/*
 * Answers a failure of the sandbox: the step is named and no path of the
 * host's; where the request was wrong, what of it.
 */
void broker_refuse_failure(struct broker *b, const struct failure *f);

/* broker_run.c: POST /run and /sessions/ID/run. */
void broker_run(struct broker *b);

/* broker_session.c: the other ones of /sessions. */
void broker_session(struct broker *b);

/* broker_image.c: /images; broker_pull.c: POST there, by an admin. */
void broker_image(struct broker *b);
void broker_pull(struct broker *b);

/* Answers what is known of an image; with a type it is an event. */
void broker_answer_image(
    struct broker *b, int status, const char *type, const char *name);

/*
 * What has been accepted, and goes on when the client has its answer. Logs one
 * line when it has ended.
 */
void broker_finish(struct broker *b);

/* broker_snapshot.c: /snapshots, and what is made of sessions. */
void broker_snapshot(struct broker *b);

#endif
