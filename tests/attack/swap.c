/*
 * Outside helper: exchanges two names without end, for races against whoever
 * resolves one of them. argv: the names.
 */
#include <fcntl.h>
#include <stdio.h>

int
main(int argc, char *argv[])
{
	if (argc != 3)
		return 2;
	for (;;)
		if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2],
			RENAME_EXCHANGE) == -1) {
			perror("renameat2");
			return 1;
		}
}
