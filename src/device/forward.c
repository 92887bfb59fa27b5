/*
 * Forwarding rules of user networking, as slirp-helper of bhyve and qemu can read them.  Facts:
 * bhyve's slirp-helper.c; QEMU's net/slirp.c.
 */
#include "device/forward.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "device/host_use.h"
#include "platform/port.h"

#define TCP "tcp:"
#define UDP "udp:"
#define ALL "0.0.0.0" /* where slirp listens without an address */

/* Returns whether the first n bytes are "[ADDR]:PORT" with a numeric IPv4 address. */
static bool is_end(const char *text, size_t n, long min_port)
{
	const char *colon = memchr(text, ':', n);
	MEM_AUTO char *address = mem_copy_n(text, colon == NULL ? 0 : (size_t)(colon - text));
	char *end;
	long port;

	if (colon == NULL || isdigit((unsigned char)colon[1]) == 0)
		return false;
	port = strtol(colon + 1, &end, 10);
	return end == text + n && port >= min_port && port <= MAX_PORT &&
	    (*address == '\0' || port_is_numeric(address));
}

/* Returns the host's "ADDR:PORT" of a rule, or NULL for an invalid rule.  Caller frees. */
static char *host_place(const char *rule)
{
	bool known = str_after(rule, TCP) != NULL || str_after(rule, UDP) != NULL;
	const char *host = rule + strlen(TCP), *dash = known ? strchr(host, '-') : NULL;

	/* Port 0 of the host is any free one. */
	if (dash == NULL || !is_end(host, (size_t)(dash - host), 0) ||
	    !is_end(dash + 1, strlen(dash + 1), 1))
		return NULL;
	return mem_format("%s%.*s", *host == ':' ? ALL : "", (int)(dash - host), host);
}

void forward_names(const void *value, const struct where *at, struct host_visit *visit)
{
	const struct words *rules = value;

	for (size_t i = 0; i < rules->count; i++) {
		struct where entry = { at, NULL, i };
		MEM_AUTO char *place = host_place(rules->item[i]);

		if (place != NULL) /* forward_check() reports others */
			host_found(visit, HOST_ADDRESS, place, &entry);
	}
}

void forward_check(const struct words *rules, const struct where *list, struct decoder *d)
{
	for (size_t i = 0; i < rules->count; i++) {
		struct where entry = { list, NULL, i };
		MEM_AUTO char *place = host_place(rules->item[i]);

		if (strpbrk(rules->item[i], ";,") != NULL)
			report_add(d->report, STATUS_SPEC, &entry,
			    "\"%s\" contains a separator: write each rule as an entry of the list",
			    rules->item[i]);
		else if (place == NULL)
			report_add(d->report, STATUS_SPEC, &entry,
			    "invalid rule \"%s\": expected tcp|udp:[ADDR]:PORT-[ADDR]:PORT such as "
			    "\"tcp:127.0.0.1:2222-:22\", with numeric IPv4 addresses",
			    rules->item[i]);
	}
}

void forward_need(const struct words *rules, const char *key, struct needs *needs)
{
	for (size_t i = 0; i < rules->count; i++) {
		MEM_AUTO char *place = host_place(rules->item[i]);
		enum need_kind kind =
		    str_after(rules->item[i], UDP) != NULL ? NEED_FORWARD_UDP : NEED_FORWARD;

		if (place != NULL && strtol(strrchr(place, ':') + 1, NULL, 10) != 0)
			(void)needs_add(needs, kind, key, place);
	}
}

bool forward_takes(const char *rule, const char *place)
{
	MEM_AUTO char *host = str_after(rule, TCP) == NULL ? NULL : host_place(rule);

	return host != NULL && port_overlaps(host, place);
}
