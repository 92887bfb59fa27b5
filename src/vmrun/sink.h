/* The destination of messages: stderr or syslog, as text or JSON. */
#ifndef VMRUN_SINK_H
#define VMRUN_SINK_H

#include <stdarg.h>
#include <stdbool.h>

#include "status_line.h"
#include "vmrun/vmrun.h"

enum level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG, LEVELS };

struct sink {
	enum level max_level; /* messages of a later level are dropped */
	bool json, syslog;
	bool times;	 /* messages begin with the time, in text to stderr */
	int64_t time_ms; /* of the event that is being written; 0: none, the present time */
	struct status_line status_line; /* the status line below all messages */
	bool console; /* the hypervisor has the terminal, which may be in raw mode */
	bool stuck;   /* stderr is full: messages are dropped until it accepts output */
};

/* Returns whether the sink can show a status line below all messages. */
bool sink_has_status_line(const struct sink *sink);
/* Finds a level by its name; returns false for an unknown name. */
bool sink_level(const char *name, enum level *out);
/* Opens syslog, if the sink uses it. */
void sink_open(const struct sink *sink);
/*
 * Decides whether the messages of a run begin with the time: always, never, or where stderr is
 * neither a terminal nor the journal, which has times of its own.  Messages in JSON have a member.
 */
void sink_set_times(struct sink *sink, bool always, bool never);
/* Writes a message; each line of text begins with the program's name. */
void sink_say(struct sink *sink, enum level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void sink_vsay(struct sink *sink, enum level level, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));
/* Writes the lines of a report, without the program's name. */
void sink_lines(struct sink *sink, enum level level, const char *text);
/* Writes text without a newline. */
void sink_text(struct sink *sink, const char *text);
/* Writes an event as JSON. */
void sink_event(struct sink *sink, enum level level, const struct vmrun_event *event);
/* Writes a problem of a spec to stderr, and also to syslog if the sink uses it. */
void sink_problem(struct sink *sink, const struct vmrun_problem *problem);

#endif
