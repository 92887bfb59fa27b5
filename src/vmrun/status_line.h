/* The status line: the last line of a terminal, rewritten in place. */
#ifndef VMRUN_STATUS_LINE_H
#define VMRUN_STATUS_LINE_H

#include <stdbool.h>

/* Zeroed: no line. */
struct status_line {
	char text[512];
	bool shown;
};

/* Returns whether stderr is a terminal that can rewrite a line, with vmrun in its foreground. */
bool status_line_is_possible(void);
/* Shows this text in place of the last one; `fresh` begins a new line, if the guest's console may
 * have left one unfinished. */
void status_line_set(struct status_line *line, const char *text, bool fresh);
/* Removes the line from the screen while something else is written, until status_line_show(). */
void status_line_hide(struct status_line *line);
/* Shows the line again. */
void status_line_show(struct status_line *line);
/* Removes the line and forgets its text. */
void status_line_end(struct status_line *line);
/* Forgets the line, which stays on the screen; the cursor is below it. */
void status_line_forget(struct status_line *line);

#endif
