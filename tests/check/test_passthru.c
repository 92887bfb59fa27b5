/* PCI devices for a guest; a device kind of the test replaces those that need a PCI device. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "checked.h"
#include "platform/os.h"

static const char *wanted; /* what the device needs */

static void give_needs(const struct device *dev, struct needs *needs)
{
	(void)dev;
	(void)needs_add(needs, NEED_PCI, "src", wanted);
}

static const char *unknown(const struct device *dev)
{
	(void)dev;
	return strncmp(wanted, "lookup ", 7) == 0 ? "pptAUTO" : NULL;
}

static const struct said host[] = {
	{ "pciconf -l", 0,
	    "ppt0@pci0:3:0:0:\tclass=0x03 vendor=0x10de device=0x1c03 subvendor=0x1043 "
	    "subdevice=0x85ac\n"
	    "nvme0@pci0:4:0:0:\tclass=0x01 vendor=0x144d device=0xa808 subvendor=0x144d "
	    "subdevice=0xa801\n"
	    "none1@pci0:5:0:0:\tclass=0x02 vendor=0x8086 device=0x08b1 subvendor=0x8086 "
	    "subdevice=0x4070\n",
	    false },
	{ 0 },
};

/* Checks a VM with one device of that kind. */
static void check(struct checked *c, const struct said *says, const char *what)
{
	static struct device_kind kind;
	struct device *dev;

	memset(c, 0, sizeof(*c));
	c->says = says;
	wanted = what;
	planned_good(&c->planned, &hyper_bhyve, "emulations = { { device = 'xhci' } }");
	dev = c->planned.boot.spec->devices[0];
	kind = *dev->kind;
	kind.needs = give_needs;
	kind.placeholder = unknown;
	dev->kind = &kind;
	checked_again(c);
}

static void attached_or_not(void **state)
{
	struct checked c;

	(void)state;
	check(&c, host, "3/0/0");
	checked_lacks(&c, "pci0:3:0:0");
	checked_free(&c);
	check(&c, host, "ppt0");
	checked_lacks(&c, "ppt0");
	checked_free(&c);
	check(&c, host, "4/0/0");
	(void)checked_has(&c, "pci0:4:0:0", "attached to nvme0, not to ppt(4)",
	    "devctl set driver -f pci0:4:0:0 ppt", "devctl clear driver -f pci0:4:0:0");
	checked_free(&c);
	check(&c, host, "5/0/0");
	(void)checked_has(&c, "pci0:5:0:0", "not attached to ppt(4)",
	    "devctl set driver -f pci0:5:0:0 ppt", "devctl clear driver -f pci0:5:0:0");
	checked_free(&c);
	check(&c, host, "6/0/0");
	(void)checked_has(&c, "6/0/0", "no such PCI device", NULL, NULL);
	checked_free(&c);
	check(&c, host, "ppt5");
	(void)checked_has(&c, "ppt5", "no such PCI device", NULL, NULL);
	checked_free(&c);
}

static void looked_up_by_its_ids(void **state)
{
	struct checked c;

	(void)state;
	check(&c, host, "lookup 80868086 08b14070");
	assert_string_equal(c.planned.boot.spec->devices[0]->found, "5/0/0");
	(void)checked_has(&c, "pci0:5:0:0", "not attached to ppt(4)",
	    "devctl set driver -f pci0:5:0:0 ppt", "devctl clear driver -f pci0:5:0:0");
	checked_free(&c);
	check(&c, host, "lookup 8086 08b1");
	assert_string_equal(c.planned.boot.spec->devices[0]->found, "5/0/0");
	checked_free(&c);
	check(&c, host, "lookup 8086 08b14071");
	assert_null(c.planned.boot.spec->devices[0]->found);
	checked_free(&c);
	check(&c, host, "lookup 80868086 ffffffff");
	assert_null(c.planned.boot.spec->devices[0]->found);
	(void)checked_has(&c, "80868086 ffffffff", "no such PCI device", NULL, NULL);
	checked_free(&c);
}

