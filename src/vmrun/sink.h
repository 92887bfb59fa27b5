/* The destination of messages: stderr or syslog, as text or JSON, from one level on. */
#ifndef VMRUN_SINK_H
#define VMRUN_SINK_H

#include <stdarg.h>
#include <stdbool.h>

#include "status_line.h"
#include "vmrun/vmrun.h"

enum level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG, LEVELS };

struct sink {
	enum level max_level; /* less important messages are dropped */
	bool json, syslog;
	struct status_line status_line; /* the status line below all messages */
	bool console; /* the hypervisor has the terminal, which may be in raw mode */
	bool stuck;   /* stderr is full: messages are dropped until it is read */
};

/* Returns whether the sink can show a status line, rewritten in place, below all messages. */
bool sink_has_status_line(const struct sink *sink);
/* Finds the level of a word of --log-level; returns false for any other word. */
bool sink_level(const char *name, enum level *out);
/* Opens syslog, if the sink goes there. */
void sink_open(const struct sink *sink);
/* Writes a message; as text, each line begins with the program's name. */
void sink_say(struct sink *sink, enum level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void sink_vsay(struct sink *sink, enum level level, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));
/* Writes lines as they are: a report. */
void sink_lines(struct sink *sink, enum level level, const char *text);
/* Writes text as it is, without a newline. */
void sink_text(struct sink *sink, const char *text);
/* Writes an event as JSON. */
void sink_event(struct sink *sink, enum level level, const struct vmrun_event *event);
/* Writes a problem of a spec, always to stderr, and to syslog if the sink goes there. */
void sink_problem(struct sink *sink, const struct vmrun_problem *problem);

#endif
