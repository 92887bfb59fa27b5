/* The script: one letter per command.  README.md has the table. */
#ifndef GUEST_SCRIPT_H
#define GUEST_SCRIPT_H

void script_run(void);

#endif
