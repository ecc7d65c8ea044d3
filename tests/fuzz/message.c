/*
 * Any bytes as what the other side of the link says: nothing gets past its
 * bound, and what is understood can be said again in the same bytes.
 */
#include "message.h"

#include <sys/socket.h>

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_list(char *const *list, size_t max)
{
	size_t n = 0;

	for (; list != NULL && list[n] != NULL; n++)
		(void)strlen(list[n]);
	assert(n <= max);
}

static void
check_request(const struct request *q)
{
	check_list(q->command, 65536);
	check_list(q->env, PLAN_ENV_MAX);
	check_list(q->collect, 256);
	assert(q->id == NULL || strlen(q->id) <= SESSION_ID_LEN);
	assert(q->username == NULL || strlen(q->username) <= USERNAME_MAX);
	assert(q->password == NULL || strlen(q->password) <= PASSWORD_MAX);
	assert(q->network < NETWORK_MAX);
	for (int i = 0; i < LIMIT_MAX; i++)
		assert(q->limits[i] == NULL || strlen(q->limits[i]) < 32);
	free(q->command);
	free(q->env);
	free(q->collect);
}

static void
check_verdict(const struct verdict *v)
{
	assert(v->reason < REASON_MAX);
	assert(v->exit_code >= -1 && v->exit_code < 256);
	for (int i = 0; i < LIMIT_MAX; i++)
		assert(v->enforced[i] < ENFORCED_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union {
		struct caller caller;
		struct request request;
		struct answer answer;
		struct verdict verdict;
		struct note note;
	} body;
	struct packet p = { 0 };

	if (size < 1)
		return 0;
	p.type = (enum message)(*data % MESSAGE_MAX);
	p.len = size - 1;
	p.data = malloc(p.len > 0 ? p.len : 1);
	memcpy(p.data, data + 1, p.len);
	memset(&body, 0, sizeof(body));
	if (message_read(&p, &body) == NULL) {
		if (p.type == MESSAGE_REQUEST)
			check_request(&body.request);
		if (p.type == MESSAGE_VERDICT)
			check_verdict(&body.verdict);
		if (p.type == MESSAGE_ERROR || p.type == MESSAGE_PROGRESS)
			assert(body.answer.status <= 599);
	}
	free(p.data);
	return 0;
}
