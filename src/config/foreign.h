/* Files of other programs that may be given as a spec. */
#ifndef CONFIG_FOREIGN_H
#define CONFIG_FOREIGN_H

#include <stddef.h>

#define FOREIGN_VM_BHYVE "a vm-bhyve configuration"

/*
 * Returns what a text is that another program reads: "a vm-bhyve configuration", "a bhyve_config(5)
 * file", "a shell script", "a bhyve command line"; NULL if it looks like none of them.  Static
 * text.
 */
const char *foreign_kind(const char *text, size_t length);

#endif
