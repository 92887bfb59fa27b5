/* Judges the paths, names and addresses of a sandboxed spec. */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "platform/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define MAX_LINKS 64 /* followed on one path; the kernels refuse it earlier */

struct sandbox {
	char *home; /* as the spec's paths begin; NULL: the root directory */
	struct words allow;
};

/* Returns the text without the slashes at its end; the root directory stays. Caller frees. */
static char *trim(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return mem_copy_n(path, n);
}

struct sandbox *sandbox_new(const char *home, const struct words *allow)
{
	struct sandbox *s = mem_zero(sizeof(*s));
	MEM_AUTO char *real = realpath(home, NULL);

	if (real != NULL && strcmp(real, "/") != 0)
		s->home = trim(home);
	for (size_t i = 0; allow != NULL && i < allow->count; i++)
		words_take(&s->allow, trim(allow->item[i]));
	return s;
}

void sandbox_free(struct sandbox *s)
{
	if (s == NULL)
		return;
	words_free(&s->allow);
	free(s->home);
	free(s);
}

/*
 * Returns where a path leads, also where its last names do not exist yet; NULL where that cannot be
 * told, as of a symbolic link to nothing: its target can still become anything.
 */
static char *resolve(const char *path)
{
	MEM_AUTO char *trimmed = trim(path), *above = NULL, *real_above = NULL;
	char *real = realpath(trimmed, NULL), *slash = strrchr(trimmed, '/');
	struct stat st;

	if (real != NULL || errno != ENOENT || lstat(trimmed, &st) == 0)
		return real;
	if (slash == NULL || strcmp(slash, "/.") == 0 || strcmp(slash, "/..") == 0)
		return NULL;
	above = slash == trimmed ? mem_copy("/") : mem_copy_n(trimmed, (size_t)(slash - trimmed));
	real_above = resolve(above);
	if (real_above == NULL)
		return NULL;
	return mem_format("%s%s", strcmp(real_above, "/") == 0 ? "" : real_above, slash);
}

static bool is_below(const char *path, const char *directory)
{
	const char *rest = str_after(path, directory);

	return rest != NULL && (*rest == '\0' || *rest == '/' || strcmp(directory, "/") == 0);
}

static bool leads_below(const char *real, const char *directory)
{
	MEM_AUTO char *top = directory == NULL ? NULL : resolve(directory);

	return top != NULL && is_below(real, top);
}

/* The way along a path, name by name, as the kernel takes it. */
struct walk {
	char *place; /* owned; reached so far, without links; "" is the root directory */
	char *rest;  /* owned; still to go: "" or "/..." */
	int links;   /* followed so far */
};

static void walk_clear(struct walk *w)
{
	free(w->place);
	free(w->rest);
}

#define WALK_AUTO __attribute__((cleanup(walk_clear)))

static void walk_start(struct walk *w, const char *path)
{
	MEM_AUTO char *here = *path == '/' ? NULL : realpath(".", NULL);

	w->place = mem_copy("");
	w->rest = mem_format("%s/%s", here == NULL ? "" : here, path);
	w->links = 0;
}

static void walk_up(struct walk *w)
{
	char *slash = strrchr(w->place, '/');

	if (slash != NULL)
		*slash = '\0';
}

/* Takes the next name of the path without a look at it.  Returns false at the end. */
static bool walk_step(struct walk *w)
{
	MEM_AUTO char *place = w->place, *rest = w->rest;
	const char *name = rest + strspn(rest, "/");
	size_t n = strcspn(name, "/");
	bool up = n == 2 && memcmp(name, "..", 2) == 0;
	bool stay = n == 0 || up || (n == 1 && *name == '.');

	w->place = mem_format("%s%s%.*s", place, stay ? "" : "/", stay ? 0 : (int)n, name);
	w->rest = mem_copy(name + n);
	if (up)
		walk_up(w);
	return n > 0;
}

/* Goes on where a symbolic link leads; stays at anything else. */
static void walk_follow(struct walk *w)
{
	char target[PATH_MAX];
	ssize_t n = readlink(w->place, target, sizeof(target) - 1);
	MEM_AUTO char *rest = NULL;

	if (n <= 0 || w->links >= MAX_LINKS)
		return;
	w->links++;
	target[n] = '\0';
	rest = w->rest;
	w->rest = mem_format("/%s%s", target, rest);
	if (*target == '/')
		*w->place = '\0';
	else
		walk_up(w);
}

/* Returns whether one of the two is below the other, which may be a link. */
static bool is_on_the_way(const char *place, const char *allowed)
{
	MEM_AUTO char *real = NULL;

	if (allowed == NULL || *allowed != '/')
		return false;
	if (is_below(place, allowed) || is_below(allowed, place))
		return true;
	real = resolve(allowed);
	return real != NULL && (is_below(place, real) || is_below(real, place));
}

/* Returns whether the place is in /dev, and neither allowed nor on the way to what is allowed. */
static bool is_foreign_device(const struct sandbox *s, const char *place)
{
	bool ours =
	    !is_below(place, "/dev") || strcmp(place, "/dev") == 0 || is_on_the_way(place, s->home);

	for (size_t i = 0; i < s->allow.count && !ours; i++)
		ours = is_on_the_way(place, s->allow.item[i]);
	return !ours;
}

/*
 * Returns where the path enters a foreign device, with the rest of the path; NULL where it enters
 * none.  Never looks at that name, which can make the device, as of nmdm(4) and tap(4).
 */
