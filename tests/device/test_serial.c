/* Backends of serial ports, and the uart device. */
#include "support.h"

#include "base/mem.h"
#include "device/serial.h"

static void test_backends(void **state)
{
	static const char *const good[] = { "stdio", "/dev/nmdm0A", "/dev/ttyu0", "/dev/a,b=%",
		"tcp=127.0.0.1:1", "tcp=[::1]:65535", "tcp=[fe80::1%em0]:1", "tcp=0.0.0.0:5000" };
	static const char *const bad[] = { "stdin", "STDIO", "nmdm", "console", "dev/ttyu0",
		"tcp=", "tcp=:1", "tcp=localhost:1", "tcp=127.0.0.1",
		"tcp=127.0.0.1:", "tcp=127.0.0.1:0", "tcp=127.0.0.1:65536", "tcp=127.0.0.1:1x",
		"tcp=127.0.0.1:+1", "tcp=::1:5", "tcp=[::1]", "tcp=[]:1", "tcp=[127.0.0.1]:1",
		"tcp=127.0.0.1%em0:1", "udp=127.0.0.1:1" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		MEM_AUTO char *text = mem_format("{'device':'uart','path':'%s'}", good[i]);
		MEM_AUTO char *shown = mem_format("'path':'%s'}", good[i]);

		assert_true(serial_is_backend(good[i]));
		device_shows(text, shown);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		MEM_AUTO char *text = mem_format("{'device':'uart','path':'%s'}", bad[i]);
		MEM_AUTO char *why = mem_format(
		    "emulations[0].path: invalid serial port \"%s\": expected \"stdio\"", bad[i]);

		assert_false(serial_is_backend(bad[i]));
		device_refused(text, why);
	}
}

/* Checks what a uart with this backend needs and claims; NULL: nothing. */
static void uart(const char *path, int kind, const char *what, const char *claim)
{
	MEM_AUTO char *text = mem_format("{'device':'uart','path':'%s'}", path);
	struct device *dev = device_of(text);
	struct needs needs = { 0 };
	struct pairs claims = { 0 };

	dev->kind->needs(dev, &needs);
	dev->kind->claims(dev, &claims);
	assert_int_equal(needs.count, what == NULL ? 0 : 1);
	if (what != NULL) {
		assert_int_equal(needs.item[0].kind, kind);
		assert_string_equal(needs.item[0].what, what);
		assert_string_equal(needs.item[0].key, "path");
		assert_true(need_is_exclusive(&needs.item[0]));
	}
	assert_int_equal(claims.count, claim == NULL ? 0 : 1);
	assert_int_equal(serial_claims_stdio(&claims), claim != NULL);
	needs_clear(&needs);
	pairs_free(&claims);
	device_free(dev);
}

static void test_needs(void **state)
{
	(void)state;
	uart("stdio", 0, NULL, "stdio");
	uart("/dev/nmdm0A", NEED_SERIAL, "/dev/nmdm0A", NULL);
	uart("tcp=[::1]:5000", NEED_PORT, "[::1]:5000", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backends),
		cmocka_unit_test(test_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
