/* A VM whose machine a test drives: through the loop, or action by action. */
#ifndef TESTS_MACHINE_VM_H
#define TESTS_MACHINE_VM_H

#include "base/str.h"
#include "machine/machine_inside.h"
#include "vmrun/vmrun.h"

struct vm {
	struct vmrun *handle;
	struct vmrun_options options;
	struct machine *machine;
	/* Called before the machine enters a state, or NULL. */
	void (*entered)(enum state from, enum state to);
	struct str told; /* of vm_told() */
};

#define VM                               \
	{                                \
		.options = VMRUN_OPTIONS \
	}

/* Opens the Lua spec of a VM; `more` is Lua that changes the table `vm`. */
void vm_open(struct vm *v, const char *more);
/* Starts the machine as vmrun_start() does, but calls v->entered for the first states, too. */
void vm_begin(struct vm *v, struct machine_options *o);
/* Opens the VM and starts it under fakebhyve. */
void vm_start(struct vm *v, const char *more);
/* Opens the VM and simulates a list of exits. */
void vm_simulate(struct vm *v, const char *more, const char *list);
/* Dispatches until the machine is in the state. */
void vm_reach(struct vm *v, enum state state);
void vm_close(struct vm *v);
/* Dispatches until the machine has ended, then closes the VM. */
void vm_end(struct vm *v);

/*
 * Makes a machine that is not started, so that a test calls its actions: a simulation, with its
 * first boot prepared and time at 0.  Nothing moves unless the test calls it.
 */
void vm_prepare(struct vm *v, const char *more);
/*
 * Makes the same for a real run, with a ledger; options may be NULL.  Its children are real, and
 * their ends come with vm_await().
 */
void vm_make(struct vm *v, const char *more, struct machine_options *o);
/* Dispatches until the condition holds. */
void vm_await(struct vm *v, bool (*holds)(const struct machine *m));
/* Puts the machine into a state without entering it. */
void vm_put(struct vm *v, enum state state);
/* Calls the action of the event in the present state; its result is not followed. */
struct next vm_act(struct vm *v, enum event event);
/* Fails unless an action returned this state and time. */
void vm_check_next(struct next next, enum state state, int64_t ms);
/* Takes events until one of the type, which is lent until the next call; NULL: there is none. */
const struct vmrun_event *vm_event(struct vm *v, enum vmrun_event_type type);
/* Takes events until one of the type, and fails unless its text is this one. */
void vm_check_event(struct vm *v, enum vmrun_event_type type, const char *text);
/* Returns how many events of the type wait, and takes all events. */
int vm_count_events(struct vm *v, enum vmrun_event_type type);
/*
 * Takes all events, and lends the text of those taken so since the VM was opened: a line each, with
 * the name of the event, its cause and its text.
 */
const char *vm_told(struct vm *v);
/* Fail unless that text contains this one, or if it does. */
void vm_check_told(struct vm *v, const char *text);
void vm_check_not_told(struct vm *v, const char *text);
/* Puts a shell script in front of PATH as a program of that name. */
void vm_stub(const char *program, const char *script);
/* Writes a file. */
void vm_write(const char *path, const char *text);

#endif
