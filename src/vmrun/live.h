/* A line at the foot of a terminal that is rewritten in place. */
#ifndef VMRUN_LIVE_H
#define VMRUN_LIVE_H

#include <stdbool.h>

/* Zeroed: there is none. */
struct live {
	char text[512];
	bool shown;
};

/* Is stderr a terminal that can rewrite a line, and are we in its foreground? */
bool live_is_possible(void);
/* Shows this in place of what stood there; `fresh` begins a line of its own, where somebody else
 * may have left one unfinished. */
void live_set(struct live *live, const char *text, bool fresh);
/* Takes it off the screen while something else is written; live_show() puts it back. */
void live_hide(struct live *live);
void live_show(struct live *live);
/* Takes it away for good. */
void live_end(struct live *live);
/* Leaves it where it stands: the cursor is below it. */
void live_leave(struct live *live);

#endif
