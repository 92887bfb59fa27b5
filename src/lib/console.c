/* libvmrun: the serial console of the guest, for programs. */
#include "vmrun/vmrun.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/mem.h"
#include "lib/handle.h"
#include "platform/clock.h"
#include "platform/find.h"
#include "process/console.h"

/* Returns the console of a VM, or NULL if it has none. */
static struct console *console_of(const struct vmrun *vm)
{
	return vm->machine == NULL || vm->source.dry ? NULL : machine_console(vm->machine);
}

/* Returns the first byte from `at` on that the ring still has. */
static uint64_t kept_from(const struct console *c, uint64_t at)
{
	uint64_t oldest = c->total - c->ring_length;

	return at < oldest ? oldest : at > c->total ? c->total : at;
}

size_t vmrun_console_read(const struct vmrun *vm, uint64_t *at, char *bytes, size_t size)
{
	const struct console *c = console_of(vm);
	size_t n;

	if (c == NULL)
		return 0;
	*at = kept_from(c, *at);
	n = console_copy(c, *at, bytes, size);
	*at += n;
	return n;
}

size_t vmrun_console_write(struct vmrun *vm, const char *bytes, size_t length)
{
	struct console *c = console_of(vm);

	return c == NULL || vmrun_ended(vm) ? 0 : console_type(c, bytes, length);
}

bool vmrun_console_find(const struct vmrun *vm, uint64_t *at, const char *text)
{
	const struct console *c = console_of(vm);
	size_t length = strlen(text), n;
	MEM_AUTO char *bytes = NULL;
	const char *found;

	if (c == NULL)
		return false;
	*at = kept_from(c, *at);
	n = (size_t)(c->total - *at);
	bytes = mem_zero(n + 1);
	n = console_copy(c, *at, bytes, n);
	found = find_text(bytes, n, text);
	if (found != NULL)
		*at += (uint64_t)(found - bytes) + length;
	else if (n >= length) /* the next call needs only what may begin the text */
		*at += n - length + 1;
	return found != NULL;
}

/* Waits until the handle has something to do, at most until that time.  Returns 0, or -1. */
static int wait_for_wake(const struct vmrun *vm, int64_t until_ms)
{
	struct pollfd p = { .fd = waitset_fd(vm->wait), .events = POLLIN };

	return poll(&p, 1, clock_left_ms(until_ms)) < 0 && errno != EINTR ? -1 : 0;
}

/* Returns whether a boot has begun whose target has no console. */
static bool has_booted_without(const struct vmrun *vm)
{
	return vmrun_get_state(vm)->boots > 0 && !machine_has_console(vm->machine);
}

int vmrun_console_wait(struct vmrun *vm, uint64_t *at, const char *text, int64_t limit_ms)
{
	int64_t until_ms = clock_deadline_ms(limit_ms);

	handle_forget_refusal(vm);
	if (console_of(vm) == NULL)
		return handle_refuse(vm, HANDLE_NOT_STARTED);
	while (!vmrun_console_find(vm, at, text)) {
		int status;

		if (has_booted_without(vm))
			return handle_refuse(vm, "no serial port of this VM is \"console\"");
		if (vmrun_ended(vm))
			return VMRUN_STATUS_CHECK;
		if (clock_left_ms(until_ms) == 0)
			return VMRUN_STATUS_BUSY;
		if (wait_for_wake(vm, until_ms) != 0)
			return VMRUN_STATUS_OS;
		status = vmrun_dispatch(vm);
		if (status != 0)
			return status;
	}
	return VMRUN_STATUS_OK;
}
