/* The serial console of another vmrun: bytes in both directions. */
#include "client/client.h"

#include <errno.h>
#include <string.h>

#include "platform/clock.h"

int vmrun_client_attach(struct vmrun_client *client, bool typing, int64_t limit_ms)
{
	const char *request =
	    typing ? "{\"cmd\":\"console\",\"write\":true}" : "{\"cmd\":\"console\"}";
	int status;

	if (client->is_console)
		return client_fail(
		    client, VMRUN_CLIENT_USAGE, "the client is attached to the console already");
	status = client_ask(client, request, true, limit_ms);
	client->is_console = status == VMRUN_CLIENT_OK;
	client->types = typing;
	/* vmrun may still send bytes of the console, and take requests for what the guest gets. */
	client->is_attaching = status == VMRUN_CLIENT_TIMED_OUT;
	return status;
}

int vmrun_client_read(
    struct vmrun_client *client, void *bytes, size_t size, size_t *length, int64_t limit_ms)
{
	struct connection *c = &client->connection;
	int64_t until_ms = clock_deadline_ms(limit_ms);
	int status = client_expect(client, true);

	if (length == NULL)
		return client_fail_null(client, "length");
	*length = 0;
	if (bytes == NULL && size > 0)
		return client_fail_null(client, "bytes");
	if (status != VMRUN_CLIENT_OK)
		return status;
	if (c->received.length == 0) {
		int got = connection_receive(c, until_ms);

		if (got == 0)
			return client_fail(client, VMRUN_CLIENT_NOT_RUNNING,
			    "vmrun closed the connection to the console");
		if (got < 0 && errno == ETIMEDOUT)
			return client_fail(
			    client, VMRUN_CLIENT_TIMED_OUT, "the console printed nothing");
		if (got < 0)
			return client_fail_connection(client, errno);
	}
	*length = c->received.length < size ? c->received.length : size;
	if (*length > 0)
		memcpy(bytes, c->received.text, *length);
	connection_use(c, *length);
	return client_succeed(client);
}

int vmrun_client_write(
    struct vmrun_client *client, const void *bytes, size_t size, size_t *written, int64_t limit_ms)
{
	int status = client_expect(client, true);

	if (written == NULL)
		return client_fail_null(client, "written");
	*written = 0;
	if (bytes == NULL && size > 0)
		return client_fail_null(client, "bytes");
	if (status != VMRUN_CLIENT_OK)
		return status;
	if (!client->types)
		return client_fail(client, VMRUN_CLIENT_USAGE,
		    "attached without typing: open another client and attach it with typing");
	if (connection_send(
		&client->connection, bytes, size, written, clock_deadline_ms(limit_ms)) == 0)
		return client_succeed(client);
	if (errno == ETIMEDOUT)
		return client_fail(
		    client, VMRUN_CLIENT_TIMED_OUT, "the console accepts no more bytes now");
	if (errno == EPIPE)
		return client_fail(
		    client, VMRUN_CLIENT_NOT_RUNNING, "vmrun closed the connection to the console");
	return client_fail_connection(client, errno);
}
