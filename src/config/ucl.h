/* Specs in UCL: uclcmd, of the port textproc/uclcmd, says in JSON what stands in a file. */
#ifndef CONFIG_UCL_H
#define CONFIG_UCL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define MAX_UCL_MS 10000 /* what uclcmd is given for a spec */

struct ucl {
	char *json; /* owned; not checked, but more than blanks */
	size_t length;
	char *words; /* owned: what uclcmd said on stderr all the same, in one line; or NULL */
};

/*
 * Runs uclcmd on a file.  Fails with STATUS_NO_INPUT when uclcmd is missing, is not done within the
 * limit or writes more than a spec can be; with STATUS_SPEC when it refuses the file, in its own
 * words; with STATUS_OS.  The text does not name the file, and *out is empty then.
 */
int ucl_read(const char *file, int64_t limit_ms, struct ucl *out, struct error *err);
void ucl_free(struct ucl *ucl);

#endif
