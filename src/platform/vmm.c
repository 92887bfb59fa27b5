/* Where vmm(4) shows its VMs: alone in a file, so that tests link tests/fake/vmm.c in its place. */
#include "base/mem.h"
#include "platform/os.h"

char *os_vmm_directory(void)
{
	return mem_copy("/dev/vmm");
}
