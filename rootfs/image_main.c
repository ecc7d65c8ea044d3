#include <stdio.h>
#include <string.h>

#include "command.h"
#include "config.h"
#include "export.h"
#include "image_verbs.h"
#include "images.h"
#include "make.h"
#include "trash.h"
#include "verdict.h"

/* What one call of `mayfly image` is about. */
static struct call {
	struct config config;
	struct source source;
	char **words; /* behind the verb, without the options */
	size_t count;
	struct image image;
	struct failure failure;
	bool json;
} call;

/* The verbs that make one print its name. */
static int
make(int (*how)(const struct config *c, const struct source *s, struct image *m,
    struct failure *f))
{
	int r;

	image_init(&call.image);
	r = how(&call.config, &call.source, &call.image, &call.failure);
	if (r == 0)
		(void)puts(call.image.name);
	image_free(&call.image);
	return r == 0 ? 0 : image_fail(&call.failure);
}

static int
make_of_source(int (*how)(const struct config *c, const struct source *s,
    struct image *m, struct failure *f))
{
	call.source.text = call.words[0];
	call.source.name = call.words[1];
	return make(how);
}

static int
pull(void)
{
	return make_of_source(make_pull);
}

static int
import(void)
{
	return make_of_source(make_import);
}

static int
import_directory(void)
{
	return make_of_source(make_import_directory);
}

static int
from_dockerfile(void)
{
	return make_of_source(make_from_dockerfile);
}

static int
build(void)
{
	call.source.name = call.words[0];
	if (call.source.distro == NULL) {
		complain(
		    "image: build needs --distro, such as debian:bookworm");
		return EXIT_USAGE;
	}
	return make(make_build);
}

static int export(void)
{
	const char *name = call.words[0];
	enum images_result r;
	int status = 0;

	image_init(&call.image);
	r = images_read(&call.config, name, &call.image, &call.failure);
	if (r == IMAGES_NOT_FOUND)
		status = image_not_found(name);
	else if (r != IMAGES_OK || export_image(&call.config, &call.image,
				       call.words[1], &call.failure) != 0)
		status = image_fail(&call.failure);
	image_free(&call.image);
	return status;
}

static int
list(void)
{
	return call.json ? image_list_json(&call.config)
			 : image_list(&call.config);
}

static int
show(void)
{
	return call.json ? image_show_json(&call.config, call.words[0])
			 : image_show(&call.config, call.words[0]);
}

static int
remove_image(void)
{
	switch (images_delete(&call.config, call.words[0], &call.failure)) {
	case IMAGES_OK:
		return 0;
	case IMAGES_NOT_FOUND:
		return image_not_found(call.words[0]);
	default:
		return image_fail(&call.failure);
	}
}

static void
print_removed(const char *what, const char *name)
{
	(void)printf("removed %s %s\n", what, name);
}

static bool something_stays;

static void
complain_of(const char *name, int error)
{
	something_stays = true;
	complain("image: '%.64s' stays: %s", name, strerror(error));
}

static int
prune(void)
{
	struct state st;
	bool all;

	if (state_open(&call.config, &st, &call.failure) != 0)
		return image_fail(&call.failure);
	all = images_collect(
	    &call.config, &st, false, print_removed, complain_of);
	all =
	    trash_empty(&call.config, &st, false, print_removed, complain_of) &&
	    all;
	state_close(&st);
	return all && !something_stays ? 0 : EXIT_OWN;
}

