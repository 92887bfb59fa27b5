/* Numbers of bhyve's options.  Facts: bhyverun.c, expand_number(3) and topology of bhyve. */
#include "import/bhyve_values.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "spec/spec.h"

#define MIB (UINT64_C(1) << 20)

bool bhyve_cpus_set(struct bhyve_cpus *c, const char *key, const char *text)
{
	const struct {
		const char *key;
		long *number;
	} numbers[] = { { "cpus", &c->cpus }, { "sockets", &c->sockets }, { "cores", &c->cores },
		{ "threads", &c->threads } };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char *end;

		if (strcmp(numbers[i].key, key) != 0)
			continue;
		errno = 0;
		*numbers[i].number = strtol(text, &end, 0);
		return errno == 0 && *text != '\0' && *end == '\0' && *numbers[i].number >= 1 &&
		    *numbers[i].number <= MAX_CPUS;
	}
	return false;
}

char *bhyve_cpus_node(const struct bhyve_cpus *c, struct node **cpu)
{
	long sockets = c->sockets != 0 ? c->sockets : c->cpus != 0 ? c->cpus : 1;
	long cores = c->cores != 0 ? c->cores : 1, threads = c->threads != 0 ? c->threads : 1;

	if (c->cpus != 0 && c->cpus != (int64_t)sockets * cores * threads)
		return mem_format(
		    "%ld processors, but %ld sockets x %ld cores x %ld threads: bhyve refuses this",
		    c->cpus, sockets, cores, threads);
	*cpu = node_new(NODE_OBJECT);
	node_put(*cpu, "sockets", node_int(sockets));
	node_put(*cpu, "cores", node_int(cores));
	node_put(*cpu, "threads", node_int(threads));
	return NULL;
}

char *bhyve_memory_text(const char *text, char **size)
{
	static const char suffixes[] = "bkmgtpe";
	static const char units[] = "KMG";
	const char *suffix = NULL;
	uint64_t number, unit = 1;
	char *end;
	int at = 0;

	errno = 0;
	number = strtoull(text, &end, 0);
	if (*end != '\0')
		suffix = strchr(suffixes, *end | 0x20);
	if (suffix != NULL)
		unit = UINT64_C(1) << 10 * (suffix - suffixes);
	else if (*end == '\0' && number < MIB)
		unit = MIB;
	if (errno != 0 || !(*text >= '0' && *text <= '9') || (*end != '\0' && suffix == NULL) ||
	    (suffix != NULL && end[1] != '\0' && (end[1] | 0x20) != 'b') || number == 0 ||
	    number > INT64_MAX / unit || number * unit % GUEST_PAGE != 0)
		return mem_format("invalid size \"%s\": expected a number and one of K, M, G, T, a "
				  "multiple of 4 KiB",
		    text);
	for (number = number * unit >> 10; number % 1024 == 0 && units[at + 1] != '\0'; at++)
		number >>= 10;
	*size = mem_format("%" PRIu64 "%c", number, units[at]);
	return NULL;
}

char *bhyve_mac_text(const char *text)
{
	unsigned b[6];
	char *mac;

	/* ether_aton(3), which bhyve calls. */
	if (sscanf(text, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
		return NULL;
	for (size_t i = 0; i < 6; i++)
		b[i] &= 0xff;
	mac = mem_format("%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
	if (strcasecmp(mac, text) != 0)
		return mac;
	free(mac);
	return NULL;
}
