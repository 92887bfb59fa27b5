/* PCI devices of the host: the list of pciconf, and the address of a device with `lookup`. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/pci.h"
#include "checked.h"

static const char *found(const struct checked *c, size_t device)
{
	return c->planned.boot.spec->devices[device]->found;
}

#define LIST                                                                                  \
	"hostb0@pci0:0:0:0:\tclass=0x060000 rev=0x00 hdr=0x00 vendor=0x8086 device=0x1237 "   \
	"subvendor=0x0000 subdevice=0x0000\n"                                                 \
	"ppt0@pci0:3:0:0:\tclass=0x030000 rev=0xa1 hdr=0x00 vendor=0x10de device=0x1c03 "     \
	"subvendor=0x1043 subdevice=0x85ac\n"                                                 \
	"none1@pci0:5:0:0:\tclass=0x028000 rev=0x01 hdr=0x00 vendor=0x8086 device=0x08b1 "    \
	"subvendor=0x8086 subdevice=0x4070\n"                                                 \
	"no device at all\nppt1@pci0:5:0:1:\tclass=0x030000 rev=0xa1 hdr=0x00 vendor=0x10de " \
	"device=0x1c03 subvendor=0x1043 subdevice=0x85ac"

static const struct said listed[] = { { "pciconf -l", 0, LIST, false }, { 0 } };

static void pci_is_found(const struct pci_list *list, const char *what, const char *driver)
{
	size_t from = 0;
	const struct pci_device *d = pci_find(list, what, &from);

	if (driver == NULL)
		assert_null(d);
	else
		assert_string_equal(d->driver, driver);
}

/* Two equal devices: the run that comes second finds the other one. */
static void two_runs_look_for_one_kind_of_device(void **state)
{
	struct checked c = { .says = listed };
	char *first;

	(void)state;
	checked_needs_commands();
	checked_make(&c, &hyper_bhyve,
	    "emulations = { { device = 'passthru', lookup = { vendor = '10de1043', device = "
	    "'1c0385ac' } } }");
	assert_non_null(found(&c, 0));
	first = mem_copy(found(&c, 0));
	assert_int_equal(c.taken.count, 1);
	words_add(&c.theirs, c.taken.item[0]);
	pairs_free(&c.before);
	checked_again(&c);
	assert_non_null(found(&c, 0));
	assert_string_not_equal(found(&c, 0), first);
	free(first);
	checked_free(&c);
}

#define LOOKUP(vendor, device) \
	"{ device = 'passthru', lookup = { vendor = '" vendor "', device = '" device "' } }"
#define PPT LOOKUP("10de1043", "1c0385ac")  /* two of them: 3/0/0 and 5/0/1 */
#define ANY LOOKUP("10de", "1c03")	    /* the same two */
#define WIFI LOOKUP("80868086", "08b14070") /* 5/0/0 */

/* Checks what a boot finds for one device, and perhaps a second one. */
static void finds(struct checked *c, const char *emulations, const char *one, const char *two)
{
	MEM_AUTO char *keys = mem_format("emulations = { %s }", emulations);

	planned_free(&c->planned);
	checked_make(c, &hyper_bhyve, keys);
	assert_non_null(found(c, 0));
	assert_string_equal(found(c, 0), one);
	if (two == NULL)
		return;
	assert_non_null(found(c, 1));
	assert_string_equal(found(c, 1), two);
}

/* After a reload, or in another target, a device of the same id may look for other ids. */
static void another_lookup(void **state)
{
	struct checked c = { .says = listed };

	(void)state;
	checked_needs_commands();
	finds(&c, PPT, "3/0/0", NULL);
	assert_int_equal(c.dropped.count, 0);
	finds(&c, WIFI, "5/0/0", NULL);
	assert_int_equal(c.dropped.count, 1);
	assert_string_equal(c.dropped.item[0], "pci-3-0-0");
	finds(&c, WIFI ", " PPT, "5/0/0", "3/0/0");
	finds(&c, PPT ", " WIFI, "3/0/0", "5/0/0");
	/* The present devices may have what one that is gone had. */
	finds(&c, WIFI, "5/0/0", NULL);
	finds(&c, WIFI ", " PPT, "5/0/0", "3/0/0");
	checked_free(&c);
}

/* A device of the boot before stays, even if another that matches comes first. */
static void a_pci_device_of_the_boot_before_stays(void **state)
{
	struct checked c = { .says = listed };

	(void)state;
	checked_needs_commands();
	pairs_add(&c.before, "passthru-0", "5/0/1");
	finds(&c, PPT ", " ANY, "5/0/1", "3/0/0");
	finds(&c, ANY ", " PPT, "5/0/1", "3/0/0");
	assert_int_equal(c.dropped.count, 0);
	checked_free(&c);
}

/* A lookup does not find what another device of the VM names. */
static void no_pci_device_of_the_spec(void **state)
{
	struct checked c = { .says = listed };

	(void)state;
	checked_needs_commands();
	finds(&c, PPT ", { device = 'passthru', src = '3:0:0' }", "5/0/1", NULL);
	pairs_free(&c.before);
	finds(&c, PPT ", { device = 'passthru', src = 'ppt0' }", "5/0/1", NULL);
	checked_free(&c);
}

static void the_list_of_pciconf(void **state)
{
	const char *const command[] = { "pciconf", "-l", NULL };
	struct facts facts = { 0 };
	struct findings out = { 0 };
	struct host host;
	struct pci_list list;
	size_t from = 0;

	(void)state;
	host_open(&host, &hyper_bhyve, &facts, &out);
	assert_int_equal(pci_read(&host, &list), TRUTH_PENDING);
	assert_true(host.waits);
	facts_store(&facts, 0, false, LIST);
	assert_non_null(facts_ask(&facts, command));
	host.waits = false;
	assert_int_equal(pci_read(&host, &list), TRUTH_YES);
	assert_int_equal(list.count, 4);
	pci_is_found(&list, "3/0/0", "ppt0");
	pci_is_found(&list, "5/0/0", "none1");
	pci_is_found(&list, "5:0:0", "none1");
	pci_is_found(&list, "5/0/2", NULL);
	pci_is_found(&list, "ppt1", "ppt1");
	pci_is_found(&list, "ppt", NULL);
	pci_is_found(&list, "lookup 80868086 08b14070", "none1");
	pci_is_found(&list, "lookup 0x10de1043 0x1c0385ac", "ppt0");
	pci_is_found(&list, "lookup 10de1043 1c0385ad", NULL);
	pci_is_found(&list, "lookup 10de 0x1c03", "ppt0");
	pci_is_found(&list, "lookup 8086 1c03", NULL);
	assert_string_equal(pci_find(&list, "lookup 10de1043 1c0385ac", &from)->driver, "ppt0");
	assert_string_equal(pci_find(&list, "lookup 10de1043 1c0385ac", &from)->driver, "ppt1");
	assert_null(pci_find(&list, "lookup 10de1043 1c0385ac", &from));
	assert_true(pci_is_ppt(&list.item[1]));
	assert_false(pci_is_ppt(&list.item[2]));
	pci_free(&list);
	facts_clear(&facts);
	findings_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_runs_look_for_one_kind_of_device),
		cmocka_unit_test(another_lookup),
		cmocka_unit_test(a_pci_device_of_the_boot_before_stays),
		cmocka_unit_test(no_pci_device_of_the_spec),
		cmocka_unit_test(the_list_of_pciconf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
