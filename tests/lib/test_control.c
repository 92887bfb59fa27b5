/* The control socket with hostile clients, in the process of the supervisor. */
#include "life.h"
#include "talk.h"

#include "../base/dice.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "lib/handle.h"
#include "platform/clock.h"
#include "control/control_inside.h"

#define MAX_WAIT_MS 60000

static void test_off(void **state)
{
	struct vmrun *vm = life_open("demo", "");

	(void)state;
	life_script("ready up hang");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up");
	assert_false(life_file_exists(SOCKET));
	talk_finish(vm);
}

static void test_half_lines(void **state)
{
	struct vmrun *vm = talk_begin(TWO_BOOTS, AT_ONCE);
	static const char request[] = "{\"id\":7,\"cmd\":\"status\"}\n";
	int fd;

	(void)state;
	life_wait_for(vm, "one");
	fd = talk_client(vm);
	for (const char *p = request; *p != '\0'; p++) {
		char byte[2] = { *p, '\0' };

		talk_say(fd, byte);
		life_step(vm, 1);
		if (p[1] != '\0')
			assert_int_equal(recv(fd, byte, 1, MSG_PEEK), -1);
	}
	talk_expect(vm, fd, "{\"id\":7,\"ok\":true,\"v\":1,\"vm\":\"demo\",\"state\":\"running\"");
	talk_say(fd, "{\"cmd\":");
	talk_expect_reboot(vm, "go", "two");
	talk_say(fd, "\"status\"}\n");
	talk_expect(vm, fd, "\"boots\":2");
	(void)close(fd);
	talk_finish(vm);
}

/* A client may disconnect after any byte. */
static void test_disconnects(void **state)
{
	static const char *const talks[] = {
		"{\"cmd\":\"status\"}\n{\"cmd\":\"events\",\"from\":1}\n{\"cmd\":\"wait\",\"gone\":"
		"true}\n",
		"{\"cmd\":\"wait-for\",\"text\":\"x\"}\n{\"cmd\":\"next\",\"target\":\"y\"}\n",
	};
	struct vmrun *vm = talk_begin(TWO_BOOTS, AT_ONCE);

	(void)state;
	life_wait_for(vm, "one");
	for (size_t k = 0; k < 2; k++) {
		for (size_t n = 0; n <= strlen(talks[k]); n++) {
			int fd = talk_client(vm);

			assert_int_equal(send(fd, talks[k], n, MSG_NOSIGNAL), n);
			if (n % 3 == 0)
				life_step(vm, 0);
			if (n % 2 == 0)
				(void)shutdown(fd, SHUT_WR);
			(void)close(fd);
			life_step(vm, 0);
		}
	}
	talk_expect_alive(vm);
	talk_expect_reboot(vm, "go", "two");
	while (vm->control->count > 0)
		life_step(vm, 5);
	assert_int_equal(vm->control->waits, 0);
	talk_finish(vm);
}

