/* The status line: the last line of a terminal, rewritten in place. */
#ifndef VMRUN_STATUS_LINE_H
#define VMRUN_STATUS_LINE_H

#include <stdbool.h>

/* Zeroed: no line. */
struct live {
	char text[512];
	bool shown;
};

/* Returns whether stderr is a terminal that can rewrite a line, with vmrun in its foreground. */
bool live_is_possible(void);
/* Shows this text in place of the last one; `fresh` begins a new line, if the guest's console may
 * have left one unfinished. */
void live_set(struct live *live, const char *text, bool fresh);
/* Removes the line from the screen while something else is written, until live_show(). */
void live_hide(struct live *live);
/* Shows the line again. */
void live_show(struct live *live);
/* Removes the line and forgets its text. */
void live_end(struct live *live);
/* Forgets the line, which stays on the screen; the cursor is below it. */
void live_leave(struct live *live);

#endif