static const struct verb {
	const char *name;
	int (*run)(void);
	size_t min, max; /* words */
	const char *usage, *help;
} verbs[] = {
	{ "pull", pull, 1, 2,
	    "SOURCE [NAME] [--plain-http] [--authfile FILE] [--platform "
	    "OS/ARCH]",
	    "from docker://..., oci:DIR[:TAG], docker-archive:FILE or "
	    "NAME[:TAG]" },
	{ "import", import, 2, 2, "FILE.tar[.gz|.zst] NAME",
	    "an archive of a root file system; - for the input" },
	{ "import-dir", import_directory, 2, 2, "DIR NAME",
	    "a directory that is a root file system" },
	{ "from-dockerfile", from_dockerfile, 2, 2, "DIR NAME",
	    "what buildah makes of the Dockerfile there" },
	{ "build", build, 1, 1,
	    "NAME --distro DISTRO:SUITE [--include PKG,...] [--mirror URL]",
	    "a fresh Debian or Ubuntu, of its packages" },
	{ "list", list, 0, 0, "[--json]",
	    "what there is, and how large it is" },
	{ "show", show, 1, 1, "NAME [--json]", "what is known of it" },
	{ "delete", remove_image, 1, 1, "NAME",
	    "sessions that began with it go on" },
	{ "export", export, 2, 2, "NAME oci:DIR[:TAG]",
	    "as a layout that others take, in a new directory" },
	{ "prune", prune, 0, 0, "", "remove layers that nothing needs" },
};

static const struct option {
	const char *name;
	const char *verb;
	const char **value; /* or NULL for a flag: */
	bool *flag;
} options[] = {
	{ "authfile", "pull", &call.source.authfile, NULL },
	{ "platform", "pull", &call.source.platform, NULL },
	{ "plain-http", "pull", NULL, &call.source.plain_http },
	{ "json", "list", NULL, &call.json },
	{ "json", "show", NULL, &call.json },
	{ "distro", "build", &call.source.distro, NULL },
	{ "include", "build", &call.source.include, NULL },
	{ "mirror", "build", &call.source.mirror, NULL },
};

static int
help(void)
{
	(void)puts("usage: mayfly image VERB ...\n");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		(void)printf("  mayfly image %s %s\n      %s\n", verbs[i].name,
		    verbs[i].usage, verbs[i].help);
	(void)puts("\nSee mayfly-image(1).");
	return 0;
}

static int
wrong(const char *what, const char *word)
{
	complain("image: %s '%.80s'", what, word);
	return EXIT_USAGE;
}

static const struct option *
find_option(const struct verb *v, const char *word)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (strcmp(options[i].verb, v->name) == 0 &&
		    strncmp(word, "--", 2) == 0 &&
		    strlen(options[i].name) + 2 == len &&
		    memcmp(options[i].name, word + 2, len - 2) == 0)
			return &options[i];
	}
	return NULL;
}

/* The option at *words, and its value, which is passed over. */
static int
take_option(const struct verb *v, char ***words)
{
	const struct option *o = find_option(v, **words);
	const char *value = strchr(**words, '=');

	if (o == NULL)
		return wrong("unknown option", **words);
	if (o->value == NULL) {
		*o->flag = true;
		return value == NULL ? 0 : wrong("a value too much:", **words);
	}
	if (value == NULL && (*words)[1] == NULL)
		return wrong("a value is missing behind", **words);
	*o->value = value != NULL ? value + 1 : *++*words;
	return 0;
}

static int
run_verb(const struct verb *v, char **argv)
{
	static char *words[4];
	char why[512];

	for (char **w = argv; *w != NULL; w++) {
		if (strcmp(*w, "--help") == 0)
			return help();
		if ((*w)[0] == '-' && (*w)[1] != '\0') {
			if (take_option(v, &w) != 0)
				return EXIT_USAGE;
			continue;
		}
		if (call.count == v->max)
			return wrong("a word too much:", *w);
		words[call.count++] = *w;
	}
	if (call.count < v->min) {
		complain("image: usage: mayfly image %s %s", v->name, v->usage);
		return EXIT_USAGE;
	}
	call.words = words;
	if (config_read(&call.config, why, sizeof(why)) != 0) {
		complain("config: %s", why);
		return EXIT_OWN;
	}
	return v->run();
}

int
image_main(int argc, char **argv)
{
	if (argc < 2) {
		complain("image: no verb given; see mayfly image --help");
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0)
		return help();
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) == 0)
			return run_verb(&verbs[i], argv + 2);
	}
	return wrong("there is no verb", argv[1]);
}
