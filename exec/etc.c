#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inside.h"
#include "sys.h"

#if defined(__aarch64__)
#define ARCH "aarch64"
#else
#define ARCH "x86_64"
#endif

static const char hosts[] =
    "127.0.0.1\tlocalhost mayfly\n::1\tlocalhost ip6-localhost\n";
static const char no_resolver[] = "# no network\n";

/*
 * /etc inside, whole. TEXT: written here, never the host's, so that nothing
 * of its users, names and network shows. HOST: from the host when it is
 * there, a link as that link. Each row is paid for by every run, about 15 us
 * when it is there, and a walk over the host's /etc would cost 100; what may
 * hold a secret or the host's name has none.
 */
static const struct {
	const char *name;
	enum { TEXT, HOST } how;
	const char *text;
} rows[] = {
	{ "passwd", TEXT, NULL }, /* the user of the run stands in it */
	{ "group", TEXT, NULL },
	{ "hosts", TEXT, hosts },
	{ "nsswitch.conf", TEXT,
	    "passwd: files\ngroup: files\nhosts: files dns\n"
	    "services: files\nprotocols: files\n" },
	{ "resolv.conf", TEXT, no_resolver },
	{ "alternatives", HOST, NULL },
	{ "crypto-policies", HOST, NULL },
	{ "fonts", HOST, NULL },
	{ "java-8-openjdk", HOST, NULL },
	{ "java-11-openjdk", HOST, NULL },
	{ "java-17-openjdk", HOST, NULL },
	{ "java-21-openjdk", HOST, NULL },
	{ "java-25-openjdk", HOST, NULL },
	{ "ld.so.cache", HOST, NULL },
	{ "ld-musl-" ARCH ".path", HOST, NULL },
	{ "localtime", HOST, NULL },
	{ "lsb-release", HOST, NULL },
	{ "os-release", HOST, NULL },
	{ "pki/ca-trust", HOST, NULL },
	{ "pki/tls/certs", HOST, NULL },
	{ "protocols", HOST, NULL },
	{ "services", HOST, NULL },
	{ "ssl/certs", HOST, NULL },
	{ "ssl/openssl.cnf", HOST, NULL },
};

#define ROW_COUNT (sizeof(rows) / sizeof(*rows))
_Static_assert(ROW_COUNT <= 64, "inside->etc_rows has a bit for each");

/* One line of /etc/passwd. */
struct account {
	const char *name;
	uid_t uid;
	gid_t gid;
	const char *home, *shell;
};

static int
write_text(int etc, const char *name, const char *text, size_t len)
{
	auto_fd fd =
	    openat(etc, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

	return fd >= 0 && write(fd, text, len) == (ssize_t)len ? 0 : -1;
}

/* root and nobody, and between them whoever else the run's user is. */
static int
write_accounts(struct inside *in, int etc)
{
	const struct plan *p = in->plan;
	const struct account all[] = {
		{ "root", 0, 0, "/root", "/bin/sh" },
		{ "user", p->uid, p->gid, "/home", "/bin/sh" },
		{ "nobody", 65534, 65534, "/nonexistent", "/usr/sbin/nologin" },
	};
	char passwd[256], group[256];
	int n = 0, m = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		const struct account *a = &all[i];
		bool other = i == 1;

		if (!other || (a->uid != 0 && a->uid != 65534))
			n += snprintf(passwd + n, sizeof(passwd) - (size_t)n,
			    "%s:x:%u:%u::%s:%s\n", a->name, a->uid, a->gid,
			    a->home, a->shell);
		if (!other || (a->gid != 0 && a->gid != 65534))
			m += snprintf(group + m, sizeof(group) - (size_t)m,
			    "%s:x:%u:\n", i == 2 ? "nogroup" : a->name, a->gid);
	}
	if (write_text(etc, "passwd", passwd, (size_t)n) != 0)
		return -1;
	return write_text(etc, "group", group, (size_t)m);
}

