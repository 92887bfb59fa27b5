/* Guest memory: -m and the NUMA domains of -n. */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MEBI = 1 << 20, MAX_DOMAINS = 8, MAX_ID = 255, CPU_LIST_SIZE = 1024 };

/* What may follow the number and its unit: 13 and 14 do not look, later ones take a `B`. */
static bool good_tail(const struct vm *vm, const char *tail)
{
	return vm->host->release < 15 || tail[0] == '\0' ||
	    (toupper((unsigned char)tail[0]) == 'B' && tail[1] == '\0');
}

static bool read_size(const struct vm *vm, const char *text, uint64_t *size)
{
	static const char units[] = "bkmgtpe";
	const char *unit;
	char *end;
	unsigned long long number;
	int shift;

	errno = 0;
	number = strtoull(text, &end, 0);
	if (end == text)
		return false;
	if (*end == '\0') { /* as ever: a small number without a unit is in MiB */
		*size = number < MEBI ? number * MEBI : number;
		return true;
	}
	unit = strchr(units, tolower((unsigned char)*end));
	if (errno != 0 || unit == NULL || !good_tail(vm, end + 1))
		return false;
	shift = 10 * (int)(unit - units);
	*size = (uint64_t)number << shift;
	return *size >> shift == number;
}

int fk_check_memory_size(struct vm *vm)
{
	const char *text = fk_get(vm, "memory.size");

	if (text == NULL || !read_size(vm, text, &vm->memory))
		return fk_fail(vm, EXIT_USAGE, "invalid memsize '%s'", text == NULL ? "" : text);
	return 0;
}

static int read_id(struct vm *vm, const char *text, long *id)
{
	char *end;

	errno = 0;
	*id = strtol(text, &end, 0);
	if (errno != 0 || end == text || *end != '\0' || *id < 0 || *id > MAX_ID)
		return fk_fail(vm, EXIT_BAD, "invalid value for id: '%s'", text);
	return 0;
}

/* Pieces that it does not know are left alone, also the rest of a `cpus=0,1`. */
static int take_domain_pieces(struct vm *vm, char *rest, long *id, const char *values[3])
{
	static const char *const keys[] = { "size=", "domain_policy=", "cpus=" };
	char *piece;
	size_t i;

	while ((piece = fk_cut_piece(&rest, ',')) != NULL) {
		if (strncmp(piece, "id=", 3) == 0 && read_id(vm, piece + 3, id) != 0)
			return EXIT_BAD;
		for (i = 0; i < 3; i++)
			if (strncmp(piece, keys[i], strlen(keys[i])) == 0)
				values[i] = piece + strlen(keys[i]);
	}
	return 0;
}

int fk_take_domain(struct vm *vm, const char *text)
{
	static const char *const names[] = { "size", "domain_policy", "cpus" };
	const char *values[3] = { NULL, NULL, NULL };
	char *copy, path[40];
	struct fake_node *node;
	bool acpi = false;
	long id = -1;
	size_t i;
	int rc = fk_get_bool(vm, "acpi_tables", &acpi);

	if (rc != 0)
		return rc;
	if (!acpi)
		return fk_fail(vm, EXIT_USAGE, "domains need ACPI tables");
	copy = fk_copy_text(text, strlen(text));
	rc = take_domain_pieces(vm, copy, &id, values);
	if (rc == 0 && id < 0)
		rc = fk_fail(vm, EXIT_USAGE, "no domain id in '%s'", text);
	if (rc == 0) {
		(void)snprintf(path, sizeof(path), "domains.%ld", id);
		node = fk_node_at(vm->tree->root, path, true);
		if (node == NULL)
			rc = fk_fail(vm, EXIT_BAD, "%s is a value", path);
		for (i = 0; rc == 0 && i < 3; i++)
			if (values[i] != NULL)
				rc = fk_set_child(vm, node, names[i], values[i]);
	}
	free(copy);
	return rc;
}

/* The policies of cpuset(1) -n. */
static bool good_policy(struct vm *vm, const char *policy)
{
	static const char *const words[] = { "first-touch", "ft", "round-robin", "rr" };
	static const char *const lists[] = { "prefer:", "interleave:", "il:" };
	int highest = -1;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(policy, words[i]) == 0)
			return true;
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strncmp(policy, lists[i], strlen(lists[i])) == 0)
			return fk_check_cpu_list(
				   vm, policy + strlen(lists[i]), MAX_ID + 1, &highest) == 0;
	return false;
}

static struct fake_node *domain(const struct vm *vm, int id)
{
	char path[40];

	(void)snprintf(path, sizeof(path), "domains.%d", id);
	return fk_node_at(vm->tree->root, path, false);
}

/* Domains after a gap in the numbers are not looked at. */
int fk_check_domains(struct vm *vm)
{
	uint64_t size, sum = 0;
	bool all_sized = true;
	const struct fake_node *node;
	const char *text;
	int id, rc = 0;

	for (id = 0; id < MAX_DOMAINS && (node = domain(vm, id)) != NULL; id++) {
		text = fk_get_child(vm, node, "size");
		size = 0;
		if (text != NULL && !read_size(vm, text, &size))
			return fk_fail(
			    vm, EXIT_USAGE, "invalid memsize for domain %d: '%s'", id, text);
		if (text != NULL && (size == 0 || size % PAGE != 0))
			rc = EXIT_BAD;
		all_sized = all_sized && text != NULL;
		sum += size;
		text = fk_get_child(vm, node, "domain_policy");
		if (text != NULL && !good_policy(vm, text))
			return fk_fail(
			    vm, EXIT_USAGE, "invalid policy for domain %d: '%s'", id, text);
	}
	if (id > 0 && all_sized)
		vm->memory = sum;
	else if (id > 0)
		fk_warn(vm, "a domain without a size: memory is split evenly");
	return rc == 0 ? 0 : fk_fail(vm, rc, "unable to setup memory (22)");
}

int fk_check_domain_cpus(struct vm *vm)
{
	const struct fake_node *node;
	const char *list;
	int id, rc, highest = -1;

	for (id = 0; id < MAX_DOMAINS && (node = domain(vm, id)) != NULL; id++) {
		list = fk_get_child(vm, node, "cpus");
		if (list == NULL)
			return fk_fail(vm, EXIT_BAD, "no CPUs for domain %d", id);
		rc = fk_check_cpu_list(vm, list, CPU_LIST_SIZE, &highest);
		if (rc != 0)
			return rc;
	}
	return 0;
}
