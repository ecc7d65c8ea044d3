/* What is known of a pull while it goes on, and after it. */
#include "pulls.h"

#include <sys/stat.h>
#include <sys/time.h>

#include <fcntl.h>

#include "images.h"
#include "unit.h"

static struct config config;
static struct state st;
static struct failure f;
static char why[PULL_WHY_MAX + 1];

static void
begin(void)
{
	char path[128];

	(void)snprintf(
	    path, sizeof(path), "%s/%d", getenv("STATES"), (int)getpid());
	HOLDS(setenv("MAYFLY_STATE_DIR", path, 1) == 0);
	config_defaults(&config);
	config.state_dir = getenv("MAYFLY_STATE_DIR");
	HOLDS(state_open(&config, &st, &f) == 0);
}

static enum pull_state
look(const char *name)
{
	return pulls_look(&st, name, why);
}

static void
life(void)
{
	struct pull p, other;

	begin();
	HOLDS(look("a:1") == PULL_NONE);
	HOLDS(pulls_begin(&config, "a:1", &p, &f) == 0);
	HOLDS(look("a:1") == PULL_GOING && look("a") == PULL_NONE);
	HOLDS(pulls_begin(&config, "a:1", &other, &f) == -1);
	HOLDS(f.error == EBUSY);
	/* Looking does not take it away from who has it. */
	HOLDS(pulls_is_wanted(&p) && look("a:1") == PULL_GOING);
	pulls_end(&p, "no such\nthing");
	HOLDS(look("a:1") == PULL_FAILED);
	expect_text(why, "no such\nthing", "why");
	HOLDS(pulls_begin(&config, "a:1", &p, &f) == 0);
	pulls_close(&p);
	HOLDS(look("a:1") == PULL_FAILED);
	expect_text(why, "the pull was broken off", "why");
	HOLDS(pulls_begin(&config, "a:1", &p, &f) == 0);
	pulls_end(&p, NULL);
	HOLDS(look("a:1") == PULL_NONE);
	HOLDS(pulls_begin(&config, "../a", &p, &f) == -1);
	HOLDS(pulls_begin(&config, "", &p, &f) == -1);
}

static void
death(void)
{
	struct pull p;
	int status;

	begin();
	if (fork() == 0) {
		(void)pulls_begin(&config, "a", &p, &f);
		_exit(0);
	}
	HOLDS(wait(&status) > 0);
	HOLDS(look("a") == PULL_FAILED);
	expect_text(why, "the pull was broken off", "why");
}

static void
deleted(void)
{
	static struct image m;
	struct pull p;

	begin();
	image_init(&m);
	(void)strcpy(m.name, "a");
	HOLDS(image_add_layer(&m, "id/abcdefghijklmnopqrstuvwxyz", 1) == 0);
	HOLDS(images_delete(&config, "a", &f) == IMAGES_NOT_FOUND);
	HOLDS(pulls_begin(&config, "a", &p, &f) == 0);
	HOLDS(images_delete(&config, "a", &f) == IMAGES_OK);
	HOLDS(images_delete(&config, "a", &f) == IMAGES_NOT_FOUND);
	HOLDS(!pulls_is_wanted(&p));
	HOLDS(images_publish(&st, &m, &p, &f) == -1 && f.error == ECANCELED);
	HOLDS(images_read(&config, "a", &m, &f) == IMAGES_NOT_FOUND);
	/* A reason is nobody's any more either. */
	pulls_end(&p, "deleted");
	HOLDS(look("a") == PULL_NONE);
	/* And it is not the next one's record that is removed by the first. */
	HOLDS(pulls_begin(&config, "a", &p, &f) == 0);
	HOLDS(images_delete(&config, "a", &f) == IMAGES_OK);
	struct pull next;
	HOLDS(pulls_begin(&config, "a", &next, &f) == 0);
	pulls_end(&p, NULL);
	HOLDS(look("a") == PULL_GOING && pulls_is_wanted(&next));
	HOLDS(images_publish(&st, &m, &next, &f) == 0);
	HOLDS(look("a") == PULL_NONE);
	/* One that came in another way makes a failure forgotten. */
	HOLDS(pulls_begin(&config, "a", &p, &f) == 0);
	pulls_end(&p, "no");
	HOLDS(images_publish(&st, &m, NULL, &f) == 0);
	HOLDS(look("a") == PULL_NONE);
	HOLDS(pulls_begin(&config, "a", &p, &f) == 0);
	HOLDS(images_publish(&st, &m, NULL, &f) == 0);
	HOLDS(look("a") == PULL_GOING);
}

static int removed;

static void
count(const char *what, const char *name)
{
	expect_text(what, "pull", name);
	removed++;
}

static void
problem(const char *name, int error)
{
	expect_text(name, "", strerror(error));
}

static void
age(const char *name)
{
	struct timeval old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	int dir = openat(st.dir, "pulls", O_RDONLY | O_DIRECTORY);

	HOLDS(futimesat(dir, name, old) == 0);
	(void)close(dir);
}

static void
reaped(void)
{
	struct pull p, goes, broken;

	begin();
	pulls_reap(&st, false, count, problem);
	HOLDS(pulls_begin(&config, "a", &p, &f) == 0);
	pulls_end(&p, "no");
	HOLDS(pulls_begin(&config, "b", &broken, &f) == 0);
	pulls_close(&broken);
	HOLDS(pulls_begin(&config, "c", &goes, &f) == 0);
	pulls_reap(&st, false, count, problem);
	expect_number(removed, 0, "removed young");
	age("a");
	age("b");
	age("c");
	pulls_reap(&st, true, count, problem);
	expect_number(removed, 2, "would be removed");
	HOLDS(look("a") == PULL_FAILED);
	removed = 0;
	pulls_reap(&st, false, count, problem);
	expect_number(removed, 2, "removed");
	HOLDS(look("a") == PULL_NONE && look("b") == PULL_NONE);
	HOLDS(look("c") == PULL_GOING);
}

static void
foreign(void)
{
	static const char *const texts[] = { "", "mayfly-pull 2\nx",
		"mayfly-pul" };
	struct pull p;

	begin();
	HOLDS(pulls_begin(&config, "a", &p, &f) == 0);
	for (size_t i = 0; i < LENGTH(texts); i++) {
		int fd = openat(p.dir, "b", O_WRONLY | O_CREAT | O_TRUNC, 0600);

		HOLDS(write(fd, texts[i], strlen(texts[i])) >= 0);
		(void)close(fd);
		HOLDS(look("b") == PULL_NONE);
	}
	HOLDS(symlinkat("a", p.dir, "link") == 0);
	HOLDS(look("link") == PULL_NONE);
	HOLDS(pulls_begin(&config, "link", &p, &f) == -1);
}

static const struct testcase cases[] = {
	{ "a pull goes on as long as it is locked, and then has failed or not",
	    life },
	{ "one whose process has died was broken off", death },
	{ "an image that was deleted meanwhile is not published", deleted },
	{ "what was said of a pull goes after an hour, and no other", reaped },
	{ "a record that is none says nothing, and no link is followed",
	    foreign },
};

int
main(void)
{
	char template[] = "/tmp/mayfly-unit.XXXXXX";

	return cases_run_in(template, "STATES", cases, LENGTH(cases));
}
