/* bhyve's command line, read as bhyve reads it. */
#ifndef IMPORT_BHYVE_ARGV_H
#define IMPORT_BHYVE_ARGV_H

#include <stdbool.h>

#include "base/pairs.h"
#include "base/report.h"
#include "base/words.h"
#include "device/device.h"

/* What a command says. */
struct bhyve_command {
	struct pairs tree;  /* the variables that it sets */
	struct words fwcfg; /* the arguments of -f, which set none */
	struct words extra; /* words to pass on as they are */
	struct words notes;
	bool is_nameless; /* the last problem is that the VM has no name */
	char *unread;	  /* the first file of -k that cannot be read, or NULL */
};

/*
 * Reads the words of a command; argv[0] is the program.  Relative files of -k start at `directory`.
 * Adds to the report what bhyve of that host would refuse.
 */
void bhyve_argv_read(struct bhyve_command *command, const struct words *argv,
    const struct bhyve_host *host, const char *directory, struct report *report);
/*
 * Lends the first of these words for bhyve that is neither an option nor the argument of one, where
 * getopt(3) stops reading; NULL if there is none.
 */
const char *bhyve_argv_operand(const struct words *words);
void bhyve_command_free(struct bhyve_command *command);
#define BHYVE_COMMAND_AUTO __attribute__((cleanup(bhyve_command_free)))

#endif
