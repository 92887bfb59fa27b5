/* Clients of a control socket, in the process of the supervisor. */
#include "talk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "life.h"
#include "platform/clock.h"

#define MAX_WAIT_MS 60000

struct vmrun *talk_begin(const char *script, const char *more)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	struct vmrun *vm;

	options.control = true;
	vm = life_open_with(&options, "demo", more);
	life_script(script);
	assert_int_equal(vmrun_start(vm), 0);
	return vm;
}

int talk_try(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

int talk_client(struct vmrun *vm)
{
	int fd;

	while ((fd = talk_try()) < 0)
		assert_int_equal(vmrun_dispatch(vm), 0);
	return fd;
}

void talk_say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

const char *talk_hear(struct vmrun *vm, int fd, const char *text)
{
	static char heard[1 << 20];
	int64_t until = clock_ms() + MAX_WAIT_MS;
	size_t n = 0;

	heard[0] = '\0';
	while (strstr(heard, text) == NULL) {
		ssize_t got = recv(fd, heard + n, sizeof(heard) - 1 - n, 0);

		if (got == 0 || (got < 0 && errno == ECONNRESET))
			return heard;
		if (got > 0) {
			n += (size_t)got;
			heard[n] = '\0';
			continue;
		}
		if (clock_ms() > until)
			fail_msg("never came: %s; but: %s", text, heard);
		life_step(vm, 5);
	}
	return heard;
}

void talk_expect(struct vmrun *vm, int fd, const char *text)
{
	if (strstr(talk_hear(vm, fd, text), text) == NULL)
		fail_msg("it was closed before: %s", text);
}

bool talk_is_closed(struct vmrun *vm, int fd)
{
	return strstr(talk_hear(vm, fd, "\1"), "\1") == NULL;
}

void talk_expect_alive(struct vmrun *vm)
{
	int fd = talk_client(vm);

	talk_say(fd, STATUS);
	talk_expect(vm, fd, "\"vm\":\"demo\"");
	(void)close(fd);
}

void talk_expect_reboot(struct vmrun *vm, const char *go, const char *ready)
{
	FILE *f = fopen(go, "w");

	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	life_wait_for(vm, ready);
}

void talk_finish(struct vmrun *vm)
{
	vmrun_kill(vm);
	assert_non_null(strstr(life_end(vm), "ended:stopped"));
	vmrun_close(vm);
	assert_false(life_file_exists("run/demo"));
}
