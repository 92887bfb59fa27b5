/* What still runs of a VM to whose vmrun no connection can be made. */
#include "base/mem.h"
#include "client/client.h"
#include "ledger/pidfile.h"
#include "ledger/vmlock.h"

pid_t client_supervisor(const char *directory)
{
	MEM_AUTO char *lock = mem_format("%s/lock", directory);
	ERROR_AUTO struct error err = { 0 };

	return pidfile_check(lock, &err) != 0 && err.status == STATUS_BUSY ? pidfile_read(lock) : 0;
}

int vmrun_client_survivor(const struct vmrun_client *client, bool *is_vmrun)
{
	pid_t pid = client->directory == NULL ? 0 : client_supervisor(client->directory);

	if (is_vmrun != NULL)
		*is_vmrun = pid != 0;
	return pid != 0 || client->directory == NULL ? pid : vmlock_survivor(client->directory);
}
