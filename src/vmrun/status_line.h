/* The status line: the last line of the terminal, rewritten in place. */
#ifndef VMRUN_STATUS_LINE_H
#define VMRUN_STATUS_LINE_H

#include <stdbool.h>

/* Zeroed, there is no line. */
struct status_line {
	char text[512];
	bool shown;
};

/*
 * Replaces the text of the line; `fresh` starts it on a new line, because the guest's console may
 * have left its last line unfinished.
 */
void status_line_set(struct status_line *line, const char *text, bool fresh);
/* Removes the line from the screen, until status_line_show(), so that other text can be written. */
void status_line_hide(struct status_line *line);
/* Shows the line again. */
void status_line_show(struct status_line *line);
/* Removes the line and forgets its text. */
void status_line_end(struct status_line *line);
/* Forgets the line but leaves it on the screen, with the cursor below it. */
void status_line_forget(struct status_line *line);

#endif
