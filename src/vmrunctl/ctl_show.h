/* Answers and events as text, and errors as JSON. */
#ifndef VMRUNCTL_CTL_SHOW_H
#define VMRUNCTL_CTL_SHOW_H

#include "cli/duration.h"

/* Prints {"ok":false,"error":TEXT}. */
void show_error_json(const char *text);
/* Prints the answer to a status request, one fact per line. */
void show_status(const char *answer);
/* Prints an event as one line. */
void show_event(const char *line);
/*
 * Returns a member of an answer, with its control characters as spaces, or "-" if it is missing.
 * Caller frees.
 */
char *show_member(const char *answer, const char *key);
/* Writes the milliseconds of an answer as duration() does. */
const char *show_duration(const char *digits, char text[DURATION_TEXT]);

#endif