static void nobody_to_ask(void **state)
{
	const struct said none[] = { { "pciconf -l", -1, NULL, true }, { 0 } };
	struct checked c;

	(void)state;
	check(&c, none, "3/0/0");
	assert_int_equal(
	    checked_has(&c, "pciconf", "no pciconf", NULL, NULL)->kind, FINDING_UNCHECKED);
	checked_free(&c);
}

static bool amd;

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
bool __wrap_os_cpu_is_amd(void);
bool __wrap_os_cpu_is_amd(void)
{
	return amd;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static void iommu(void **state)
{
	const struct said off[] = { host[0], { "sysctl -n hw.vmm.iommu.enable", 0, "0\n", false },
		{ 0 } };
	const struct said on[] = { host[0], { "sysctl -n hw.vmm.iommu.enable", 0, "1\n", false },
		{ 0 } };
	struct checked c;

	(void)state;
	checked_needs_commands();
	check(&c, off, "3/0/0");
	(void)checked_has(&c, "IOMMU",
	    "switched off: set hw.vmm.iommu.enable=1 in /boot/loader.conf and reboot", NULL, NULL);
	checked_free(&c);
	check(&c, on, "3/0/0");
	checked_lacks(&c, "IOMMU");
	checked_free(&c);
}

/* The variable is there on hosts with other processors, too. */
static void iommu_of_amd(void **state)
{
	const struct said off[] = { host[0], { "sysctl -n hw.vmm.iommu.enable", 0, "1\n", false },
		{ "sysctl -n hw.vmm.amdvi.enable", 0, "0\n", false }, { 0 } };
	const struct said on[] = { host[0], { "sysctl -n hw.vmm.iommu.enable", 0, "1\n", false },
		{ "sysctl -n hw.vmm.amdvi.enable", 0, "1\n", false }, { 0 } };
	struct checked c;

	(void)state;
	checked_needs_commands();
	check(&c, off, "3/0/0");
	checked_lacks(&c, "IOMMU");
	checked_free(&c);
	amd = true;
	check(&c, off, "3/0/0");
	(void)checked_has(&c, "IOMMU",
	    "switched off: set hw.vmm.amdvi.enable=1 in /boot/loader.conf and reboot", NULL, NULL);
	checked_free(&c);
	check(&c, on, "3/0/0");
	checked_lacks(&c, "IOMMU");
	checked_free(&c);
	amd = false;
}

/* Checks a VM with that device under qemu: the finding says what the system says of the device. */
static void check_under_qemu(int bus, int slot, int function)
{
	MEM_AUTO char *src = mem_format("%d/%d/%d", bus, slot, function);
	MEM_AUTO char *keys =
	    mem_format("emulations = { { device = 'passthru', src = '%s' } }", src);
	char why[OS_VFIO_WHY];
	struct checked c = { 0 };

	checked_make(&c, &hyper_qemu, keys);
	if (os_has_vfio(bus, slot, function, why))
		checked_lacks(&c, src);
	else
		(void)checked_has(&c, src, why, NULL, NULL);
	checked_free(&c);
}

static void under_qemu(void **state)
{
	char why[OS_VFIO_WHY];

	(void)state;
	check_under_qemu(0, 0, 0); /* the bridge of most hosts, which no guest has */
	check_under_qemu(255, 31, 7);
	assert_false(os_has_vfio(255, 31, 7, why));
	if (strcmp(os_name(), "Linux") == 0)
		assert_string_equal(why, "no such PCI device");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attached_or_not),
		cmocka_unit_test(looked_up_by_its_ids),
		cmocka_unit_test(nobody_to_ask),
		cmocka_unit_test(iommu),
		cmocka_unit_test(iommu_of_amd),
		cmocka_unit_test(under_qemu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
