/* Options of qemu: pairs, and the commas in them. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "device/qemu_words.h"

static void last_is(const struct words *argv, const char *wanted)
{
	assert_string_equal(argv->item[argv->count - 1], wanted);
}

static void test_pairs(void **state)
{
	struct words argv = { 0 };

	(void)state;
	qemu_begin(&argv, "-device", "ide-hd");
	last_is(&argv, "ide-hd");
	qemu_pair(&argv, "id", "a");
	qemu_pair(&argv, "serial", NULL);
	qemu_pairf(&argv, "bus", "%s.%d", "b", 7);
	last_is(&argv, "ide-hd,id=a,bus=b.7");
	qemu_begin(&argv, "-smp", NULL);
	qemu_pair(&argv, "cpus", "2");
	qemu_pair(&argv, "cores", "");
	last_is(&argv, "cpus=2,cores=");
	assert_int_equal(argv.count, 4);
	assert_string_equal(argv.item[0], "-device");
	assert_string_equal(argv.item[1], "ide-hd,id=a,bus=b.7");
	assert_string_equal(argv.item[2], "-smp");
	words_free(&argv);
}

/*
 * A comma of a value is doubled, wherever the value comes from; those of the user's words are not.
 */
static void test_commas(void **state)
{
	struct words argv = { 0 };

	(void)state;
	qemu_begin(&argv, "-vnc", "a,b");
	qemu_pair(&argv, "file", ",/x,,y,");
	qemu_pairf(&argv, "id", "%s,%%s", "1,2");
	last_is(&argv, "a,,b,file=,,/x,,,,y,,,id=1,,2,,%s");
	qemu_verbatim(&argv, "acpi=off,hpet=off");
	last_is(&argv, "a,,b,file=,,/x,,,,y,,,id=1,,2,,%s,acpi=off,hpet=off");
	words_free(&argv);
}

static void address_is(bool multifunction, struct slot slot, const char *wanted)
{
	struct words argv = { 0 };
	struct qemu_build q = { .argv = &argv, .multifunction = multifunction };
	struct device dev = { .slot = slot };

	qemu_begin(&argv, "-device", "nvme");
	qemu_address(&q, &dev);
	last_is(&argv, wanted);
	words_free(&argv);
}

static void test_address(void **state)
{
	(void)state;
	address_is(false, (struct slot){ true, 0, 3, 0 }, "nvme,bus=pcie.0,addr=3.0");
	address_is(false, (struct slot){ true, 0, 30, 7 }, "nvme,bus=pcie.0,addr=1e.7");
	address_is(
	    true, (struct slot){ true, 0, 10, 0 }, "nvme,bus=pcie.0,addr=a.0,multifunction=on");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_commas),
		cmocka_unit_test(test_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
