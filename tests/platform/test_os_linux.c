/* What the kernel of Linux tells only in part. */
#include "platform/os.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
ssize_t __real_read(int fd, void *bytes, size_t n);
ssize_t __wrap_read(int fd, void *bytes, size_t n);

static size_t most = SIZE_MAX; /* bytes of a read */

ssize_t __wrap_read(int fd, void *bytes, size_t n)
{
	return __real_read(fd, bytes, n < most ? n : most);
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* A part of the boot's id would pass for another boot, after which nothing is left to clean up. */
static void test_part_of_a_boot_id(void **state)
{
	MEM_AUTO char *whole = os_boot_id();
	MEM_AUTO char *part = NULL;

	(void)state;
	most = 18;
	part = os_boot_id();
	most = SIZE_MAX;
	assert_int_equal(strlen(whole), 36);
	assert_string_equal(part, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_part_of_a_boot_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
