/* The history of exits: counts, the file of the history, and the event of each exit. */
#ifndef MACHINE_HISTORY_H
#define MACHINE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "hyper/hyper.h"
#include "ledger/history_file.h"
#include "spec/cause.h"

struct machine;
struct node;

#define MAX_HISTORY 64 /* exits remembered for hooks */

struct exit_record {
	enum cause cause;
	int status, signal;
	int64_t uptime_ms;
	int64_t at_ms;
	const char *ended_by; /* see struct history */
	char *target;
	char *last_line; /* of stderr, or NULL */
	size_t packed;	 /* its bytes in struct history.packed */
};

/* The boots and exits so far. */
struct history {
	int64_t boots;		/* started so far */
	int64_t ends;		/* exits, including boots that failed before they ran */
	struct outcome outcome; /* of the last boot */
	int64_t uptime_ms;	/* of the last boot */
	int64_t counts[CAUSES];
	int64_t exit_date_ms; /* of the last boot's end, by clock_date_ms(); 0: none has ended */
	/* What ended the last boot: "guest", or a step of the stop ladder, or NULL. */
	const char *ended_by;
	struct exit_record *exit; /* the last MAX_HISTORY of them, a ring */
	size_t count;		  /* exits ever added */
	/* All of the ring as text, the newest first, which lua/answers.lua reads when it must. */
	struct str packed;
	struct history_file file;
	bool file_warned;  /* a warning has said that the file cannot be written */
	char *how;	   /* the last boot ended, as text for the user; NULL: none has */
	char *did;	   /* what a step of the stop ladder did then, likewise */
	int guest_status;  /* of the last hypervisor, 128 + N after signal N; -1: none has ended */
	bool is_unwritten; /* that boot has no line in the file yet */
	uint64_t console_at; /* bytes that the console had printed when the boot began */
	/* Its line for the file, for which the next boot need not wait; or NULL. */
	struct history_line *line;
};

/* Makes the failure the outcome, reports it and adds it to the history. */
void history_add_failure(struct machine *m, enum cause cause, const char *text);
/* Adds the present outcome to the history. */
void history_add(struct machine *m);
/*
 * Reports the exit of the present boot.  why: in place of the text of its cause, for a
 * boot that starts again and has no line in the file of the history, or NULL.
 */
void history_say_end(struct machine *m, const char *why);
/* Notes how the present boot ended, for its line in the file of the history. */
void history_note_end(struct machine *m, const char *cause_text);
/* Finds what ended the present boot, before a request changes its cause. */
void history_find_end(struct machine *m);
/* Begins the file of the history, and adds the line of a vmrun that died. */
void history_begin(struct machine *m);
/*
 * Makes the line of the boot that ended, unless that is done, with what follows; by may be NULL.
 * history_flush() writes it.
 */
void history_note_boot(struct machine *m, const char *follows, const char *next, const char *by);
/* Writes the line that was made last.  At the latest it is written before the loop waits. */
void history_flush(struct machine *m);
/* Adds the line of this vmrun, which ends.  closed: why it does so before its VM, or NULL. */
void history_write_end(struct machine *m, const char *closed);
/* Returns the last `most` exits, a line each, the newest last. The caller frees it. */
char *history_report(const struct machine *m, size_t most);
/* Returns what hooks are told about the last exit. The caller frees it. */
struct node *history_facts(const struct machine *m);
/*
 * Returns what few of them look at: the last exits as text, and the count of each cause. The caller
 * frees it.
 */
struct node *history_past(const struct machine *m);
/* Writes the line that was made last, closes the file and frees everything. */
void history_free(struct machine *m);

#endif
