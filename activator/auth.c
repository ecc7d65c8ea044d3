#include "auth.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "defence.h"
#include "tokens.h"

/* An address of either family. */
union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_storage storage;
};

static bool
is_loopback(const union address *a)
{
	const unsigned char *b = a->in6.sin6_addr.s6_addr;

	if (a->any.sa_family == AF_INET)
		return ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
	if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		return b[12] == 127;
	return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

static void
put_address(const union address *a, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "?";
	bool v6 = a->any.sa_family == AF_INET6;

	(void)inet_ntop(a->any.sa_family,
	    v6 ? (const void *)&a->in6.sin6_addr : &a->in.sin_addr, host,
	    sizeof(host));
	(void)snprintf(text, size, v6 ? "[%s]:%u" : "%s:%u", host,
	    ntohs(v6 ? a->in6.sin6_port : a->in.sin_port));
}

/* Has it had a peer? One that listens never has, and is a mistake. */
static int
read_gone(int sock, struct peer *ret)
{
	int listens = 1;
	socklen_t size = sizeof(listens);

	if (getsockopt(sock, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0)
		return -1;
	errno = ENOTCONN;
	ret->kind = PEER_GONE;
	(void)strcpy(ret->text, "gone");
	return listens ? -1 : 0;
}

int
peer_read(int sock, struct peer *ret)
{
	union address here = { 0 }, there = { 0 };
	socklen_t size = sizeof(here), n = sizeof(there);
	struct ucred cred;

	if (getsockname(sock, &here.any, &size) != 0)
		return -1;
	if (here.any.sa_family == AF_UNIX) {
		n = sizeof(cred);
		if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0)
			return -1;
		ret->kind = PEER_UNIX;
		ret->uid = cred.uid;
		(void)snprintf(
		    ret->text, sizeof(ret->text), "uid:%u", cred.uid);
		return 0;
	}
	if (here.any.sa_family != AF_INET && here.any.sa_family != AF_INET6) {
		errno = ENOTSUP;
		return -1;
	}
	if (getpeername(sock, &there.any, &n) != 0)
		return errno == ENOTCONN ? read_gone(sock, ret) : -1;
	put_address(&there, ret->text, sizeof(ret->text));
	ret->kind = is_loopback(&here) && is_loopback(&there) ? PEER_LOCAL
							      : PEER_REMOTE;
	return 0;
}

/* Length of the name in "name:port", with the brackets of "[::1]:port". */
static size_t
name_length(const char *host)
{
	size_t len = *host == '[' ? strcspn(host, "]") : strcspn(host, ":");

	if (*host == '[' && host[len] == ']')
		len++;
	if (host[len] == '\0')
		return len;
	if (host[len] != ':' ||
	    host[len + 1 + strspn(host + len + 1, "0123456789")] != '\0')
		return 0;
	return len;
}

bool
host_is_allowed(const char *host, const char *allowed)
{
	static const char *const always[] = { "localhost", "127.0.0.1",
		"[::1]" };
	size_t len = name_length(host), n;

	if (len == 0)
		return false;
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++) {
		if (strlen(always[i]) == len &&
		    strncasecmp(host, always[i], len) == 0)
			return true;
	}
	for (; *allowed != '\0'; allowed += n) {
		allowed += strspn(allowed, ", \t");
		n = strcspn(allowed, ", \t");
		if (n > 0 &&
		    ((n == len && strncasecmp(host, allowed, n) == 0) ||
			(n == strlen(host) &&
			    strncasecmp(host, allowed, n) == 0)))
			return true;
	}
	return false;
}

/* A page of a browser may call only where it could have come from. */
static bool
origin_is_allowed(const char *origin, const char *allowed)
{
	const char *host = strstr(origin, "://");

	return host != NULL &&
	       (strncasecmp(origin, "http:", 5) == 0 ||
		   strncasecmp(origin, "https:", 6) == 0) &&
	       strchr(host + 3, '/') == NULL &&
	       host_is_allowed(host + 3, allowed);
}

static void
identify(const struct peer *p, const struct token *t, struct identity *ret)
{
	*ret = (struct identity){ 0 };
	if (t != NULL) {
		(void)snprintf(
		    ret->owner, sizeof(ret->owner), "token:%s", t->name);
		ret->sees_all = ret->is_admin = t->admin;
	} else if (p->kind == PEER_UNIX) {
		(void)snprintf(
		    ret->owner, sizeof(ret->owner), "uid:%u", p->uid);
		ret->sees_all = ret->is_admin = p->uid == 0;
	} else {
		(void)snprintf(ret->owner, sizeof(ret->owner), "local");
	}
}

/* Does the credential, or the want of one, do for this peer? */
static int
check_token(const struct tokens *all, const struct peer *p,
    const struct caller *who, struct identity *ret, char *why, char *because,
    size_t size)
{
	const struct token *t = NULL;

	if (DEFENCE(REMOTE) && p->kind == PEER_REMOTE && all->count == 0) {
		(void)snprintf(why, size, "this address may not call");
		(void)snprintf(because, size,
		    "%s is not local, and no token exists: mayfly token add",
		    p->text);
		return 403;
	}
	if (who->open) {
		identify(p, NULL, ret);
		return 0;
	}
	if (who->token != NULL)
		t = tokens_find(all, who->token);
	if ((who->token != NULL && t == NULL) || who->bad_credential) {
		(void)snprintf(why, size, "Authorization: not a valid token");
		return 401;
	}
	if (DEFENCE(TOKEN_NEEDED) && t == NULL && p->kind != PEER_UNIX &&
	    all->count > 0) {
		(void)snprintf(why, size, "Authorization: a token is needed");
		return 401;
	}
	identify(p, t, ret);
	return 0;
}

int
authorize(const struct config *c, const struct peer *p,
    const struct caller *who, struct identity *ret, char *why, char *because,
    size_t size)
{
	struct tokens all;
	int status;

	*because = '\0';
	if ((who->host == NULL ||
		!host_is_allowed(who->host, c->allowed_hosts)) &&
	    DEFENCE(HOST)) {
		(void)snprintf(why, size, "Host: not one of allowed_hosts");
		return 403;
	}
	if (DEFENCE(ORIGIN) && who->origin != NULL &&
	    !origin_is_allowed(who->origin, c->allowed_hosts)) {
		(void)snprintf(why, size, "Origin: not one of allowed_hosts");
		return 403;
	}
	if (tokens_read(c, &all, because, size) != 0) {
		(void)snprintf(why, size, "the tokens cannot be read");
		return 500;
	}
	status = check_token(&all, p, who, ret, why, because, size);
	free(all.all);
	return status;
}
