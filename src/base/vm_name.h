/* What may be the name of a VM: it stands in paths, commands and messages. */
#ifndef BASE_VM_NAME_H
#define BASE_VM_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"

#define MAX_VM_NAME 64 /* bytes */

/* The rule in words, for messages; the argument of its %d is MAX_VM_NAME. */
#define VM_NAME_RULE \
	"letters, digits, '.', '_' and '-', the first a letter or digit, at most %d of them"

/*
 * Returns whether a VM can have the name.  bhyve allows more, but devfs, shells and `%` expansion
 * do not: see bhyve_config(5).
 */
static inline bool vm_name_is_valid(const char *name)
{
	static const char allowed[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz._-";
	size_t n = strspn(name, allowed);

	return n > 0 && n <= MAX_VM_NAME && name[n] == '\0' && strchr("._-", *name) == NULL;
}

/* Returns 0, or -1 with STATUS_USAGE, also for NULL. */
static inline int vm_name_check(const char *name, struct error *err)
{
	if (name != NULL && vm_name_is_valid(name))
		return 0;
	return error_set(err, STATUS_USAGE, "invalid VM name \"%s\": expected " VM_NAME_RULE,
	    name == NULL ? "" : name, MAX_VM_NAME);
}

#endif
