/*
 * What vmrun reads of a vmrun that died: the ledger, vmrun.state, pid files and the file of the
 * lock. The first byte chooses the file; its content follows.
 *
 * Rooms: src/base/json.c src/base/json_node.c src/config/json_read.c src/ledger/ledger.c
 * src/ledger/ledger_entries.c src/ledger/ledger_file.c src/ledger/pidfile.c src/ledger/statefile.c
 * src/ledger/vmlock.c src/lib/hook_state.c
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/node.h"
#include "fuzz.h"
#include "ledger/ledger_file.h"
#include "ledger/pidfile.h"
#include "lib/hook_state.h"

#define VM "vm"

static void ignore(void *context, const char *text)
{
	(void)context;
	fuzz_check(*text != '\0', "an empty warning");
}

/* Checks that vmrun reads what it writes. */
static void write_again(const char *text)
{
	struct ledger_content content, again;

	if (!ledger_content_read(&content, text))
		return;
	MEM_AUTO char *written = ledger_content_text(&content, VM);

	fuzz_check(ledger_content_read(&again, written), "refuses the ledger that it wrote");
	MEM_AUTO char *same = ledger_content_text(&again, VM);

	fuzz_check(strcmp(written, same) == 0, "the ledger that was written reads differently");
	ledger_content_clear(&again);
	ledger_content_clear(&content);
}

/* Goes through the entries of a dead vmrun, as a recovery does. */
static void recover(struct ledger *l)
{
	WORDS_AUTO struct words none = { 0 };
	const struct ledger_process *process;
	const struct ledger_thing *thing;
	pid_t pid;

	fuzz_check(ledger_needs_recovery(l), "a ledger without a recovery");
	fuzz_check(ledger_previous_supervisor(l) >= 0, "a pid below 0");
	(void)ledger_hypervisor_runs(l, &pid);
	for (size_t i = 0; (process = ledger_process_at(l, i)) != NULL; i++)
		(void)ledger_process_runs(process);
	ledger_forget_dead_processes(l);
	for (size_t i = 0; (thing = ledger_at(l, i)) != NULL; i++)
		(void)ledger_thing_is_replaced(thing);
	while ((thing = ledger_at(l, 0)) != NULL) {
		size_t count = ledger_count(l);

		fuzz_check(ledger_has(l, thing->name), "a thing without its name");
		fuzz_check(thing->undo.count > 0, "a thing without a command");
		ledger_drop(l, thing->name);
		fuzz_check(ledger_count(l) == count - 1, "a thing stays");
	}
	(void)ledger_remove_pid_files(l, &none, NULL);
	free(ledger_clear_boot(l));
	ledger_end_recovery(l);
}

static void read_ledger(const char *text, size_t length)
{
	struct ledger_options options = { .directory = fuzz_directory(), .vm = VM, .warn = ignore };
	struct ledger *l;

	write_again(text);
	fuzz_write("ledger.json", text, length);
	for (int i = 0; i < 2; i++) {
		options.set_aside = i > 0;
		if (ledger_open(&l, &options, NULL) != 0)
			continue;
		if (ledger_needs_recovery(l))
			recover(l);
		ledger_close(l);
	}
}

static void read_state(const char *text, size_t length)
{
	struct node *state = NULL, *again = NULL;

	fuzz_write("state.json", text, length);
	if (hook_state_read(fuzz_directory(), ".", &state, NULL) != 0 || state == NULL)
		return;
	MEM_AUTO char *json = hook_state_json(state);

	fuzz_check(hook_state_write(fuzz_directory(), ".", json, NULL) == 0, "cannot write");
	fuzz_check(hook_state_read(fuzz_directory(), ".", &again, NULL) == 0,
	    "refuses the vmrun.state that it wrote");
	MEM_AUTO char *same = hook_state_json(again);

	fuzz_check(strcmp(json, same) == 0, "vmrun.state reads differently");
	node_free(state);
	node_free(again);
}

static void read_pid_file(const char *text, size_t length)
{
	MEM_AUTO char *path = mem_format("%s/pid", fuzz_directory());
	WORDS_AUTO struct words pids = { 0 };
	struct pidfile file = { 0 };

	words_add(&pids, "4711");
	fuzz_write("pid", text, length);
	(void)pidfile_read(path);
	(void)pidfile_remove_stale(path, &pids, NULL);
	if (pidfile_open(&file, path, NULL) == 0) {
		fuzz_check(pidfile_write(&file, 4711, NULL) == 0, "cannot write a pid");
		fuzz_check(pidfile_read(path) == 4711, "another pid");
	}
	pidfile_close(&file);
}

static void read_lock(const char *text, size_t length)
{
	struct vmlock lock = { 0 };
	int64_t start;
	pid_t pid;

	fuzz_write("vm", text, length);
	fuzz_check(vmlock_open(&lock, fuzz_directory(), NULL) == 0, "cannot open the lock");
	(void)vmlock_noted(&lock, &pid, &start);
	vmlock_note(&lock, 4711, 12);
	fuzz_check(vmlock_noted(&lock, &pid, &start) && pid == 4711 && start == 12,
	    "another process has the lock");
	vmlock_close(&lock);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	unsigned choice = fuzz_byte(&in);
	size_t length = in.left;
	MEM_AUTO char *text = fuzz_text(&in, length);

	fuzz_begin(FENCE_REFUSE);
	fuzz_clear_directory();
	if (choice == 'S')
		read_state(text, length);
	else if (choice == 'P')
		read_pid_file(text, length);
	else if (choice == 'V')
		read_lock(text, length);
	else
		read_ledger(text, length);
	fuzz_end();
	return 0;
}
