/* Judges the paths, names and addresses of a sandboxed spec. */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "platform/sandbox.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/mem.h"

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
	size_t n = strlen(directory);

	if (strncmp(path, directory, n) != 0)
		return false;
	return path[n] == '\0' || path[n] == '/' || strcmp(directory, "/") == 0;
}

static bool leads_below(const char *real, const char *directory)
{
	MEM_AUTO char *top = directory == NULL ? NULL : resolve(directory);

	return top != NULL && is_below(real, top);
}

/*
 * Tells whether the path is refused by its text: a look at a name in /dev can make the device, as
 * of nmdm(4) and tap(4).
 */
static bool is_foreign_device(const struct sandbox *s, const char *path)
{
	bool ours = s->home != NULL && is_below(path, s->home);

	for (size_t i = 0; i < s->allow.count && !ours; i++)
		ours = is_below(path, s->allow.item[i]);
	return !ours && is_below(path, "/dev") && strstr(path, "/..") == NULL;
}

/* Judges where the path leads; *real is as in sandbox_allows_path(). */
static bool judge_path(const struct sandbox *s, const char *path, bool home_only, char **real)
{
	bool foreign = is_foreign_device(s, path), good;

	*real = foreign ? mem_copy(path) : resolve(path);
	if (foreign || *real == NULL)
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

bool sandbox_allows_name(const struct sandbox *s, const char *name)
{
	const char *colon = strchr(name, ':');
	MEM_AUTO char *device = colon == NULL ? NULL : mem_copy_n(name, (size_t)(colon - name));

	return words_have(&s->allow, name) || (device != NULL && words_have(&s->allow, device));
}

/* Returns "3/0/0" for "pci0:3:0:0" and "3:0:0". Caller frees. */
static char *pci_name(const char *text)
{
	char *name = mem_copy(strncmp(text, "pci0:", 5) == 0 ? text + 5 : text);

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
