/*
 * bench: what it costs to start commands, side by side.
 *
 *   bench -n ROUNDS [-r LABEL] -- LABEL: COMMAND [; COMMAND]... [LABEL: ...]
 *   bench -s SECONDS -j COUNT [-r LABEL] -- ...
 *
 * The first form gives latency: every entry once a round, in turn. The second
 * gives runs per second with COUNT at once. One line of key=value pairs comes
 * out for each entry. The first entry is the floor, whose median is taken off
 * the others'; ratios are to the entry that -r names.
 *
 * A word that ends in a colon begins an entry, whose commands run in sequence
 * and are timed together. "%w" becomes the number of the worker, for names of
 * sandboxes. "@FILE" before a command names a mount namespace to run it in.
 *
 * Entries take turns because figures taken minutes apart differ more by the
 * machine's mood than by what is measured; the order is shuffled because what a
 * sandbox leaves to the kernel the next in line pays for. An entry that fails
 * once has no figures: nothing is as fast as an error.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define COMMANDS_MAX 4
#define ENTRIES_MAX 32
#define ROUNDS_MAX 10000
#define WARMUP_ROUNDS 3
#define SLICES 2
#define SETTLE_US 100000

struct failure {
	char text[64]; /* empty while every run has succeeded */
};

struct sample {
	double wall_us;
	double cpu_us;
	long rss_kb;
};

struct entry {
	const char *label;
	char **commands[COMMANDS_MAX];
	size_t commands_count;
	int mntns; /* or -1 */
	struct failure failure;
	double wall_us[ROUNDS_MAX];
	double cpu_us[ROUNDS_MAX];
	size_t samples;
	double median_us;
	long rss_kb;
	double rate;
};

/* One worker's account, in memory shared with the parent. */
struct tally {
	size_t runs;
	double elapsed_us;
	struct failure failure;
};

struct bench {
	size_t rounds; /* 0 for throughput */
	size_t workers;
	double seconds;
	const struct entry *reference; /* or NULL */
	struct entry entries[ENTRIES_MAX];
	size_t count;
	int mntns;
	posix_spawn_file_actions_t stdio;
};

/* Returns 0, or -1 with the reason in failure. Adds to sum. */
static int
command_run(char **argv, const posix_spawn_file_actions_t *stdio,
    struct sample *sum, struct failure *failure)
{
	struct rusage ru;
	pid_t pid;
	int error, status;

