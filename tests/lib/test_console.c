/* The library's public functions: reading, typing and waiting on the guest's serial console. */
#include "life.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define CONSOLE ",\"com1\":\"console\""

/* Starts a VM and returns the guest's end of its console. */
static int start(struct vmrun *vm)
{
	const struct vmrun_event *e = NULL;
	struct termios modes;
	int fd = -1;

	assert_int_equal(vmrun_start(vm), 0);
	while (e == NULL || e->type != VMRUN_SPAWNED) {
		if ((e = vmrun_next_event(vm)) == NULL)
			life_step(vm, 10000);
	}
	for (size_t i = 0; e->argv[i] != NULL; i++) {
		if (strncmp(e->argv[i], "com1,", 5) == 0)
			fd = open(e->argv[i] + 5, O_RDWR | O_NOCTTY);
	}
	assert_int_not_equal(fd, -1);
	assert_int_equal(tcgetattr(fd, &modes), 0);
	modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	modes.c_oflag &= ~(tcflag_t)OPOST;
	assert_int_equal(tcsetattr(fd, TCSANOW, &modes), 0);
	return fd;
}

static void print(int guest, const char *text)
{
	assert_int_equal(write(guest, text, strlen(text)), (ssize_t)strlen(text));
}

static void test_wait_and_read(void **state)
{
	struct vmrun *vm = life_open("demo", CONSOLE);
	uint64_t at = 0, from = 0;
	char bytes[8];
	int guest;

	(void)state;
	life_script("hang");
	guest = start(vm);
	assert_false(vmrun_console_find(vm, &at, "login: "));
	print(guest, "one two log");
	assert_int_equal(vmrun_console_wait(vm, &at, "two", 60000), 0);
	assert_int_equal(at, 7);
	assert_int_equal(vmrun_console_wait(vm, &at, "login: ", 0), 75);
	print(guest, "in: ");
	assert_int_equal(vmrun_console_wait(vm, &at, "login: ", -1), 0);
	assert_int_equal(at, 15);
	assert_false(vmrun_console_find(vm, &at, "login: "));
	assert_int_equal(vmrun_console_read(vm, &from, bytes, sizeof(bytes)), 8);
	assert_memory_equal(bytes, "one two ", 8);
	assert_int_equal(vmrun_console_read(vm, &from, bytes, sizeof(bytes)), 7);
	assert_memory_equal(bytes, "login: ", 7);
	assert_int_equal(vmrun_console_read(vm, &from, bytes, sizeof(bytes)), 0);
	from = 1000; /* beyond the end */
	assert_int_equal(vmrun_console_read(vm, &from, bytes, sizeof(bytes)), 0);
	assert_int_equal(from, 15);
	(void)close(guest);
	vmrun_close(vm);
}

static void test_write(void **state)
{
	struct vmrun *vm = life_open("demo", CONSOLE);
	char bytes[8];
	int guest;

	(void)state;
	life_script("hang");
	guest = start(vm);
	assert_int_equal(vmrun_console_write(vm, "root\r", 5), 5);
	assert_int_equal(read(guest, bytes, sizeof(bytes)), 5);
	assert_memory_equal(bytes, "root", 4);
	(void)close(guest);
	vmrun_close(vm);
}

static void test_typing_after_the_end(void **state)
{
	struct vmrun *vm = life_open("demo", CONSOLE);

	(void)state;
	life_script("exit 1");
	assert_int_equal(vmrun_run(vm, NULL, NULL), 0);
	assert_int_equal(vmrun_console_write(vm, "x", 1), 0);
	vmrun_close(vm);
}

/* The end of what was looked at may begin the text. */
static void test_text_in_pieces(void **state)
{
	struct vmrun *vm = life_open("demo", CONSOLE);
	uint64_t at = 0, seen = 0;
	int guest;

	(void)state;
	life_script("hang");
	guest = start(vm);
	print(guest, "a long line, and login");
	assert_int_equal(vmrun_console_wait(vm, &seen, "login", 60000), 0);
	assert_false(vmrun_console_find(vm, &at, "login: "));
	assert_int_equal(at, 22 - 7 + 1);
	print(guest, ": ");
	assert_int_equal(vmrun_console_wait(vm, &at, "login: ", 60000), 0);
	assert_int_equal(at, 24);
	(void)close(guest);
	vmrun_close(vm);
}

/* A reader that is far behind reads on at the oldest byte that is kept. */
static void test_oldest_byte(void **state)
{
	struct vmrun *vm = life_open("demo", CONSOLE);
	char page[1024], bytes[4];
	uint64_t at = 0, end = 0;
	int guest;

	(void)state;
	life_script("hang");
	guest = start(vm);
	memset(page, 'x', sizeof(page));
	for (int i = 0; i < 80; i++) {
		assert_int_equal(write(guest, page, sizeof(page)), sizeof(page));
		print(guest, "#");
		assert_int_equal(vmrun_console_wait(vm, &end, "#", 60000), 0);
	}
	assert_int_equal(end, 80 * 1025);
	assert_int_equal(vmrun_console_read(vm, &at, bytes, sizeof(bytes)), 4);
	assert_int_equal(at, 80 * 1025 - 65536 + 4);
	(void)close(guest);
	vmrun_close(vm);
}

static void test_no_console(void **state)
{
	struct vmrun *vm = life_open("demo", "");
	uint64_t at = 0;
	char byte;

	(void)state;
	assert_int_equal(vmrun_console_read(vm, &at, &byte, 1), 0);
	assert_int_equal(vmrun_console_write(vm, "x", 1), 0);
	assert_false(vmrun_console_find(vm, &at, "x"));
	assert_int_equal(vmrun_console_wait(vm, &at, "x", -1), 64);
	assert_string_equal(vmrun_refusal(vm), "the VM is not started");
	life_script("exit 1");
	assert_int_equal(vmrun_start(vm), 0);
	assert_int_equal(vmrun_console_wait(vm, &at, "x", -1), 64);
	assert_string_equal(vmrun_refusal(vm), "no serial port of this VM is \"console\"");
	vmrun_close(vm);
	vm = life_open("demo", CONSOLE);
	life_script("exit 1");
	assert_int_equal(vmrun_start(vm), 0);
	assert_int_equal(vmrun_console_wait(vm, &at, "x", -1), 69);
	assert_null(vmrun_refusal(vm));
	assert_true(vmrun_ended(vm));
	vmrun_close(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_wait_and_read, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_text_in_pieces, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_write, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_typing_after_the_end, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_oldest_byte, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_no_console, life_enter, life_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
