/*
 * A client of the control socket whose vmrun sends anything.  A byte chooses the calls; then a
 * request, up to a byte 0x01, and what the vmrun sends.
 *
 * Rooms: src/base/json.c src/client
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/client.h"
#include "fuzz.h"

#define MAX_MESSAGES 10000
#define LIMIT_MS 10

/* Connects a client to the bytes that a vmrun sends; returns the vmrun's end. */
static int connect_to(struct vmrun_client **client, const char *bytes, size_t n, bool ends)
{
	int pair[2];

	fuzz_check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0,
	    "no socket pair");
	*client = mem_zero(sizeof(**client));
	(*client)->connection.fd = pair[0];
	/* No other vmrun and no hypervisor runs there: a wait for "gone" looks for them. */
	(*client)->directory = mem_format("%s/vm", fuzz_directory());
	(void)send(pair[1], bytes, n, MSG_NOSIGNAL);
	if (ends)
		fuzz_check(shutdown(pair[1], SHUT_WR) == 0, "shutdown");
	return pair[1];
}

/* Checks that a failure has a reason, and that a success has none. */
static int check(const struct vmrun_client *client, int status)
{
	const char *why = vmrun_client_error(client);

	fuzz_check((status == VMRUN_CLIENT_OK) == (why == NULL), "a failure without a reason");
	(void)vmrun_client_answer(client);
	fuzz_check(vmrun_client_fd(client) >= 0 && vmrun_client_events(client) != 0, "no poll");
	return status;
}

/* Takes all messages. */
static void read_messages(struct vmrun_client *client)
{
	const struct vmrun_message *message;
	int count = 0, status;

	do {
		status = check(client, vmrun_client_next(client, LIMIT_MS, &message));
		fuzz_check((status == VMRUN_CLIENT_OK) == (message != NULL), "no message");
		if (message != NULL)
			fuzz_check(*message->json == '{' &&
				(message->type == VMRUN_MESSAGE_EVENT || message->ok ||
				    message->error != NULL),
			    "a message without its parts");
		fuzz_check(++count < MAX_MESSAGES, "messages without an end");
	} while (status == VMRUN_CLIENT_OK || status == VMRUN_CLIENT_PROTOCOL);
}

/* Uses the console. */
static void attach(struct vmrun_client *client)
{
	char bytes[100];
	size_t n;

	if (check(client, vmrun_client_attach(client, true, LIMIT_MS)) != VMRUN_CLIENT_OK)
		return;
	(void)check(client, vmrun_client_write(client, "root\n", 5, &n, LIMIT_MS));
	while (check(client, vmrun_client_read(client, bytes, sizeof(bytes), &n, LIMIT_MS)) ==
	    VMRUN_CLIENT_OK)
		fuzz_check(n > 0 && n <= sizeof(bytes), "no bytes");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	unsigned choice = fuzz_byte(&in);
	const uint8_t *end = in.left == 0 ? NULL : memchr(in.at, 1, in.left);
	MEM_AUTO char *request = fuzz_text(&in, end == NULL ? in.left : (size_t)(end - in.at));
	struct vmrun_client *client;
	uint64_t id;
	size_t n;
	int vmrun;

	(void)fuzz_byte(&in);
	n = in.left;
	MEM_AUTO char *bytes = fuzz_text(&in, n);

	fuzz_begin(FENCE_ABORT);
	vmrun = connect_to(&client, bytes, n, (choice & 1) != 0);
	if ((choice & 2) != 0)
		(void)check(client, vmrun_client_send(client, request, LIMIT_MS, &id));
	else
		(void)check(client, vmrun_client_ask(client, request, LIMIT_MS, NULL));
	if ((choice & 4) != 0)
		(void)check(client, vmrun_client_wait(client, request, LIMIT_MS));
	if ((choice & 8) != 0)
		(void)check(client, vmrun_client_wait_for(client, request, true, LIMIT_MS));
	if ((choice & 16) != 0)
		attach(client);
	if ((choice & 32) != 0)
		(void)check(client, vmrun_client_follow(client, 0, LIMIT_MS));
	read_messages(client);
	vmrun_client_close(client);
	fuzz_check(close(vmrun) == 0, "close");
	fuzz_end();
	return 0;
}
