/* vmrun_run(): the simple case, written with nothing but the public functions. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>

#include "vmrun/vmrun.h"

int vmrun_run(struct vmrun *vm, vmrun_event_handler *handler, void *context)
{
	struct vmrun_event event;
	int status = vmrun_start(vm);

	while (status == 0) {
		struct pollfd p = { .fd = vmrun_fd(vm), .events = POLLIN };

		while (vmrun_next_event(vm, &event)) {
			if (handler != NULL)
				handler(&event, context);
		}
		if (vmrun_ended(vm))
			return vmrun_status(vm);
		if (poll(&p, 1, -1) > 0)
			status = vmrun_dispatch(vm);
		else if (errno != EINTR)
			status = 71; /* poll(2) refused: as vmrun_dispatch() would say */
	}
	return status;
}
