/* libvmrun: vmrun_run(), a loop of public functions. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "lib/handle.h"

/* Waits until the VM's descriptor is readable, and dispatches. */
static int wait_and_dispatch(struct vmrun *vm)
{
	struct pollfd p = { .fd = vmrun_fd(vm), .events = POLLIN };
	struct error err = { 0 };

	if (poll(&p, 1, -1) > 0)
		return vmrun_dispatch(vm);
	if (errno == EINTR)
		return STATUS_OK;
	(void)error_set(&err, STATUS_OS, "cannot wait for events: poll: %s", strerror(errno));
	report_take(&vm->report, NULL, &err);
	return STATUS_OS;
}

int vmrun_run(struct vmrun *vm, vmrun_event_handler *handler, void *context)
{
	const struct vmrun_event *event;
	int status = vmrun_start(vm);

	while (status == STATUS_OK) {
		while ((event = vmrun_next_event(vm)) != NULL) {
			if (handler != NULL)
				handler(event, context);
		}
		if (vmrun_ended(vm))
			return vmrun_status(vm);
		status = wait_and_dispatch(vm);
	}
	return status;
}
