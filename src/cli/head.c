/* Lines that begin with the name of a VM. */
#include "cli/head.h"

#include <string.h>

#include "base/mem.h"

#define MAX_COLUMNS 79 /* one less than those of the usual terminal */

char *head_line(const char *program, const char *name, const char *text)
{
	static const char cut[] = "...";
	size_t used = strlen(program) + strlen(": ") + strlen(text);
	size_t space = used < MAX_COLUMNS ? MAX_COLUMNS - used : 0;

	if (strlen(name) <= space || space <= strlen(cut))
		return mem_format("%s%s: %s", program, name, text);
	space -= strlen(cut);
	return mem_format("%s%.*s%s: %s", program, (int)space, name, cut, text);
}
