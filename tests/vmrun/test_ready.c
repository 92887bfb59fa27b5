/* The descriptor of --ready-fd and the address of NOTIFY_SOCKET. */
#include "../base/dice.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmrun/ready.h"

/* The longest address: sun_path with its NUL. */
#define MAX_ADDRESS (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/* Returns what ready_open() says about this address. */
static const char *open_address(const char *address)
{
	struct ready ready;
	const char *wrong;

	assert_int_equal(setenv("NOTIFY_SOCKET", address, 1), 0);
	assert_null(ready_prepare(&ready, -1));
	assert_null(getenv("NOTIFY_SOCKET"));
	wrong = ready_open(&ready);
	assert_int_equal(ready.notify >= 0, wrong == NULL && *address != '\0');
	ready_close(&ready);
	assert_int_equal(ready.notify, -1);
	return wrong;
}

static void test_address(void **state)
{
	char address[MAX_ADDRESS + 2];

	(void)state;
	assert_null(open_address(""));
	assert_null(open_address("@n"));
	assert_null(open_address("/n"));
	assert_non_null(open_address("@"));
	assert_non_null(open_address("n"));
	memset(address, 'n', sizeof(address));
	address[0] = '/';
	address[MAX_ADDRESS] = '\0';
	assert_null(open_address(address));
	address[MAX_ADDRESS] = 'n';
	address[MAX_ADDRESS + 1] = '\0';
	assert_non_null(open_address(address));
}

static void test_descriptor(void **state)
{
	struct ready ready;
	char bytes[2];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_non_null(ready_prepare(&ready, STDERR_FILENO));
	assert_non_null(ready_prepare(&ready, (int64_t)INT32_MAX + 1));
	assert_non_null(ready_prepare(&ready, ends[0]));
	assert_null(ready_prepare(&ready, ends[1]));
	assert_true((fcntl(ends[1], F_GETFD) & FD_CLOEXEC) != 0);
	assert_null(ready_up(&ready));
	assert_null(ready_up(&ready)); /* a second boot writes nothing */
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 1);
	assert_int_equal(bytes[0], '\n');
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 0); /* the descriptor is closed */
	(void)close(ends[0]);
	ready_close(&ready);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
