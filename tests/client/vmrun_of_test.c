/* The control socket of "demo", and one connection to it. */
#include "vmrun_of_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

char directory[64];
int listener = -1, server = -1;
struct vmrun_client *client;

static void make_listener(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	assert_true(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 5), 0);
}

int enter(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/vmrun-client.XXXXXX");
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/demo", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/demo/control", directory);
	make_listener(path);
	assert_int_equal(vmrun_client_open(&client, directory, "demo", 1000), VMRUN_CLIENT_OK);
	assert_null(vmrun_client_error(client));
	server = accept(listener, NULL, NULL);
	assert_true(server >= 0);
	return 0;
}

void hang_up(void)
{
	if (server >= 0)
		(void)close(server);
	server = -1;
}

int leave(void **state)
{
	char path[128];

	(void)state;
	vmrun_client_close(client);
	hang_up();
	(void)close(listener);
	(void)snprintf(path, sizeof(path), "%s/demo/control", directory);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/demo", directory);
	(void)rmdir(path);
	return rmdir(directory);
}

void answer(const char *text)
{
	assert_int_equal(write(server, text, strlen(text)), strlen(text));
}

void expect_request(const char *text)
{
	char got[1024];
	ssize_t n = read(server, got, sizeof(got) - 1);

	assert_true(n > 0);
	got[n] = '\0';
	assert_string_equal(got, text);
}

void expect_error(int status, int wanted, const char *part)
{
	const char *error = vmrun_client_error(client);

	assert_int_equal(status, wanted);
	assert_non_null(error);
	if (strstr(error, part) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", error, part);
}

int ask(const char *request, const char **text)
{
	return vmrun_client_ask(client, request, 0, text);
}

void send_request(const char *request, uint64_t wanted)
{
	uint64_t id;

	assert_int_equal(vmrun_client_send(client, request, 0, &id), VMRUN_CLIENT_OK);
	assert_int_equal(id, wanted);
}
