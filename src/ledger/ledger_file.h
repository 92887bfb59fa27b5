/* Private to the ledger: its content, and the content as the text of the file. */
#ifndef LEDGER_LEDGER_FILE_H
#define LEDGER_LEDGER_FILE_H

#include "ledger/ledger.h"
#include "ledger/vmlock.h"

/* The hypervisor's name in the list of processes. */
#define LEDGER_HYPERVISOR "hypervisor"

/* The content of the file. */
struct ledger_content {
	pid_t supervisor;  /* the vmrun that wrote it */
	char *boot;	   /* os_boot_id() of that time; NULL: not known */
	struct words dead; /* pids of those before it, until their things are undone */
	struct ledger_process hypervisor; /* or its loader; pid 0: none was started */
	struct ledger_process *process;	  /* the others */
	size_t process_count;
	struct ledger_thing *thing;
	size_t thing_count;
	struct words sockets, pid_files, destroy;
};

struct ledger {
	struct ledger_options options;
	char *directory, *vm;
	char *changes; /* the file that commands lock; NULL: nothing is written */
	struct ledger_content content;
	struct vmlock lock;
	char *text;	 /* the file's text; NULL: not known */
	bool is_written; /* the file has the content, so that a change alone needs a new text */
	bool needs_recovery;
	bool warned;
	bool only_looks; /* ledger_look(): nothing on the host changes */
	/* Numbers from the file of a dead vmrun, for ledger_restore(). */
	pid_t previous_supervisor;
	size_t previous_dead_count, previous_pid_file_count;
};

/* Writes the file unless its text would be the same. */
int ledger_write(struct ledger *l, struct error *err);
/* Writes the file when nothing new is taken: a failure is only a warning. */
void ledger_update(struct ledger *l);
/* Returns whether the process of that pid and start time exists. */
bool ledger_is_alive(pid_t pid, int64_t start);

/* Returns the content as the text of the file. Caller frees. */
char *ledger_content_text(const struct ledger_content *c, const char *vm);
/* Reads the text of a ledger, vmrun 0.1's too. Returns false, *out empty, if malformed. */
bool ledger_content_read(struct ledger_content *out, const char *text);
/* Frees what the content owns and zeroes it. */
void ledger_content_clear(struct ledger_content *c);
/* Adds a copy of the thing. */
void ledger_content_add_thing(struct ledger_content *c, const struct ledger_thing *thing);
/* Drops the thing or the process at the index. */
void ledger_content_drop_thing(struct ledger_content *c, size_t index);
void ledger_content_drop_process(struct ledger_content *c, size_t index);
/* Adds a process without a pid and lends it. */
struct ledger_process *ledger_content_add_process(struct ledger_content *c, const char *name);
/* Drops what ended with the boot of the host: processes, interfaces, the /dev/vmm entry. */
void ledger_content_forget_boot(struct ledger_content *c);

#endif
