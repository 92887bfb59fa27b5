/*
 * Replaces src/platform/vmm.c in programs of the tests, to find the VMs of fakebhyve.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "platform/os.h"

char *os_vmm_directory(void)
{
	const char *state = getenv("FAKE_STATE_DIR");

	return state == NULL ? mem_copy("/dev/vmm") : mem_format("%s/vmm", state);
}