static char *find_foreign_device(const struct sandbox *s, const char *path)
{
	WALK_AUTO struct walk w;

	walk_start(&w, path);
	while (walk_step(&w)) {
		if (is_foreign_device(s, w.place))
			return mem_format("%s%s", w.place, w.rest);
		walk_follow(&w);
	}
	return NULL;
}

/* Judges where the path leads; *real is as in sandbox_allows_path(). */
static bool judge_path(const struct sandbox *s, const char *path, bool home_only, char **real)
{
	bool good;

	*real = NULL;
	if (strlen(path) >= PATH_MAX) /* it leads nowhere, and walking it takes long */
		return false;
	*real = find_foreign_device(s, path);
	if (*real != NULL)
		return false;
	*real = resolve(path);
	if (*real == NULL)
		return false;
	good = leads_below(*real, s->home);
	for (size_t i = 0; i < s->allow.count && !home_only && !good; i++)
		good = s->allow.item[i][0] == '/' && leads_below(*real, s->allow.item[i]);
	return good;
}

bool sandbox_allows_path(const struct sandbox *s, const char *path, char **real)
{
	*real = NULL;
	return words_have(&s->allow, path) || judge_path(s, path, false, real);
}

bool sandbox_is_home(const struct sandbox *s, const char *path, char **real)
{
	return judge_path(s, path, true, real);
}

bool sandbox_is_inside(const char *path, const char *directory)
{
	MEM_AUTO char *real = resolve(path);

	return real != NULL && leads_below(real, directory);
}

bool sandbox_holds_home(const struct sandbox *s, const char *directory)
{
	return s->home != NULL && sandbox_is_inside(s->home, directory);
}

bool sandbox_allows_name(const struct sandbox *s, const char *name)
{
	const char *colon = strchr(name, ':');
	/* Of netgraph, "br0:" is the node, but "br0:uplink1." another one. */
	bool is_port = colon != NULL && (colon[1] == '\0' || str_after(name, "vale") != NULL);
	MEM_AUTO char *device = is_port ? mem_copy_n(name, (size_t)(colon - name)) : NULL;

	return words_have(&s->allow, name) || (device != NULL && words_have(&s->allow, device));
}

/* Returns "3/0/0" for "pci0:3:0:0" and "3:0:0". Caller frees. */
static char *pci_name(const char *text)
{
	const char *address = str_after(text, "pci0:");
	char *name = mem_copy(address != NULL ? address : text);

	for (char *p = name; *p != '\0'; p++)
		*p = *p == ':' ? '/' : *p;
	return name;
}

bool sandbox_allows_pci(const struct sandbox *s, const char *device)
{
	for (size_t i = 0; i < s->allow.count; i++) {
		MEM_AUTO char *name = pci_name(s->allow.item[i]);

		if (strcmp(name, device) == 0)
			return true;
	}
	return false;
}

/* An address as bytes of IPv6, or a name. */
struct host {
	bool numeric;
	struct in6_addr bytes;
	char *name; /* owned */
	char *port; /* owned; NULL: none given */
};

static void clear_host(struct host *h)
{
	free(h->name);
	free(h->port);
}

#define HOST_AUTO __attribute__((cleanup(clear_host)))

/* Splits ADDR, ADDR:PORT, [V6] and [V6]:PORT. */
static void read_host(const char *text, struct host *h)
{
	const char *end = *text == '[' ? strchr(text, ']') : NULL, *port = NULL;
	const char *colon = strrchr(text, ':');
	unsigned char v4[4];

	memset(h, 0, sizeof(*h));
	if (end != NULL && (end[1] == ':' || end[1] == '\0')) {
		port = end[1] == ':' ? end + 2 : NULL;
		h->name = mem_copy_n(text + 1, (size_t)(end - text - 1));
	} else if (colon != NULL && strchr(text, ':') == colon) {
		port = colon + 1;
		h->name = mem_copy_n(text, (size_t)(colon - text));
	} else {
		h->name = mem_copy(text);
	}
	h->port = port == NULL ? NULL : mem_copy(port);
	if (inet_pton(AF_INET6, h->name, &h->bytes) == 1) {
		h->numeric = true;
	} else if (inet_pton(AF_INET, h->name, v4) == 1) {
		h->numeric = true; /* ::ffff:ADDR */
		memset(&h->bytes, 0, sizeof(h->bytes));
		h->bytes.s6_addr[10] = h->bytes.s6_addr[11] = 0xff;
		memcpy(&h->bytes.s6_addr[12], v4, sizeof(v4));
	}
}

static bool is_loopback(const struct host *h)
{
	if (!h->numeric)
		return strcasecmp(h->name, "localhost") == 0;
	return IN6_IS_ADDR_LOOPBACK(&h->bytes) ||
	    (IN6_IS_ADDR_V4MAPPED(&h->bytes) && h->bytes.s6_addr[12] == 127);
}

static bool covers(const struct host *allowed, const struct host *h)
{
	if (allowed->numeric != h->numeric ||
	    (allowed->port != NULL && (h->port == NULL || strcmp(allowed->port, h->port) != 0)))
		return false;
	return h->numeric ? memcmp(&allowed->bytes, &h->bytes, sizeof(h->bytes)) == 0
			  : strcasecmp(allowed->name, h->name) == 0;
}

bool sandbox_allows_address(const struct sandbox *s, const char *place)
{
	HOST_AUTO struct host h;
	bool good;

	read_host(place, &h);
	good = is_loopback(&h);
	for (size_t i = 0; i < s->allow.count && !good; i++) {
		HOST_AUTO struct host allowed;

		read_host(s->allow.item[i], &allowed);
		good = covers(&allowed, &h);
	}
	return good;
}
