/* The status line. */
#include "status_line.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

#define CLEAR "\r\033[K"
/* A long line is cut instead of wrapped, because only the last of its rows could be rewritten. */
#define NO_WRAP "\033[?7l"
#define WRAP "\033[?7h"

/* Writes the text to the terminal, unless it is stopped (^S): then the text is dropped. */
static void put(const char *text)
{
	(void)output_some(STDERR_FILENO, text, strlen(text));
}

void status_line_show(struct status_line *l)
{
	char out[sizeof(l->text) + 32];

	if (*l->text == '\0' || l->shown)
		return;
	(void)snprintf(out, sizeof(out), NO_WRAP "%s" WRAP, l->text);
	put(out);
	l->shown = true;
}

void status_line_hide(struct status_line *l)
{
	if (l->shown)
		put(CLEAR);
	l->shown = false;
}

void status_line_set(struct status_line *l, const char *text, bool fresh)
{
	bool first = *l->text == '\0';

	if (strcmp(l->text, text) == 0)
		return;
	status_line_hide(l);
	(void)snprintf(l->text, sizeof(l->text), "%s", text);
	if (first && fresh)
		put("\r\n");
	status_line_show(l);
}

void status_line_end(struct status_line *l)
{
	status_line_hide(l);
	status_line_forget(l);
}

void status_line_forget(struct status_line *l)
{
	l->text[0] = '\0';
	l->shown = false;
}
