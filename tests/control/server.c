#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/handle.h"
#include "platform/clock.h"

#define MAX_WAIT_MS 60000

struct server server;

/* The linker sends these calls here (see CMakeLists.txt). */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
int64_t __wrap_clock_ms(void);

int64_t __wrap_clock_ms(void)
{
	return server.now_ms;
}

void __real_machine_get_state(const struct machine *m, struct vmrun_state *out);
void __wrap_machine_get_state(const struct machine *m, struct vmrun_state *out);

void __wrap_machine_get_state(const struct machine *m, struct vmrun_state *out)
{
	__real_machine_get_state(m, out);
	out->ready = server.ready;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static int result(struct error *err)
{
	return server.failure == NULL ? 0 : error_set(err, STATUS_SPEC, "%s", server.failure);
}

static int reload(void *context, struct error *err)
{
	(void)context;
	server.reloads++;
	return result(err);
}

static int forget(void *context, const char *hook, struct error *err)
{
	(void)context;
	(void)snprintf(server.forgotten, sizeof(server.forgotten), "%s", hook);
	return result(err);
}

void server_open(void)
{
	struct control_owner owner = { .reload = reload, .forget = forget, .vm = "walk" };
	struct error err = { 0 };

	server = (struct server){ .vm = VM, .now_ms = 1000000, .ready = -1 };
	vm_prepare(&server.vm, "");
	vm_put(&server.vm, STATE_RUNNING);
	owner.events = &server.vm.handle->events;
	if (control_open(&server.control, server.vm.machine, server.vm.handle->wait, SOCKET, &owner,
		&err) != 0)
		fail_msg("%s", err.text);
}

void server_close(void)
{
	control_free(server.control);
	server.control = NULL;
	vm_close(&server.vm);
}

int server_dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

struct peer server_connect(void)
{
	struct peer peer;

	server_turn();
	peer.fd = server_dial();
	control_wake(server.control, CONTROL_TAG);
	peer.client = TAILQ_LAST(&server.control->moved, client_list);
	assert_non_null(peer.client);
	server_turn();
	return peer;
}

void server_say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

void server_turn(void)
{
	struct error err = { 0 };
	struct wake wake;

	do {
		control_settle(server.control);
		while (waitset_next(server.vm.handle->wait, 0, &wake, &err) > 0) {
			control_wake(server.control, wake.tag);
			control_settle(server.control);
		}
		assert_null(err.text);
	} while (control_until_ms(server.control) == 0);
}

const char *server_hear(int fd)
{
	static char heard[1 << 20];
	size_t n = 0;
	ssize_t got;

	do {
		server_turn();
		while ((got = recv(fd, heard + n, sizeof(heard) - 1 - n, 0)) > 0)
			n += (size_t)got;
		heard[n] = '\0';
		server_turn();
	} while (recv(fd, heard + n, 1, MSG_PEEK) > 0);
	return heard;
}

void server_ask(int fd, const char *line, const char *answer)
{
	server_say(fd, line);
	server_say(fd, "\n");
	assert_string_equal(server_hear(fd), answer);
}

void server_check_closed(int fd)
{
	char byte;

	(void)server_hear(fd);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

void server_fill(const struct client *client)
{
	char bytes[1024];

	memset(bytes, '.', sizeof(bytes));
	for (size_t n = sizeof(bytes); n > 0;) {
		if (send(client->fd, bytes, n, MSG_NOSIGNAL) < 0) {
			assert_true(errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS);
			n /= 2;
		}
	}
}

void server_warn(const char *text)
{
	event_text(event_add(&server.vm.handle->events, VMRUN_WARNING), text);
}

void server_ready(void)
{
	(void)event_add(&server.vm.handle->events, VMRUN_READY);
}

struct console *server_console(void)
{
	struct console *console = machine_console(server.vm.machine);
	struct error err = { 0 };

	if (console_open(console, &(struct console_settings){ .log = NULL }, false, &err) != 0)
		fail_msg("%s", err.text);
	return console;
}

void server_print(const char *text)
{
	struct console *console = machine_console(server.vm.machine);
	struct pollfd p = { .fd = console->fd, .events = POLLIN };
	uint64_t total = console->total + strlen(text);

	assert_int_equal(write(console->guest_fd, text, strlen(text)), strlen(text));
	while (console->total < total) {
		assert_int_equal(poll(&p, 1, MAX_WAIT_MS), 1);
		(void)console_read(console);
	}
}