static void test_endless_line(void **state)
{
	struct vmrun *vm = talk_begin(TWO_BOOTS, AT_ONCE);
	char *piece = malloc(1 << 20);
	size_t sent = 0;
	ssize_t n = 0;
	int fd;

	(void)state;
	assert_non_null(piece);
	memset(piece, '[', 1 << 20);
	life_wait_for(vm, "one");
	fd = talk_client(vm);
	while (sent < (size_t)100 << 20) {
		n = send(fd, piece, 1 << 20, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			break;
		sent += n > 0 ? (size_t)n : 0;
		life_step(vm, 0);
		for (size_t i = 0; i < vm->control->places; i++) {
			if (vm->control->client[i] != NULL)
				assert_true(vm->control->client[i]->in.room <= 262144);
		}
	}
	assert_true(sent < (size_t)10 << 20);
	talk_expect(vm, fd,
	    "{\"ok\":false,\"error\":\"a line of more than 65536 bytes: this connection is "
	    "closed\"}");
	assert_true(talk_is_closed(vm, fd));
	(void)close(fd);
	free(piece);
	talk_expect_alive(vm);
	talk_expect_reboot(vm, "go", "two");
	talk_finish(vm);
}

/* vmrun stops reading from a client that sends requests but reads no answers, then drops it. */
static void test_deaf_client(void **state)
{
	struct vmrun *vm = talk_begin(TWO_BOOTS, AT_ONCE);
	const struct client *c;
	size_t asked = 0, heard = 0;
	int fd;

	(void)state;
	life_wait_for(vm, "one");
	fd = talk_client(vm);
	for (int quiet = 0; quiet < 20;) {
		bool sent =
		    send(fd, STATUS, strlen(STATUS), MSG_NOSIGNAL) == (ssize_t)strlen(STATUS);

		asked += sent;
		quiet = sent ? 0 : quiet + 1;
		life_step(vm, 0);
	}
	c = vm->control->client[MAX_RESERVED_CLIENTS];
	assert_true(client_unread(c) >= MAX_CLIENT_OUT && c->out.room < 4 * MAX_CLIENT_OUT);
	assert_false(c->reading);
	talk_expect_alive(vm);
	talk_expect_reboot(vm, "go", "two");
	/* A client that reads again gets every answer. */
	while (heard < asked) {
		const char *p = talk_hear(vm, fd, "\n");

		for (; (p = strchr(p, '\n')) != NULL; p++)
			heard++;
	}
	assert_int_equal(heard, asked);
	while (client_unread(vm->control->client[MAX_RESERVED_CLIENTS]) < MAX_CLIENT_OUT) {
		(void)send(fd, STATUS, strlen(STATUS), MSG_NOSIGNAL);
		life_step(vm, 0);
	}
	vm->control->stall_ms = 20;
	talk_expect_alive(vm);
	while (vm->control->client[MAX_RESERVED_CLIENTS] != NULL)
		life_step(vm, 5);
	(void)close(fd);
	talk_finish(vm);
}

/* Returns the next line, however it is split into pieces; lent until the next call. */
static const char *next_line(struct vmrun *vm, int fd)
{
	static char text[1 << 20], line[1 << 20];
	static size_t n;
	int64_t until = clock_ms() + MAX_WAIT_MS;
	const char *end;

	while ((end = memchr(text, '\n', n)) == NULL) {
		ssize_t got = recv(fd, text + n, sizeof(text) - n, 0);

		assert_true(got > 0 || (got < 0 && errno == EAGAIN));
		n += got > 0 ? (size_t)got : 0;
		if (got < 0)
			life_step(vm, 5);
		assert_true(clock_ms() < until);
	}
	memcpy(line, text, (size_t)(end - text));
	line[end - text] = '\0';
	n -= (size_t)(end - text) + 1;
	memmove(text, end + 1, n);
	return line;
}

static uint64_t number_of(const char *line, const char *key)
{
	MEM_AUTO char *text = json_member(line, key);

	return text == NULL ? 0 : strtoull(text, NULL, 10);
}

/* A listener gets every event or its count as lost; the supervisor's user gets all events. */
static void test_slow_listener(void **state)
{
	struct vmrun *vm = talk_begin(TWO_BOOTS, AT_ONCE);
	uint64_t next = 1, lost = 0, last = 0;
	const struct vmrun_event *e;
	int fd;

	(void)state;
	life_wait_for(vm, "one");
	fd = talk_client(vm);
	talk_say(fd, "{\"cmd\":\"events\",\"from\":0}\n");
	life_step(vm, 0);
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(vmrun_reload(vm), 64);
		while ((e = vmrun_next_event(vm)) != NULL)
			last = e->seq;
	}
	assert_string_equal(next_line(vm, fd), "{\"ok\":true}");
	while (next <= last) {
		const char *line = next_line(vm, fd);

		if (strstr(line, "\"event\":\"lost\"") != NULL) {
			lost += number_of(line, "count");
			next += number_of(line, "count");
			assert_true(number_of(line, "seq") == next - 1);
		} else {
			assert_true(number_of(line, "seq") == next);
			next++;
		}
	}
	assert_true(lost > 10000);
	(void)close(fd);
	talk_expect_reboot(vm, "go", "two");
	talk_finish(vm);
}

