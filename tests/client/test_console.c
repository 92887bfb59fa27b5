/* The console of a vmrun whose answers the test writes. */
#include "vmrun_of_test.h"

static void test_console(void **state)
{
	char bytes[8];
	size_t n;

	(void)state;
	expect_error(vmrun_client_read(client, bytes, sizeof(bytes), &n, 0), VMRUN_CLIENT_USAGE,
	    "vmrun_client_attach()");
	answer("{\"id\":1,\"ok\":true,\"backlog\":11}\nhello world");
	assert_int_equal(vmrun_client_attach(client, true, 0), VMRUN_CLIENT_OK);
	expect_request("{\"id\":1,\"cmd\":\"console\",\"write\":true}\n");
	assert_int_equal(vmrun_client_read(client, bytes, sizeof(bytes), &n, 0), VMRUN_CLIENT_OK);
	assert_int_equal(n, 8);
	assert_memory_equal(bytes, "hello wo", 8);
	assert_int_equal(vmrun_client_read(client, bytes, sizeof(bytes), &n, 0), VMRUN_CLIENT_OK);
	assert_int_equal(n, 3);
	expect_error(vmrun_client_read(client, bytes, sizeof(bytes), &n, 0), VMRUN_CLIENT_TIMED_OUT,
	    "printed nothing");
	assert_int_equal(vmrun_client_write(client, "ls\r", 3, &n, 0), VMRUN_CLIENT_OK);
	assert_int_equal(n, 3);
	expect_request("ls\r");
	expect_error(ask("{\"cmd\":\"status\"}", NULL), VMRUN_CLIENT_USAGE, "console");
	hang_up();
	expect_error(vmrun_client_read(client, bytes, sizeof(bytes), &n, -1),
	    VMRUN_CLIENT_NOT_RUNNING, "closed");
	expect_error(
	    vmrun_client_write(client, "x", 1, &n, -1), VMRUN_CLIENT_NOT_RUNNING, "closed");
}

/* vmrun drops what a client types that has not asked to. */
static void test_a_console_without_typing(void **state)
{
	char bytes[8];
	size_t n = 7;

	(void)state;
	answer("{\"id\":1,\"ok\":true}\nhello");
	assert_int_equal(vmrun_client_attach(client, false, 0), VMRUN_CLIENT_OK);
	expect_request("{\"id\":1,\"cmd\":\"console\"}\n");
	expect_error(
	    vmrun_client_write(client, "ls\r", 3, &n, 0), VMRUN_CLIENT_USAGE, "without typing");
	assert_int_equal(n, 0);
	assert_int_equal(vmrun_client_read(client, bytes, sizeof(bytes), &n, 0), VMRUN_CLIENT_OK);
	assert_int_equal(n, 5);
}

/* Requests of a client that is attached, or may be so, would be typed to the guest. */
static void test_attached_once(void **state)
{
	(void)state;
	answer("{\"id\":1,\"ok\":true}\n");
	assert_int_equal(vmrun_client_attach(client, true, 0), VMRUN_CLIENT_OK);
	expect_error(
	    vmrun_client_attach(client, true, 0), VMRUN_CLIENT_USAGE, "attached to the console");
	expect_error(ask("{\"cmd\":\"stop\"}", NULL), VMRUN_CLIENT_USAGE, "console");
}

static void test_attached_too_late(void **state)
{
	(void)state;
	assert_int_equal(vmrun_client_attach(client, true, 0), VMRUN_CLIENT_TIMED_OUT);
	answer("{\"id\":1,\"ok\":true}\n");
	expect_error(ask("{\"cmd\":\"stop\"}", NULL), VMRUN_CLIENT_USAGE, "open another client");
	expect_error(
	    vmrun_client_attach(client, true, 0), VMRUN_CLIENT_USAGE, "open another client");
}

/* A console that accepts nothing more: part of the bytes, and no wait beyond the limit. */
static void test_a_full_console(void **state)
{
	static char bytes[4 << 20];
	size_t n;

	(void)state;
	answer("{\"id\":1,\"ok\":true}\n");
	assert_int_equal(vmrun_client_attach(client, true, 0), VMRUN_CLIENT_OK);
	expect_error(vmrun_client_write(client, bytes, sizeof(bytes), &n, 0),
	    VMRUN_CLIENT_TIMED_OUT, "accepts no more");
	assert_true(n > 0 && n < sizeof(bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(attached_once),
		TEST(attached_too_late),
		TEST(console),
		TEST(a_console_without_typing),
		TEST(a_full_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
