/* libvmrun: the loop of one VM, which passes wakes to the machine or to the control socket. */
#include "lib/handle.h"

#define MAX_WAKES 64	/* per dispatch, so that a busy VM does not block the caller */
#define MAX_EVENTS 1024 /* queued when a dispatch stops, before the queue drops events */

int loop_open(struct vmrun *vm)
{
	struct error err = { 0 };

	if (vm->wait != NULL || waitset_new(&vm->wait, &err) == 0)
		return STATUS_OK;
	report_take(&vm->report, NULL, &err);
	return (int)vm->report.status;
}

/* Sets the timer to the next deadline of the machine or a client; a simulation needs no timer. */
static void set_deadline(struct vmrun *vm)
{
	int64_t at = machine_until_ms(vm->machine);
	int64_t clients = control_until_ms(vm->control);

	if (clients >= 0 && (at < 0 || clients < at))
		at = clients;
	if (at == vm->deadline_ms || vm->source.dry)
		return;
	vm->deadline_ms = at;
	/* Setting a timer fails only for invalid arguments. */
	(void)waitset_set_deadline(vm->wait, at, NULL);
}

void loop_update(struct vmrun *vm)
{
	if (vm->machine == NULL)
		return;
	control_settle(vm->control);
	set_deadline(vm);
}

/* Passes a wake on. */
static void wake(struct vmrun *vm, const struct wake *wake)
{
	if (wake->kind == WAKE_DEADLINE)
		vm->deadline_ms = -1;
	if (wake->kind == WAKE_READABLE && wake->tag >= CONTROL_TAG) {
		control_wake(vm->control, wake->tag);
		return;
	}
	if (vm->control != NULL && machine_is_console(wake))
		control_console_ready(vm->control);
	machine_wake(vm->machine, wake);
}

int loop_dispatch(struct vmrun *vm, struct error *err)
{
	struct wake next;

	loop_update(vm); /* for calls since the last dispatch */
	for (int i = 0; i < MAX_WAKES && !machine_ended(vm->machine); i++) {
		int rc;

		if (i > 0 && vm->events.count >= MAX_EVENTS)
			break;
		rc = waitset_next(vm->wait, 0, &next, err);
		if (rc <= 0)
			return rc;
		wake(vm, &next);
		loop_update(vm);
		/* The caller has its turn after each slice of a hook. */
		if (machine_computes(vm->machine))
			break;
	}
	return 0;
}
