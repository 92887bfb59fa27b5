/* Files of other programs that may be given as a spec. */
#ifndef CONFIG_FOREIGN_H
#define CONFIG_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

#define FOREIGN_VM_BHYVE "a vm-bhyve configuration"
#define FOREIGN_BHYVE_CONFIG "a bhyve_config(5) file"
#define FOREIGN_SCRIPT "a shell script"
#define FOREIGN_COMMAND "a bhyve command line"

#define FOREIGN_MARK "\xef\xbb\xbf" /* of the byte order, at the start of a text in UTF-8 */

/* Returns whether a text begins as JSON does, and as neither a shell's text nor a page does. */
bool foreign_is_json(const char *text, size_t length);
/*
 * Returns what a text is that another program reads, one of the names above; NULL if it looks like
 * none of them.  Static text.
 */
const char *foreign_kind(const char *text, size_t length);

#endif
