/*
 * The directory of the VMs of vmm(4): alone in a file, so that tests link tests/fake/vmm.c instead.
 */
#include "base/mem.h"
#include "platform/os.h"

char *os_vmm_directory(void)
{
	return mem_copy("/dev/vmm");
}
