/*
 * C1: fork bombs, thread bombs, vfork and zombies.
 *
 * argv: fork | thread | vfork | zombie | uids: as many as can be had, counted.
 *       bomb | threadbomb | zombiebomb: until it is ended.
 */
#include "attack.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Above every limit that the tests set, and no more than a machine bears on
 * which the limit does not hold: nothing here goes beyond this, bombs included.
 */
#define MANY 300

static int *shared;

static void *
sleeper(void *arg)
{
	pause();
	return arg;
}

/* Children that stay; the errno that ended it is printed. */
static int
forks(int most)
{
	int n, pid;

	for (n = 0; n < most; n++) {
		pid = fork();
		if (pid == 0)
			for (;;)
				pause();
		if (pid == -1)
			break;
	}
	return n;
}

static int
threads(void)
{
	pthread_attr_t attr;
	pthread_t t;
	int n, error = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (n = 0; n < MANY && error == 0; n++)
		error = pthread_create(&t, &attr, sleeper, NULL);
	errno = error;
	return n - (error != 0);
}

static int
zombies(void)
{
	int n, pid = 0;

	for (n = 0; n < MANY && pid != -1; n++) {
		pid = fork();
		if (pid == 0)
			_exit(0);
	}
	return n - (pid == -1);
}

/* Each parent stays suspended until its child ends, all the way down. */
static void
vforks(void)
{
	int pid;

	for (;;) {
		pid = vfork();
		if (pid != 0 || *shared >= MANY)
			break;
		__atomic_fetch_add(shared, 1, __ATOMIC_SEQ_CST);
	}
	_exit(0);
}

/* A limit that counts by user id is stretched by taking many of them. */
static int
uids(void)
{
	int n = 0, pid;

	for (int id = 1; id <= 8; id++) {
		pid = fork();
		if (pid == 0) {
			if (setgid(id) == -1 || setuid(id) == -1)
				_exit(0);
			__atomic_fetch_add(
			    shared, forks(MANY / 8), __ATOMIC_SEQ_CST);
			for (;;)
				pause();
		}
		if (pid == -1)
			break;
		n++;
		usleep(20000);
	}
	return n + *shared;
}

/* Whoever starts somebody takes one of MANY places, which are never free
 * again; where the limit holds they last, since forks that fail take none. */
static int
take_place(void)
{
	if (__atomic_add_fetch(shared, 1, __ATOMIC_SEQ_CST) <= MANY)
		return 1;
	usleep(1000);
	return 0;
}

static void
bomb(const char *how)
{
	pthread_t t;
	int pid;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
	if (strcmp(how, "zombiebomb") == 0)
		signal(SIGCHLD, SIG_DFL);
	for (;;) {
		if (!take_place())
			continue;
		if (strcmp(how, "threadbomb") == 0)
			pid = pthread_create(&t, NULL, sleeper, NULL) == 0 ? 1
									   : -1;
		else
			pid = fork();
		if (pid == -1)
			__atomic_sub_fetch(shared, 1, __ATOMIC_SEQ_CST);
		if (pid == 0 && strcmp(how, "zombiebomb") == 0)
			_exit(0);
		if (pid == 0)
			setsid();
	}
}

int
main(int argc, char *argv[])
{
	const char *how = argc > 1 ? argv[1] : "";
	int n = 0;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (strcmp(how, "fork") == 0)
		n = forks(MANY);
	else if (strcmp(how, "thread") == 0)
		n = threads();
	else if (strcmp(how, "zombie") == 0)
		n = zombies();
	else if (strcmp(how, "uids") == 0)
		n = uids();
	else if (strcmp(how, "vfork") == 0) {
		if (fork() == 0)
			vforks();
		wait(NULL);
		n = *shared + 1;
		errno = EAGAIN;
	} else
		bomb(how);
	printf("%d %s\n", n, outcome(errno));
	return n >= MANY;
}
