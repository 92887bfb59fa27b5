/* Private to the ledger: what it holds, and the file as text. */
#ifndef LEDGER_LEDGER_FILE_H
#define LEDGER_LEDGER_FILE_H

#include "ledger/ledger.h"
#include "ledger/vmlock.h"

#define LEDGER_HYPERVISOR "hypervisor" /* among the processes of the file */

/* What the file says. */
struct ledger_content {
	pid_t supervisor;		  /* vmrun that wrote it */
	struct words dead;		  /* pids of those before it, until all is undone */
	struct ledger_process hypervisor; /* pid 0: none was started; or its loader */
	struct ledger_process *process;	  /* the others */
	size_t process_count;
	struct ledger_thing *thing;
	size_t thing_count;
	struct words sockets, pid_files, destroy;
};

struct ledger {
	struct ledger_options options;
	char *directory, *vm;
	struct ledger_content content;
	struct vmlock lock;
	char *text; /* as it stands in the file; NULL: there is none, or it is not known */
	bool needs_recovery;
	bool warned;
	/* What the file of a dead vmrun said, to be put back by ledger_restore(). */
	pid_t previous_supervisor;
	size_t previous_dead_count, previous_pid_file_count;
};

/* Writes the file, unless it says so already. */
int ledger_write(struct ledger *l, struct error *err);
/* The same where nothing new is taken: the host is what it is, so a failure is only told. */
void ledger_update(struct ledger *l);
bool ledger_is_alive(pid_t pid, int64_t start);
/* Takes the last words off a list, down to this many. */
void ledger_truncate(struct words *w, size_t count);

/* Returns the text of the file. Caller frees. */
char *ledger_content_text(const struct ledger_content *c, const char *vm);
/* Reads such a text, or that of vmrun 0.1. False when it is not one: *out is empty then. */
bool ledger_content_read(struct ledger_content *out, const char *text);
void ledger_content_clear(struct ledger_content *c);
/* Adds a copy. */
void ledger_content_add_thing(struct ledger_content *c, const struct ledger_thing *thing);
void ledger_content_drop_thing(struct ledger_content *c, size_t index);
struct ledger_process *ledger_content_add_process(struct ledger_content *c, const char *name);
void ledger_content_drop_process(struct ledger_content *c, size_t index);

#endif
