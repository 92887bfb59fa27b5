/* A line for a terminal that begins with the name of a VM. */
#ifndef CLI_HEAD_H
#define CLI_HEAD_H

/*
 * Returns "NAME: TEXT" behind `program`, which is "vmrun: " or ""; a long name is cut where a
 * terminal of 80 columns then shows all of the text.  Caller frees.
 */
char *head_line(const char *program, const char *name, const char *text);

#endif
