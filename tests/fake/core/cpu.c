/* Virtual CPUs: -c, -p, and what bhyve makes of the numbers. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CPUS = 65535 };

/* bhyve(8) of 13 had room for 256 host CPUs in a set, later ones for 1024. */
static int cpu_set_size(const struct vm *vm)
{
	return vm->host->release < 14 ? 256 : 1024;
}

int fk_take_topology(struct vm *vm, const char *text)
{
	static const char *const keys[] = { "cpus", "sockets", "cores", "threads" };
	char *copy = fk_copy_text(text, strlen(text)), *rest = copy, *piece, *equals;
	int rc = 0;
	size_t i;

	if (text[0] == '\0') { /* the manual's [[cpus=]numcpus] may be left out whole */
		for (i = 1; i <= 4 && rc == 0; i++)
			rc = fk_set(vm, keys[i % 4], "1");
		rest = NULL;
	}
	while (rc == 0 && (piece = fk_cut_piece(&rest, ',')) != NULL) {
		equals = strchr(piece, '=');
		if (equals != NULL)
			*equals = '\0';
		for (i = 0; equals != NULL && i < 4 && strcmp(piece, keys[i]) != 0;)
			i++;
		if (equals == NULL)
			rc = fk_set(vm, "cpus", piece);
		else if (i < 4)
			rc = fk_set(vm, keys[i], equals + 1);
		else
			rc = fk_fail(vm, EXIT_USAGE, "invalid cpu topology '%s'", text);
	}
	free(copy);
	return rc;
}

static int append_pin(struct vm *vm, int cpu, const char *host_cpus)
{
	char key[40], *longer;
	const char *old;
	int rc;

	(void)snprintf(key, sizeof(key), "vcpu.%d.cpuset", cpu);
	old = fk_get(vm, key);
	if (old == NULL)
		return fk_set(vm, key, host_cpus);
	longer = fk_join(old, ",", host_cpus);
	rc = fk_set(vm, key, longer);
	free(longer);
	return rc;
}

/* 16 only: a range on either side; every CPU of the left one may run on all of the right one. */
static bool scan_pin_range(const char *text, int *cpu, int *last, int *host, int *host_last)
{
	if (sscanf(text, "%d-%d:%d-%d", cpu, last, host, host_last) == 4)
		return true;
	if (sscanf(text, "%d:%d-%d", cpu, host, host_last) == 3) {
		*last = *cpu;
		return true;
	}
	if (sscanf(text, "%d-%d:%d", cpu, last, host) == 3) {
		*host_last = *host;
		return true;
	}
	return false;
}

int fk_take_pin(struct vm *vm, const char *text)
{
	int cpu, last, host, host_last, size = cpu_set_size(vm), rc = 0;
	char list[40];

	if (vm->host->release < 16 || !scan_pin_range(text, &cpu, &last, &host, &host_last)) {
		if (sscanf(text, "%d:%d", &cpu, &host) != 2)
			return fk_fail(vm, EXIT_USAGE, "invalid vcpu pinning '%s'", text);
		last = cpu;
		host_last = host;
	}
	if (cpu < 0 || last < cpu || last - cpu > MAX_CPUS)
		return fk_fail(vm, EXIT_USAGE, "invalid vcpu in pinning '%s'", text);
	if (host < 0 || host_last < host || host_last >= size)
		return fk_fail(
		    vm, EXIT_USAGE, "hostcpu outside of 0 to %d in '%s'", size - 1, text);
	if (host == host_last)
		(void)snprintf(list, sizeof(list), "%d", host);
	else
		(void)snprintf(list, sizeof(list), "%d-%d", host, host_last);
	for (; rc == 0 && cpu <= last; cpu++)
		rc = append_pin(vm, cpu, list);
	return rc;
}

static int read_count(struct vm *vm, const char *key, int *count)
{
	const char *text = fk_get(vm, key);
	char *end;
	long number;

	if (text == NULL)
		return 0;
	errno = 0;
	number = strtol(text, &end, 0);
	if (errno != 0 || *end != '\0' || end == text || number < 1 || number > MAX_CPUS)
		return fk_fail(vm, EXIT_BAD, "invalid value for %s: '%s'", key, text);
	*count = (int)number;
	return 0;
}

int fk_check_topology(struct vm *vm)
{
	int cpus = 0, sockets = 0, cores = 1, threads = 1, rc;
	int64_t product;

	if ((rc = read_count(vm, "cpus", &cpus)) != 0 ||
	    (rc = read_count(vm, "cores", &cores)) != 0 ||
	    (rc = read_count(vm, "threads", &threads)) != 0 ||
	    (rc = read_count(vm, "sockets", &sockets)) != 0)
		return rc;
	if (sockets == 0)
		sockets = cpus == 0 ? 1 : cpus;
	product = (int64_t)sockets * cores * threads;
	if (product > MAX_CPUS)
		return fk_fail(vm, EXIT_BAD, "too many virtual CPUs: %lld", (long long)product);
	if (cpus != 0 && cpus != product)
		return fk_fail(vm, EXIT_BAD,
		    "topology (%d sockets, %d cores, %d threads) does not match %d CPUs", sockets,
		    cores, threads, cpus);
	vm->cpus = (int)product;
	return 0;
}

/* A list as `1-3,7`, every number below `limit`. */
int fk_check_cpu_list(struct vm *vm, const char *list, int limit, int *highest)
{
	long start = -1;
	const char *at = list;
	char *end;

	for (;; at = end + 1) {
		unsigned long number = strtoul(at, &end, 0);

		if (end == at || strchr(",-", *end) == NULL || (*end == '-' && start >= 0))
			return fk_fail(vm, EXIT_BAD, "invalid list of CPUs '%s'", list);
		if (number >= (unsigned long)limit)
			return fk_fail(
			    vm, EXIT_BAD, "CPU outside of 0 to %d in '%s'", limit - 1, list);
		if ((long)number < start)
			return fk_fail(vm, EXIT_BAD, "invalid range of CPUs in '%s'", list);
		if ((int)number > *highest)
			*highest = (int)number;
		start = *end == '-' ? (long)number : -1;
		if (*end == '\0')
			return 0;
	}
}

/* Pins of CPUs that the VM has not are never looked at. */
int fk_check_pins(struct vm *vm)
{
	char key[40];
	const char *list;
	int cpu, rc = 0;

	vm->highest_pin = -1;
	if (fk_node_at(vm->tree->root, "vcpu", false) == NULL)
		return 0;
	for (cpu = 0; rc == 0 && cpu < vm->cpus; cpu++) {
		(void)snprintf(key, sizeof(key), "vcpu.%d.cpuset", cpu);
		list = fk_get(vm, key);
		if (list != NULL)
			rc = fk_check_cpu_list(vm, list, cpu_set_size(vm), &vm->highest_pin);
	}
	return rc;
}
