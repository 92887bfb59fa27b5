/* libvmrun: the runtime directory of this user. */
#include "ledger/rundir.h"
#include "vmrun/vmrun.h"

char *vmrun_default_run_dir(void)
{
	return rundir_default();
}
