/*
 * Settings that bhyve accepts and silently ignores: facts of bhyve(8), bhyve_config(5) and sources.
 */
#include "ignored.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pairs.h"

/* Variables of devices that bhyve cuts or replaces by a default. */
static const struct {
	const char *name;
	long min, max;	/* of a number; 0, 0: any */
	size_t longest; /* of a text; 0: any */
} limits[] = {
	{ "maxq", 1, 16, 0 },
	{ "qsz", 2, 65536, 0 },
	{ "ioslots", 1, 128, 0 },
	{ "nmrr", 0, 65535, 0 },
	{ "ser", 0, 0, 20 },
	{ "rev", 0, 0, 8 },
	{ "model", 0, 0, 40 },
	{ "password", 0, 0, 8 },
};

static bool is_within_limits(const char *name, const char *value)
{
	long number = strtol(value, NULL, 10);

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (strcmp(limits[i].name, name) != 0)
			continue;
		if (limits[i].longest != 0)
			return strlen(value) <= limits[i].longest * (strchr(value, '%') ? 2 : 1);
		return number >= limits[i].min && number <= limits[i].max;
	}
	return strcmp(name, "sectsz") != 0 || number == 512 || number == 4096 || number == 8192;
}

/* Returns whether bhyve reads pci.BUS.SLOT.FUNCTION: decimal numbers without leading zeros. */
static bool is_looked_up(const char *key)
{
	static const long most[] = { 255, 31, 7 };
	const char *p = key + strlen("pci");

	for (size_t i = 0; i < 3; i++) {
		char *end;
		long number = strtol(p + 1, &end, 10);
		MEM_AUTO char *again = mem_format(".%ld.", number);

		if (strncmp(p, again, strlen(again)) != 0 || number < 0 || number > most[i])
			return false;
		p = end;
	}
	return true;
}

/* Returns whether N of `vcpu.N.` or `domains.N.` is below the limit. */
static bool has_number_below(const char *key, long limit)
{
	return strtol(strchr(key, '.') + 1, NULL, 10) < limit;
}

static long count_domains(const struct pairs *vars)
{
	long count = 0;

	for (;; count++) {
		MEM_AUTO char *key = mem_format("domains.%ld.cpus", count);

		if (pairs_get(vars, key) == NULL)
			return count;
	}
}

static bool is_heard(const struct pairs *vars, const struct pair *p, bool arm64)
{
	const char *cpus = pairs_get(vars, "cpus"), *fwcfg = pairs_get(vars, "lpc.fwcfg");
	const char *dot = strrchr(p->key, '.');

	if (strncmp(p->key, "vcpu.", 5) == 0)
		return has_number_below(p->key, cpus == NULL ? 1 : strtol(cpus, NULL, 10));
	if (strncmp(p->key, "domains.", 8) == 0)
		return has_number_below(p->key, count_domains(vars));
	if (strcmp(p->key, "keyboard.layout") == 0)
		return strchr(p->value, '/') == NULL;
	if (arm64 && (strncmp(p->key, "lpc.", 4) == 0 || strncmp(p->key, "x86.", 4) == 0))
		return false;
	if (strncmp(p->key, "pci.", 4) != 0)
		return true;
	if (strcmp(dot, ".bootindex") == 0 && (fwcfg == NULL || strcmp(fwcfg, "qemu") != 0))
		return false;
	return is_looked_up(p->key) && is_within_limits(dot + 1, p->value);
}

char *ignored_line(const char *dump, bool arm64)
{
	struct pairs vars = { 0 };
	char *found = NULL;

	for (const char *line = dump; *line != '\0'; line += strcspn(line, "\n") + 1) {
		size_t n = strcspn(line, "=\n");
		MEM_AUTO char *key = mem_copy_n(line, n);
		MEM_AUTO char *value =
		    mem_copy_n(line + n + 1, line[n] == '=' ? strcspn(line + n + 1, "\n") : 0);

		pairs_add(&vars, key, value);
	}
	for (size_t i = 0; i < vars.count && found == NULL; i++) {
		if (!is_heard(&vars, &vars.item[i], arm64))
			found = mem_format("%s=%s", vars.item[i].key, vars.item[i].value);
	}
	pairs_free(&vars);
	return found;
}
