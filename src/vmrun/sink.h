/* Where messages go: stderr or syslog, as text or JSON, and how important they have to be. */
#ifndef VMRUN_SINK_H
#define VMRUN_SINK_H

#include <stdarg.h>
#include <stdbool.h>

#include "live.h"
#include "vmrun/vmrun.h"

enum level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };

struct sink {
	enum level most; /* what matters less is not said */
	bool json, syslog;
	struct live live; /* what stands below all that is said */
	bool console;	  /* a hypervisor has the terminal, perhaps in raw mode */
	bool stuck; /* nobody reads our stderr: what does not fit is dropped until somebody does */
};

/* Is it read at a terminal that can show a line below all others, which is rewritten in place? */
bool sink_has_live(const struct sink *sink);
/* The words of --log-level; false for any other. */
bool sink_level(const char *name, enum level *out);
/* Opens the system's log, if the sink goes there. */
void sink_open(const struct sink *sink);
/* Says it: for people each line with the program's name before it. */
void sink_say(struct sink *sink, enum level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void sink_vsay(struct sink *sink, enum level level, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));
/* Says lines as they are: a report for people. */
void sink_lines(struct sink *sink, enum level level, const char *text);
/* Writes text as it is, without a line's end. */
void sink_text(struct sink *sink, const char *text);
/* Says an event in JSON. */
void sink_event(struct sink *sink, enum level level, const struct vmrun_event *event);
/* What is wrong with a spec is said on stderr always, to whoever started us. */
void sink_problem(struct sink *sink, const struct vmrun_problem *problem);

#endif
