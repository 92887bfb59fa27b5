/* The status line. */
#include "status_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

#define CLEAR "\r\033[K"
/* A long line is cut, not wrapped: of two rows only the second could be rewritten. */
#define NO_WRAP "\033[?7l"
#define WRAP "\033[?7h"

/* Writes the text; a stopped terminal (^S) loses it, and gets the next one. */
static void put(const char *text)
{
	(void)output_some(STDERR_FILENO, text, strlen(text));
}

bool live_is_possible(void)
{
	const char *term = getenv("TERM");

	return term != NULL && *term != '\0' && strcmp(term, "dumb") != 0 &&
	    isatty(STDERR_FILENO) != 0 && tcgetpgrp(STDERR_FILENO) == getpgrp();
}

void live_show(struct live *l)
{
	char out[sizeof(l->text) + 32];

	if (*l->text == '\0' || l->shown)
		return;
	(void)snprintf(out, sizeof(out), NO_WRAP "%s" WRAP, l->text);
	put(out);
	l->shown = true;
}

void live_hide(struct live *l)
{
	if (l->shown)
		put(CLEAR);
	l->shown = false;
}

void live_set(struct live *l, const char *text, bool fresh)
{
	bool first = *l->text == '\0';

	if (strcmp(l->text, text) == 0)
		return;
	live_hide(l);
	(void)snprintf(l->text, sizeof(l->text), "%s", text);
	if (first && fresh)
		put("\r\n");
	live_show(l);
}

void live_end(struct live *l)
{
	live_hide(l);
	live_leave(l);
}

void live_leave(struct live *l)
{
	l->text[0] = '\0';
	l->shown = false;
}
