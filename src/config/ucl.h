/* Specs in UCL, which uclcmd of the port textproc/uclcmd converts to JSON. */
#ifndef CONFIG_UCL_H
#define CONFIG_UCL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define MAX_UCL_MS 10000 /* time limit of uclcmd */

struct ucl {
	char *json; /* owned; unchecked, but not blank */
	size_t length;
	char *remarks; /* owned: remarks of uclcmd on stderr as one line, or NULL */
};

/*
 * Runs uclcmd on a file.  Fails with STATUS_NO_INPUT if uclcmd is missing, exceeds the limit or
 * writes more than a spec may have; with STATUS_SPEC and uclcmd's message if it refuses the file;
 * with STATUS_OS.  On failure *out is empty, and the text does not name the file.
 */
int ucl_read(const char *file, int64_t limit_ms, struct ucl *out, struct error *err);
void ucl_free(struct ucl *ucl);

#endif
