/*
 * Outside helper: runs a command on a new terminal of its own, as a login
 * would, copies what the terminal shows to stdout, and says at the end what
 * stands unread in the terminal's input: something pushed by the command.
 */
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static int
child(const char *terminal, char *argv[])
{
	int fd;

	setsid();
	fd = open(terminal, O_RDWR);
	if (fd == -1)
		return 99;
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
	execvp(argv[0], argv);
	perror(argv[0]);
	return 99;
}

static void
copy(int terminal, int pid, int *ret_status)
{
	struct pollfd p = { .fd = terminal, .events = POLLIN };
	char buf[4096];
	ssize_t n;
	int done = 0;

	for (;;) {
		if (poll(&p, 1, done ? 0 : 50) > 0) {
			n = read(terminal, buf, sizeof(buf));
			if (n > 0 && write(1, buf, n) == n)
				continue;
		}
		if (done)
			return;
		done = waitpid(pid, ret_status, WNOHANG) == pid;
	}
}

int
main(int argc, char *argv[])
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY), slave, status, left;
	struct termios tio;
	int pid;

	if (argc < 2 || terminal == -1 || grantpt(terminal) == -1 ||
	    unlockpt(terminal) == -1)
		return 99;
	slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	tcgetattr(slave, &tio);
	tio.c_lflag &= ~(ICANON | ECHO);
	tio.c_oflag &= ~OPOST;
	tcsetattr(slave, TCSANOW, &tio);
	pid = fork();
	if (pid == 0)
		_exit(child(ptsname(terminal), argv + 1));
	copy(terminal, pid, &status);
	if (ioctl(slave, FIONREAD, &left) == -1)
		left = -1;
	printf("unread input of the caller's terminal: %d\n", left);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
