/* Connecting to a vmrun, and the reasons for failures. */
#include "client/client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vm_name.h"
#include "platform/clock.h"

int client_fail(struct vmrun_client *c, enum vmrun_client_status status, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = mem_vformat(fmt, ap);
	va_end(ap);
	free(c->error);
	c->error = text;
	return (int)status;
}

int client_fail_null(struct vmrun_client *c, const char *argument)
{
	c->is_answered = false;
	return client_fail(c, VMRUN_CLIENT_USAGE, "%s: expected a pointer, got NULL", argument);
}

int client_succeed(struct vmrun_client *c)
{
	free(c->error);
	c->error = NULL;
	return VMRUN_CLIENT_OK;
}

int client_fail_connection(struct vmrun_client *c, int why)
{
	if (why == ETIMEDOUT)
		return client_fail(c, VMRUN_CLIENT_TIMED_OUT, "vmrun does not answer");
	if (why == EMSGSIZE)
		return client_fail(c, VMRUN_CLIENT_PROTOCOL,
		    "the answer is too long: it has more than %zu bytes", MAX_LINE);
	if (why == 0 || why == EPIPE) {
		c->is_closed = true;
		if (c->denial != NULL)
			return client_fail(c, VMRUN_CLIENT_DENIED, "%s", c->denial);
		return client_fail(c, VMRUN_CLIENT_NOT_RUNNING, "vmrun closed the connection");
	}
	return client_fail(c, VMRUN_CLIENT_OS, "connection to vmrun: %s", strerror(why));
}

int client_expect(struct vmrun_client *c, bool is_console)
{
	if (c->connection.fd < 0)
		return client_fail(c, VMRUN_CLIENT_USAGE, "not connected: open a client first");
	if (c->is_console && !is_console)
		return client_fail(c, VMRUN_CLIENT_USAGE,
		    "attached to the console: open another client for requests");
	if (c->is_attaching && !is_console)
		return client_fail(c, VMRUN_CLIENT_USAGE,
		    "vmrun_client_attach() did not end in time: open another client");
	if (is_console && !c->is_console)
		return client_fail(c, VMRUN_CLIENT_USAGE,
		    "not attached to the console: call vmrun_client_attach() first");
	return VMRUN_CLIENT_OK;
}

/* Keeps the reason why no vmrun can be connected, and says what runs all the same. */
static int fail_not_running(struct vmrun_client *c, const char *why)
{
	bool is_vmrun;
	long pid = vmrun_client_survivor(c, &is_vmrun);

	if (pid == 0)
		return client_fail(c, VMRUN_CLIENT_NOT_RUNNING, "not running: %s", why);
	if (is_vmrun)
		return client_fail(c, VMRUN_CLIENT_NOT_RUNNING,
		    "%s, but process %ld supervises the VM: it starts, ends, or its socket was "
		    "deleted; it creates the socket again at the next boot, and the program vmrun "
		    "also at SIGUSR1",
		    why, pid);
	return client_fail(c, VMRUN_CLIENT_NOT_RUNNING,
	    "not running: %s; the hypervisor of a vmrun that died still runs as pid %ld: stop it "
	    "from inside the guest or with kill %ld, or start the VM with vmrun --force, which "
	    "kills it",
	    why, pid, pid);
}

/* Keeps the reason why no connection to the socket was made. */
static int fail_open(struct vmrun_client *c, const char *path, int why)
{
	if (why == EACCES || why == EPERM)
		return client_fail(c, VMRUN_CLIENT_DENIED,
		    "%s: %s: connect as root, or as the user who runs the VM", path, strerror(why));
	if (why == ECONNREFUSED || why == ENOENT || why == ENOTDIR) {
		MEM_AUTO char *text = why == ECONNREFUSED
		    ? mem_format("no process listens at %s", path)
		    : mem_format("%s does not exist", path);

		return fail_not_running(c, text);
	}
	return client_fail(c, why == ETIMEDOUT ? VMRUN_CLIENT_TIMED_OUT : VMRUN_CLIENT_OS,
	    "cannot connect to %s: %s", path, strerror(why));
}

int vmrun_client_open(
    struct vmrun_client **out, const char *run_dir, const char *vm, int64_t limit_ms)
{
	struct vmrun_client *c = mem_zero(sizeof(*c));
	MEM_AUTO char *directory = run_dir != NULL ? mem_copy(run_dir) : vmrun_default_run_dir();
	MEM_AUTO char *path = NULL;
	int status = VMRUN_CLIENT_OK;

	*out = c;
	c->connection.fd = -1;
	if (vm == NULL || !vm_name_is_valid(vm))
		return client_fail(c, VMRUN_CLIENT_USAGE,
		    "invalid VM name \"%s\": expected " VM_NAME_RULE, vm == NULL ? "" : vm,
		    MAX_VM_NAME);
	path = mem_format("%s/%s/control", directory, vm);
	c->directory = mem_format("%s/%s", directory, vm);
	if (connection_open(&c->connection, path, clock_deadline_ms(limit_ms)) != 0)
		status = fail_open(c, path, errno);
	c->is_absent = status == VMRUN_CLIENT_NOT_RUNNING;
	return status;
}

void vmrun_client_close(struct vmrun_client *client)
{
	if (client == NULL)
		return;
	connection_close(&client->connection);
	free(client->directory);
	free(client->denial);
	free(client->error);
	free(client->line);
	sent_clear(&client->sent);
	free(client->reason);
	free(client);
}

const char *vmrun_client_error(const struct vmrun_client *client)
{
	return client->error;
}

int vmrun_client_fd(const struct vmrun_client *client)
{
	return client->connection.fd;
}

short vmrun_client_events(const struct vmrun_client *client)
{
	return client->connection.unsent.length > 0 ? POLLIN | POLLOUT : POLLIN;
}