	error = posix_spawnp(&pid, argv[0], stdio, NULL, argv, environ);
	if (error != 0) {
		snprintf(failure->text, sizeof(failure->text),
		    "cannot start: %s", strerror(error));
		return -1;
	}
	if (wait4(pid, &status, 0, &ru) == -1)
		err(1, "wait4");
	sum->cpu_us += (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1e6;
	sum->cpu_us += (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
	if (ru.ru_maxrss > sum->rss_kb)
		sum->rss_kb = ru.ru_maxrss;
	if (status == 0)
		return 0;
	snprintf(failure->text, sizeof(failure->text),
	    WIFSIGNALED(status) ? "died of signal %d" : "exit status %d",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return -1;
}

/* As command_run; ret_sample is written on success only. */
static int
entry_run(const struct bench *b, const struct entry *e,
    struct sample *ret_sample, struct failure *failure)
{
	struct sample sum = { 0 };
	int result = 0;
	double start;

	if (e->mntns != -1 && setns(e->mntns, CLONE_NEWNS) == -1)
		err(1, "setns");
	start = now_us();
	for (size_t i = 0; i < e->commands_count && result == 0; i++)
		result = command_run(e->commands[i], &b->stdio, &sum, failure);
	sum.wall_us = now_us() - start;
	if (e->mntns != -1 && setns(b->mntns, CLONE_NEWNS) == -1)
		err(1, "setns");
	if (result == 0)
		*ret_sample = sum;
	return result;
}

/* Puts the worker's number in place of "%w". */
static void
entry_number(struct entry *e, size_t worker)
{
	for (size_t i = 0; i < e->commands_count; i++)
		for (char **arg = e->commands[i]; *arg != NULL; arg++) {
			const char *at = strstr(*arg, "%w");

			if (at != NULL &&
			    asprintf(arg, "%.*s%zu%s", (int)(at - *arg), *arg,
				worker, at + 2) == -1)
				err(1, "asprintf");
		}
}

static bool
entry_failed(const struct entry *e)
{
	return e->failure.text[0] != '\0';
}

static int
double_compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The smallest of the values that so many percent of them do not exceed. */
static double
percentile(const double *sorted, size_t n, size_t percent)
{
	size_t rank = (n * percent + 99) / 100;

	return sorted[rank > 0 ? rank - 1 : 0];
}

static void
latency_measure(struct bench *b)
{
	struct entry *order[ENTRIES_MAX], *e;
	struct sample s;

	for (size_t i = 0; i < b->count; i++)
		entry_number(order[i] = &b->entries[i], 0);
	for (size_t r = 0; r < WARMUP_ROUNDS + b->rounds; r++)
		for (size_t i = 0; i < b->count; i++) {
			size_t j = i + (size_t)random() % (b->count - i);

			e = order[j];
			order[j] = order[i];
			order[i] = e;
			if (entry_failed(e) ||
			    entry_run(b, e, &s, &e->failure) == -1 ||
			    r < WARMUP_ROUNDS)
				continue;
			e->wall_us[e->samples] = s.wall_us;
			e->cpu_us[e->samples++] = s.cpu_us;
			if (s.rss_kb > e->rss_kb)
				e->rss_kb = s.rss_kb;
		}
	for (size_t i = 0; i < b->count; i++) {
		e = &b->entries[i];
		qsort(e->wall_us, e->samples, sizeof(double), double_compare);
		qsort(e->cpu_us, e->samples, sizeof(double), double_compare);
		e->median_us = percentile(e->wall_us, e->samples, 50);
	}
}

static void
worker_run(
    const struct bench *b, struct entry *e, size_t worker, struct tally *tally)
{
	struct sample ignored;
	double start;

	entry_number(e, worker);
	start = now_us();
	do {
		if (entry_run(b, e, &ignored, &tally->failure) == -1)
			_exit(1);
		tally->runs++;
		tally->elapsed_us = now_us() - start;
	} while (tally->elapsed_us < b->seconds / SLICES * 1e6);
	tally->failure.text[0] = '\0';
	_exit(0);
}

/*
 * Runs per second. Each worker's rate counts up to the end of its own last
 * run, so that none is charged for waiting until the slowest has finished.
 */
static double
slice_measure(struct bench *b, struct entry *e)
{
	size_t size = b->workers * sizeof(struct tally);
	struct tally *tallies = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double rate = 0;

	if (tallies == MAP_FAILED)
		err(1, "mmap");
	for (size_t w = 0; w < b->workers; w++) {
		tallies[w].failure = (struct failure){ "the worker died" };
		if (fork() == 0)
			worker_run(b, e, w, &tallies[w]);
	}
	while (wait(NULL) != -1)
		;
	for (size_t w = 0; w < b->workers; w++)
		if (tallies[w].failure.text[0] != '\0')
			e->failure = tallies[w].failure;
		else
			rate += (double)tallies[w].runs /
				tallies[w].elapsed_us * 1e6;
	munmap(tallies, size);
	return rate;
}

static void
throughput_measure(struct bench *b)
{
	for (size_t s = 0; s < SLICES; s++)
		for (size_t i = 0; i < b->count; i++) {
			size_t at = s % 2 == 0 ? i : b->count - 1 - i;
			struct entry *e = &b->entries[at];

			if (entry_failed(e))
				continue;
			/* The kernel is still freeing the last one's. */
			usleep(SETTLE_US);
			e->rate += slice_measure(b, e) / SLICES;
		}
}

static void
entry_print(const struct bench *b, const struct entry *e)
{
	const struct entry *floor = &b->entries[0], *r = b->reference;

	printf(
	    "%s label=%s ", b->rounds > 0 ? "latency" : "throughput", e->label);
	if (entry_failed(e)) {
		printf("failed=%s", e->failure.text);
	} else if (b->rounds == 0) {
		printf("at_once=%zu runs_per_s=%.1f", b->workers, e->rate);
		if (r != NULL)
			printf(" ratio=%.3f", e->rate / r->rate);
	} else {
		printf("rounds=%zu median_us=%.1f p10_us=%.1f p99_us=%.1f"
		       " cpu_us=%.0f maxrss_kb=%ld",
		    e->samples, e->median_us,
		    percentile(e->wall_us, e->samples, 10),
		    percentile(e->wall_us, e->samples, 99),
		    percentile(e->cpu_us, e->samples, 50), e->rss_kb);
		if (e != floor && !entry_failed(floor))
			printf(" overhead_us=%.1f",
			    e->median_us - floor->median_us);
		if (e != floor && !entry_failed(floor) && r != NULL)
			printf(" ratio=%.3f",
			    (e->median_us - floor->median_us) /
				(r->median_us - floor->median_us));
	}
	printf("\n");
}

/* Cuts the list of words into argument vectors where it stands. */
static void
entries_parse(struct bench *b, char **words)
{
	struct entry *e = NULL;

	for (char **w = words; *w != NULL; w++) {
		size_t len = strlen(*w);

		if (len > 1 && (*w)[len - 1] == ':') {
			if (b->count == ENTRIES_MAX)
				errx(64, "more than %d entries", ENTRIES_MAX);
			e = &b->entries[b->count++];
			(*w)[len - 1] = '\0';
			e->label = *w;
			e->mntns = -1;
			*w = NULL;
		} else if (e == NULL) {
			errx(64, "'%s' is not a label", *w);
		} else if (strcmp(*w, ";") == 0) {
			*w = NULL;
		} else if (**w == '@' && e->commands_count == 0) {
			e->mntns = open(*w + 1, O_RDONLY | O_CLOEXEC);
			if (e->mntns == -1)
				err(1, "%s", *w + 1);
			*w = NULL;
		} else if (w[-1] == NULL) {
			if (e->commands_count == COMMANDS_MAX)
				errx(64, "%s: too many commands", e->label);
			e->commands[e->commands_count++] = w;
		}
	}
}

static void
bench_prepare(struct bench *b)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null == -1 || posix_spawn_file_actions_init(&b->stdio) != 0)
		err(1, "/dev/null");
	for (int fd = 0; fd < 3; fd++)
		posix_spawn_file_actions_adddup2(&b->stdio, null, fd);
	b->mntns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
}

int
main(int argc, char **argv)
{
	static struct bench b;
	const char *reference = "";
	int c;

	while ((c = getopt(argc, argv, "j:n:r:s:")) != -1)
		switch (c) {
		case 'j':
			b.workers = strtoul(optarg, NULL, 10);
			break;
		case 'n':
			b.rounds = strtoul(optarg, NULL, 10);
			break;
		case 'r':
			reference = optarg;
			break;
		case 's':
			b.seconds = strtod(optarg, NULL);
			break;
		default:
			return 64;
		}
	entries_parse(&b, argv + optind);
	if (b.rounds > ROUNDS_MAX ||
	    (b.rounds == 0 && (b.workers == 0 || !(b.seconds > 0))))
		errx(64, "wants -n ROUNDS, or -s SECONDS and -j COUNT");
	for (size_t i = 0; i < b.count; i++) {
		if (b.entries[i].commands_count == 0)
			errx(64, "%s: no command", b.entries[i].label);
		if (strcmp(b.entries[i].label, reference) == 0)
			b.reference = &b.entries[i];
	}
	bench_prepare(&b);
	(b.rounds > 0 ? latency_measure : throughput_measure)(&b);
	if (b.reference != NULL && entry_failed(b.reference))
		b.reference = NULL;
	for (size_t i = 0; i < b.count; i++)
		entry_print(&b, &b.entries[i]);
	return 0;
}
