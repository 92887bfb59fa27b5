/* Files of other programs that may be given as a spec. */
#ifndef CONFIG_FOREIGN_H
#define CONFIG_FOREIGN_H

#include <stddef.h>

#define FOREIGN_VM_BHYVE "a vm-bhyve configuration"
#define FOREIGN_BHYVE_CONFIG "a bhyve_config(5) file"
#define FOREIGN_SCRIPT "a shell script"
#define FOREIGN_COMMAND "a bhyve command line"

/*
 * Returns what a text is that another program reads, one of the names above; NULL if it looks like
 * none of them.  Static text.
 */
const char *foreign_kind(const char *text, size_t length);

#endif
