/* libvmrun: the loop of one VM: what the wait set tells goes to the machine or to the clients. */
#include "lib/handle.h"

#define MAX_WAKES 64	/* a turn, so that a VM that floods leaves room for the caller's business */
#define MAX_EVENTS 1024 /* then the caller takes them before the queue drops any */

int loop_open(struct vmrun *vm)
{
	struct error err = { 0 };

	if (vm->wait != NULL || waitset_new(&vm->wait, &err) == 0)
		return STATUS_OK;
	report_take(&vm->report, NULL, &err);
	return (int)vm->report.status;
}

/* A simulation has a time of its own, and needs no timer. */
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

	loop_update(vm); /* what was asked of it since */
	for (int i = 0; i < MAX_WAKES && !machine_ended(vm->machine); i++) {
		int rc;

		if (i > 0 && vm->events.count >= MAX_EVENTS)
			break;
		rc = waitset_next(vm->wait, 0, &next, err);
		if (rc <= 0)
			return rc;
		wake(vm, &next);
		loop_update(vm);
	}
	return 0;
}
