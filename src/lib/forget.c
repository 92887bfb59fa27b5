/* libvmrun: dropping the state of a stock hook of a VM that no vmrun supervises. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/vm_name.h"
#include "ledger/rundir.h"
#include "lib/given.h"
#include "lib/hook_state.h"
#include "vmrun/vmrun.h"

struct state_key {
	const char *state_dir, *vm, *hook;
	const char *older; /* the key that version 0.1 used */
};

static bool is_empty(const struct node *n)
{
	return n->kind == NODE_EMPTY || (n->kind == NODE_OBJECT && n->count == 0) ||
	    (n->kind == NODE_LIST && n->count == 0);
}

/* Drops the hook's state, as lua/state.lua does in a running vmrun. */
static int drop(const struct state_key *f, struct node *state, struct error *err)
{
	const struct node *before = node_get(state, f->hook);
	bool is_old = node_get(state, f->older) != NULL;

	if (before == NULL ? !is_old : is_empty(before))
		return error_set(err, STATUS_CHECK, "%s has no saved state to forget", f->hook);
	node_free(node_take(state, f->hook));
	if (is_old)
		node_put(state, f->hook, node_new(NODE_OBJECT));
	return 0;
}

/* Drops the hook's state in the file.  The caller must hold the lock of the VM's name. */
static int edit(const struct state_key *f, struct error *err)
{
	NODE_AUTO struct node *state = NULL;
	MEM_AUTO char *json = NULL;

	if (hook_state_read(f->state_dir, f->vm, &state, err) != 0)
		return -1;
	if (state == NULL || state->kind != NODE_OBJECT) {
		node_free(state);
		state = node_new(NODE_OBJECT);
	}
	if (drop(f, state, err) != 0)
		return -1;
	json = hook_state_json(state);
	return hook_state_write(f->state_dir, f->vm, json, err);
}

/* Returns 0, or -1 with STATUS_DENIED if this user must not change the file. */
static int check_permission(const struct state_key *f, struct error *err)
{
	MEM_AUTO char *directory = mem_format("%s/%s", f->state_dir, f->vm);

	if (access(directory, R_OK | W_OK | X_OK) == 0 || (errno != EACCES && errno != EPERM))
		return 0;
	return error_set(err, STATUS_DENIED, "%s: %s: run this command as the user who runs the VM",
	    directory, strerror(errno));
}

/* Locks the VM's name and drops the state; keeps what a vmrun that died left in the directory. */
static int forget(const struct state_key *f, const char *run_dir, struct error *err)
{
	struct rundir lock = { 0 };
	int rc;

	if (check_permission(f, err) != 0 || rundir_open(&lock, run_dir, f->vm, err) != 0)
		return -1;
	rc = edit(f, err);
	(void)pidfile_close(&lock.lock);
	(void)rmdir(lock.directory);
	free(lock.directory);
	return rc;
}

int vmrun_forget(
    const char *run_dir, const char *state_dir, const char *vm, const char *hook, char **why)
{
	MEM_AUTO char *run = run_dir != NULL ? mem_copy(run_dir) : rundir_default();
	MEM_AUTO char *state = state_dir != NULL ? mem_copy(state_dir) : statedir_default();
	struct state_key f = { .state_dir = state, .vm = vm, .hook = hook != NULL ? hook : "" };
	struct error err = { 0 };
	int status = STATUS_OK;

	if (vm_name_check(vm, &err) != 0 || hook_state_find(f.hook, &f.older, &err) != 0 ||
	    forget(&f, run, &err) != 0)
		status = (int)err.status;
	give_text(why, err.text); /* NULL after success */
	return status;
}
