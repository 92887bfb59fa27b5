/* Answers and events for people, texts as JSON. */
#ifndef VMRUNCTL_CTL_SHOW_H
#define VMRUNCTL_CTL_SHOW_H

#include "cli/duration.h"

/* {"ok":false,"error":TEXT} */
void show_error_json(const char *text);
/* The answer to a status, a line a fact. */
void show_status(const char *answer);
/* An event in one line. */
void show_event(const char *line);
/* A member of an answer for a column: "-" where there is none. Caller frees. */
char *show_member(const char *answer, const char *key);
/* duration() of the milliseconds in an answer. */
const char *show_duration(const char *digits, char text[DURATION_TEXT]);

#endif