static void babble(struct dice *dice, int fd)
{
	static const char *const words[] = { "{", "}", "[", "]", "\"cmd\"", ":", ",", "\"status\"",
		"\"events\"", "\"from\"", "1", "\n", "\n", "\0", "\"wait\"", "\"gone\"", "true",
		"\\u", STATUS, "{\"cmd\":\"console\"}\n", "{\"cmd\":\"events\"}\n", "\xff" };
	char text[256];
	size_t n = 0;

	for (unsigned i = dice_roll(dice, 30); i > 0; i--) {
		const char *word = words[dice_roll(dice, sizeof(words) / sizeof(words[0]))];
		size_t length = *word == '\0' ? 1 : strlen(word);

		for (size_t k = 0; k < length && n < sizeof(text); k++)
			text[n++] = word[k];
	}
	(void)!send(fd, text, n, MSG_NOSIGNAL);
}

static void test_babble(void **state)
{
	struct vmrun *vm = talk_begin(TWO_BOOTS, AT_ONCE);
	int64_t until = clock_ms() + 2000;
	struct dice dice;
	int fd[8];

	(void)state;
	dice_start(&dice, 1);
	life_wait_for(vm, "one");
	for (size_t i = 0; i < 8; i++)
		fd[i] = talk_client(vm);
	while (clock_ms() < until) {
		size_t i = dice_roll(&dice, 8);
		char heard[65536];

		babble(&dice, fd[i]);
		if (dice_roll(&dice, 2) == 0)
			(void)!recv(fd[i], heard, sizeof(heard), 0);
		if (dice_roll(&dice, 20) == 0) {
			(void)close(fd[i]);
			fd[i] = talk_client(vm);
		}
		life_step(vm, 0);
	}
	for (size_t i = 0; i < 8; i++)
		(void)close(fd[i]);
	talk_expect_alive(vm);
	talk_expect_reboot(vm, "go", "two");
	talk_finish(vm);
}

/* A stop is answered when the VM has exited; the connection ends when its name is free. */
static void test_stop(void **state)
{
	struct vmrun *vm = talk_begin("acpi on ready one wait exit 1", AT_ONCE);
	char byte;
	int fd, other;

	(void)state;
	life_wait_for(vm, "one");
	fd = talk_client(vm);
	other = talk_client(vm);
	talk_say(other, "{\"id\":1,\"cmd\":\"wait\",\"state\":\"backoff\"}\n");
	talk_say(fd,
	    "{\"id\":1,\"cmd\":\"status\"}\n{\"id\":2,\"cmd\":\"stop\",\"wait\":true}\n"
	    "{\"id\":3,\"cmd\":\"status\"}\n");
	talk_expect(vm, fd, "{\"id\":3,\"ok\":true,\"v\":1,\"vm\":\"demo\",\"state\":\"stopping\"");
	assert_non_null(strstr(life_end(vm), "ended:stopped"));
	assert_true(recv(fd, &byte, 1, MSG_PEEK) == 1);
	talk_expect(vm, fd,
	    "{\"id\":2,\"ok\":true,\"ended_by\":\"acpi\",\"text\":\"the guest powered off ");
	talk_expect(vm, other, "{\"id\":1,\"ok\":false,\"error\":\"the VM has exited\"}\n");
	assert_int_equal(talk_try(), -1);
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
	vmrun_close(vm);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	(void)close(fd);
	(void)close(other);
}