/* Makes the directories that lead to name, and name as a place to mount at. */
static int
make_place(int etc, const char *name, bool is_dir)
{
	char dir[64];
	const char *slash = name;

	while ((slash = strchr(slash, '/')) != NULL) {
		(void)snprintf(
		    dir, sizeof(dir), "%.*s", (int)(slash - name), name);
		if (mkdirat(etc, dir, 0755) != 0 && errno != EEXIST)
			return -1;
		slash++;
	}
	if (is_dir)
		return mkdirat(etc, name, 0755);
	return mknodat(etc, name, S_IFREG | 0644, 0);
}

/* What the host has at the path: a link made here, or a place to show it. */
static int
make_host(struct inside *in, int etc, const char *path, size_t row)
{
	const char *name = rows[row].name;
	char link[256];
	struct stat st;
	ssize_t len;

	if (lstat(path, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	if (S_ISLNK(st.st_mode)) {
		len = readlink(path, link, sizeof(link) - 1);
		if (len < 0)
			return -1;
		link[len] = '\0';
		return symlinkat(link, etc, name);
	}
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	in->etc_rows |= UINT64_C(1) << row;
	return make_place(etc, name, S_ISDIR(st.st_mode));
}

/*
 * An image has its own, but these are the machine's to tell: what stands there
 * is covered, and where nothing does they come to stand.
 */
static const struct {
	const char *name, *text;
} image_rows[] = { { "hosts", hosts }, { "resolv.conf", no_resolver } };

static int
show_image_row(struct inside *in, const char *name, const char *text)
{
	const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
	char path[32];

	(void)snprintf(path, sizeof(path), "etc/%s", name);
	if (write_text(in->scratch, name, text, strlen(text)) != 0)
		return -1;
	auto_fd etc =
	    sys_openat2(in->root, "etc", O_PATH | O_DIRECTORY, resolve);
	auto_fd tree = sys_open_tree(
	    in->scratch, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	auto_fd target = sys_openat2(in->root, path, O_PATH, resolve);
	if (tree < 0)
		return -1;
	if (target < 0)
		return etc >= 0 && errno == ENOENT
			   ? write_text(etc, name, text, strlen(text))
			   : 0;
	/* A directory there is the image's business. */
	return sys_move_mount(tree, target, "") != 0 && errno != ENOTDIR ? -1
									 : 0;
}

static int
show_image_rows(struct inside *in)
{
	for (size_t i = 0; i < sizeof(image_rows) / sizeof(*image_rows); i++) {
		if (show_image_row(
			in, image_rows[i].name, image_rows[i].text) != 0)
			return inside_fail(
			    in, "show /etc/%s", image_rows[i].name);
	}
	return 0;
}

int
etc_make(struct inside *in)
{
	if (plan_is_foreign(in->plan))
		return 0;
	auto_fd etc = openat(
	    in->made, "etc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char path[64];
	int r = 0;

	if (etc < 0 || write_accounts(in, etc) != 0)
		return inside_fail(in, "fill /etc");
	for (size_t i = 0; i < ROW_COUNT && r == 0; i++) {
		(void)snprintf(path, sizeof(path), "/etc/%s", rows[i].name);
		if (rows[i].how == HOST)
			r = make_host(in, etc, path, i);
		else if (rows[i].text != NULL)
			r = write_text(etc, rows[i].name, rows[i].text,
			    strlen(rows[i].text));
		if (r != 0)
			return inside_fail(in, "%s", path);
	}
	return 0;
}

int
etc_show(struct inside *in)
{
	char path[64];

	if (plan_is_foreign(in->plan))
		return show_image_rows(in);
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if ((in->etc_rows >> i & 1) == 0)
			continue;
		(void)snprintf(path, sizeof(path), "/etc/%s", rows[i].name);
		if (root_show(in, path, path + 1) != 0)
			return inside_fail(in, "show %s", path);
	}
	return 0;
}
