/*
 * A13: keyrings, which no namespace separates.
 */
#include "attack.h"

#include <sys/syscall.h>

#include <linux/keyctl.h>
#include <unistd.h>

static const struct command {
	const char *name;
	int number;
} commands[] = {
	{ "GET_KEYRING_ID", KEYCTL_GET_KEYRING_ID },
	{ "JOIN_SESSION_KEYRING", KEYCTL_JOIN_SESSION_KEYRING },
	{ "DESCRIBE", KEYCTL_DESCRIBE },
	{ "SEARCH", KEYCTL_SEARCH },
	{ "READ", KEYCTL_READ },
	{ "GET_PERSISTENT", KEYCTL_GET_PERSISTENT },
	{ "CAPABILITIES", KEYCTL_CAPABILITIES },
};

int
main(void)
{
	int ring = KEY_SPEC_USER_KEYRING;

	refused(
	    syscall(SYS_add_key, "user", "mayfly", "x", 1, ring), "add_key");
	refused(syscall(SYS_request_key, "user", "mayfly", NULL, ring),
	    "request_key");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		refused(syscall(SYS_keyctl, commands[i].number, ring, 0, 0, 0),
		    "keyctl %s", commands[i].name);
	refused(syscall(SYS_keyctl, HIGH(KEYCTL_GET_KEYRING_ID), ring, 1),
	    "keyctl GET_KEYRING_ID + 1<<32");
	return verdict();
}