/* Clients get the events of the library user's requests at once, without a dispatch. */
static void test_asked_by_others(void **state)
{
	struct vmrun *vm = talk_begin("exit 3",
	    ",\"reboot_on\":[\"triple_fault\"],\"backoff\":{"
	    "\"initial\":3600,\"max\":3600}");
	struct vmrun_state s = { 0 };
	char heard[65536];
	ssize_t n;
	int fd = talk_client(vm);

	(void)state;
	while (s.state == NULL || strcmp(s.state, "backoff") != 0) {
		life_step(vm, 5);
		s = *vmrun_get_state(vm);
	}
	talk_say(fd, "{\"cmd\":\"events\"}\n{\"cmd\":\"wait\",\"gone\":true}\n");
	talk_expect(vm, fd, "{\"ok\":true}\n");
	vmrun_stop(vm);
	assert_true(vmrun_ended(vm));
	n = recv(fd, heard, sizeof(heard) - 1, 0);
	assert_true(n > 0);
	heard[n] = '\0';
	assert_non_null(strstr(heard, "\"event\":\"ended\""));
	assert_non_null(strstr(heard, "{\"ok\":true}\n"));
	(void)close(fd);
	vmrun_close(vm);
}

/* Returns the number of wake-ups while nothing happens. */
static int count_wakes(struct vmrun *vm)
{
	struct pollfd p = { .fd = vmrun_fd(vm), .events = POLLIN };
	int wakes = 0;

	for (; wakes < 1000 && poll(&p, 1, 50) > 0; wakes++)
		assert_int_equal(vmrun_dispatch(vm), 0);
	return wakes;
}

/* A guest that does not read its port delays only the writer, and vmrun does not spin. */
static void test_full_line(void **state)
{
	struct vmrun *vm = talk_begin(TWO_BOOTS, AT_ONCE ",\"com1\":\"console\"");
	size_t sent = 0;
	int fd, other;

	(void)state;
	life_wait_for(vm, "one");
	fd = talk_client(vm);
	other = talk_client(vm);
	talk_say(fd, "{\"cmd\":\"console\",\"write\":true}\n");
	talk_expect(vm, fd, "\"backlog\":0}\n");
	talk_say(other, "{\"cmd\":\"console\"}\n");
	talk_expect(vm, other, "\"backlog\":0}\n");
	for (int quiet = 0; quiet < 20;) {
		char bytes[1000];
		ssize_t n;

		memset(bytes, 'x', sizeof(bytes));
		n = send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		quiet = n > 0 ? 0 : quiet + 1;
		life_step(vm, 0);
	}
	assert_true(sent < (size_t)4 << 20);
	assert_true(vm->control->wants_room);
	talk_say(other, "what a reader says is nobody's");
	assert_true(count_wakes(vm) < 1000);
	assert_true(vm->control->wants_room);
	talk_expect_alive(vm);
	talk_expect_reboot(vm, "go", "two");
	(void)close(fd);
	assert_true(count_wakes(vm) < 1000);
	assert_int_equal(vm->control->count, 1);
	assert_false(vm->control->wants_room);
	(void)close(other);
	talk_finish(vm);
}

/* The library's user closes a VM that runs. */
static void test_closed(void **state)
{
	struct vmrun *vm = talk_begin("ready one hang", AT_ONCE);
	char heard[128];
	ssize_t n;
	int fd;

	(void)state;
	life_wait_for(vm, "one");
	fd = talk_client(vm);
	talk_say(fd, "{\"cmd\":\"wait\",\"gone\":true}\n");
	while (vm->control->waits == 0)
		life_step(vm, 5);
	vmrun_close(vm);
	n = recv(fd, heard, sizeof(heard), 0);
	assert_int_equal(n, 12);
	assert_memory_equal(heard, "{\"ok\":true}\n", 12);
	assert_false(life_file_exists("run/demo"));
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_off, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_half_lines, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_disconnects, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_endless_line, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_deaf_client, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_slow_listener, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_babble, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_stop, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_asked_by_others, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_full_line, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_closed, life_enter, life_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
