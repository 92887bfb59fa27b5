/* libvmrun: the loop of one VM, which passes wakes to the machine or to the control socket. */
#include "lib/handle.h"
#include "platform/clock.h"

#define MAX_TIMER_TRIES 10
#define TIMER_PAUSE_MS 10
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
static int set_deadline(struct vmrun *vm, struct error *err)
{
	int64_t at = clock_earlier(machine_until_ms(vm->machine), control_until_ms(vm->control));

	if (at == vm->deadline_ms || vm->source.dry)
		return 0;
	/* Without the timer vmrun could wait for ever; the kernel may lack memory for a moment. */
	for (int tries = 1; waitset_set_deadline(vm->wait, at, NULL) != 0; tries++) {
		if (tries >= MAX_TIMER_TRIES)
			return waitset_set_deadline(vm->wait, at, err);
		clock_sleep(TIMER_PAUSE_MS);
	}
	vm->deadline_ms = at;
	return 0;
}

static int update(struct vmrun *vm, struct error *err)
{
	if (vm->machine == NULL)
		return 0;
	control_settle(vm->control);
	return set_deadline(vm, err);
}

void loop_update(struct vmrun *vm)
{
	(void)update(vm, NULL); /* the next dispatch tries again, and reports it */
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

	if (update(vm, err) != 0) /* for calls since the last dispatch */
		return -1;
	for (int i = 0; i < MAX_WAKES && !machine_ended(vm->machine); i++) {
		int rc;

		if (i > 0 && vm->events.count >= MAX_EVENTS)
			break;
		rc = waitset_next(vm->wait, 0, &next, err);
		if (rc <= 0)
			return rc;
		wake(vm, &next);
		if (update(vm, err) != 0)
			return -1;
		/* The caller has its turn after each slice of a hook. */
		if (machine_computes(vm->machine))
			break;
	}
	return 0;
}
