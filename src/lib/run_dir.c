/* libvmrun: where the VMs of this user are. */
#include "ledger/rundir.h"
#include "vmrun/vmrun.h"

char *vmrun_default_run_dir(void)
{
	return rundir_default();
}
