/*
 * X8: what there is once for the whole machine, and is counted for no user:
 * contexts of asynchronous input and output, huge pages, terminals.
 */
#include "attack.h"

#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define SIZE (4UL << 20)
#define SHIFT 26 /* where the logarithm of the size stands in flags */

/* As many events as a whole machine may have, by default, in one call. */
static void
contexts(void)
{
	static unsigned long context;
	static char event[64];

	refused(syscall(SYS_io_setup, 30000, &context), "io_setup");
	refused(syscall(SYS_io_submit, context, 0, NULL), "io_submit");
	refused(syscall(SYS_io_getevents, context, 0, 0, event, NULL),
	    "io_getevents");
	refused(syscall(SYS_io_destroy, context), "io_destroy");
}

/* Without a reservation it would succeed where there is no page left, too. */
static void
map(uint64_t flags, const char *what)
{
	refused(syscall(SYS_mmap, NULL, SIZE, PROT_READ | PROT_WRITE,
		    flags | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
	    "map %s", what);
}

static void
huge_pages(void)
{
	map(MAP_HUGETLB, "huge pages");
	map(MAP_HUGETLB | 21 << SHIFT, "pages of 2 MB");
	map(MAP_HUGETLB | UINT64_C(30) << SHIFT, "pages of 1 GB");
	map(HIGH(MAP_HUGETLB), "huge pages and a high bit");
	refused(syscall(SYS_memfd_create, "x", MFD_HUGETLB), "memfd of them");
	refused(syscall(SYS_memfd_create, "x", MFD_HUGETLB | 21U << SHIFT),
	    "memfd of 2 MB");
	refused(syscall(SYS_memfd_create, "x", HIGH(MFD_HUGETLB)),
	    "memfd and a high bit");
	refused(shmget(IPC_PRIVATE, SIZE, IPC_CREAT | SHM_HUGETLB | 0600),
	    "segment of them");
}

static void
terminals(void)
{
	int n = 0;

	while (open("/dev/ptmx", O_RDWR | O_NOCTTY) >= 0)
		n++;
	printf("%d terminals, then %s\n", n, outcome(errno));
}

int
main(void)
{
	contexts();
	huge_pages();
	terminals();
	return verdict();
}
