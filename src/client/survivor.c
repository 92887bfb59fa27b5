/* What runs of a VM, whether its vmrun can be asked or not. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/client.h"
#include "ledger/pidfile.h"
#include "ledger/vmlock.h"
#include "platform/filelock.h"

pid_t client_supervisor(const char *directory)
{
	MEM_AUTO char *path = mem_format("%s/lock", directory);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* whatever it is */
	pid_t pid = 0;

	if (fd < 0)
		return errno == EACCES || errno == EPERM ? -1 : 0;
	if (filelock_look(fd) != 0 && errno == EWOULDBLOCK)
		pid = pidfile_read(path);
	(void)close(fd);
	return pid;
}

int vmrun_client_survivor(const struct vmrun_client *client, bool *is_vmrun)
{
	pid_t pid = client->directory == NULL ? 0 : client_supervisor(client->directory);

	if (is_vmrun != NULL)
		*is_vmrun = pid > 0;
	return pid > 0 || client->directory == NULL ? pid : vmlock_survivor(client->directory);
}
