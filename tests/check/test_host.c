/* What FreeBSD's commands say about a host, and the fixes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "checked.h"
#include "platform/os.h"

#define DEVICES(list) "emulations = { " list " }"

static void module_is_loaded(void **state)
{
	const struct said no[] = { { "kldstat -q -m vmm", 1, "", false }, { 0 } };

	(void)state;
	checked_needs_commands();
	checked_one(no, "", "vmm", "the module is not loaded", "kldload vmm", NULL);
	checked_none(NULL, "", "vmm");
}

static void processors_are_counted(void **state)
{
	const struct said four[] = { { "sysctl -n hw.vmm.maxcpu", 0, "4\n", false }, { 0 } };

	(void)state;
	checked_needs_commands();
	checked_one(
	    four, "cpu = 5", "cpu", "5 processors: vmm(4) allows 4 (hw.vmm.maxcpu)", NULL, NULL);
	checked_none(four, "cpu = 4", "cpu");
	checked_none(NULL, "cpu = 64", "cpu"); /* without the variable, the limit is unknown */
}

static void memory_is_compared(void **state)
{
	const struct said small[] = { { "sysctl -n hw.physmem", 0, "1073741824\n", false }, { 0 } };

	(void)state;
	checked_needs_commands();
	checked_one(small, "mem = '1025M'", "mem",
	    "1025 MiB are more than the 1024 MiB of this host", NULL, NULL);
	checked_none(small, "mem = '1024M'", "mem");
}

static void a_missing_command_is_one_line(void **state)
{
	const struct said none[] = { { "ifconfig tap1", -1, NULL, true },
		{ "ifconfig tap2", -1, NULL, true }, { "kldstat -q -m vmm", -1, NULL, false },
		{ 0 } };
	struct checked c = { .says = none };

	(void)state;
	checked_needs_commands();
	checked_make(&c, &hyper_bhyve,
	    DEVICES("{ device = 'virtio-net', name = 'tap1' },"
		    "{ device = 'e1000', name = 'tap2' }"));
	assert_int_equal(
	    checked_has(&c, "ifconfig", "no ifconfig", NULL, NULL)->kind, FINDING_UNCHECKED);
	assert_int_equal(checked_has(&c, "kldstat", "kldstat gives no answer", NULL, NULL)->kind,
	    FINDING_UNCHECKED);
	checked_lacks(&c, "tap1");
	assert_int_equal(findings_problems(&c.out), 1); /* the firmware */
	checked_free(&c);
}

static void taps(void **state)
{
	const struct said there[] = {
		{ "ifconfig tap3", 0, "tap3: flags=8943<UP> metric 0 mtu 1500\n", false },
		{ "ifconfig tap4", 0, "tap4: flags=8943<UP>\n\tOpened by PID 4711\n", false }, { 0 }
	};
	struct checked c = { .says = there };

	(void)state;
	checked_needs_commands();
	checked_none(there, DEVICES("{ device = 'virtio-net', name = 'tap3' }"), "tap3");
	checked_one(there, DEVICES("{ device = 'virtio-net', name = 'tap5' }"), "tap5",
	    "no such interface", "ifconfig tap5 create up", "ifconfig tap5 destroy");
	checked_one(there, DEVICES("{ device = 'virtio-net', name = 'vmnet5' }"), "vmnet5",
	    "no such interface", "ifconfig vmnet5 create up", "ifconfig vmnet5 destroy");
	checked_one(there, DEVICES("{ device = 'e1000', name = 'lan', type = 'tap' }"), "lan",
	    "no such interface", "ifconfig tap create name lan up", "ifconfig lan destroy");
	checked_one(there, DEVICES("{ device = 'virtio-net', name = 'tap4' }"), "tap4",
	    "opened by process 4711 already", NULL, NULL);
	words_add(&c.ours, "tap4");
	checked_make(&c, &hyper_bhyve, DEVICES("{ device = 'virtio-net', name = 'tap4' }"));
	checked_lacks(&c, "tap4");
	checked_free(&c);
}

/* The host of taps_that_are_down(): what the calls of src/platform say there. */
static struct {
	bool on, freebsd, down;
	int64_t up_on_open;
} made_up;

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
bool __wrap_os_uses_ip(void);
bool __real_os_uses_ip(void);
bool __wrap_os_interface_exists(const char *name);
bool __real_os_interface_exists(const char *name);
bool __wrap_os_interface_is_down(const char *name);
bool __real_os_interface_is_down(const char *name);
bool __wrap_os_sysctl(const char *name, int64_t *value);
bool __real_os_sysctl(const char *name, int64_t *value);

bool __wrap_os_uses_ip(void)
{
	return made_up.on ? !made_up.freebsd : __real_os_uses_ip();
}

bool __wrap_os_interface_exists(const char *name)
{
	return made_up.on || __real_os_interface_exists(name);
}

bool __wrap_os_interface_is_down(const char *name)
{
	return made_up.on ? made_up.down : __real_os_interface_is_down(name);
}

bool __wrap_os_sysctl(const char *name, int64_t *value)
{
	if (!made_up.on)
		return __real_os_sysctl(name, value);
	*value = made_up.up_on_open;
	return made_up.up_on_open >= 0 && strcmp(name, "net.link.tap.up_on_open") == 0;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* bhyve switches its taps on; FreeBSD switches off what a hypervisor closes, also at a reboot. */
static void taps_that_are_down(void **state)
{
	static const struct {
		bool qemu, freebsd, down;
		int64_t up_on_open; /* -1: no such variable */
		const char *fix;
	} cases[] = {
		{ true, false, false, 0, NULL },
		{ true, false, true, 0, "ip link set dev tap3 up" },
		{ true, true, false, 0, "sysctl net.link.tap.up_on_open=1" },
		{ true, true, false, 1, NULL },
		{ true, true, true, 0, "sysctl net.link.tap.up_on_open=1" },
		{ true, true, true, 1, NULL },
		{ true, true, true, -1, "sysctl net.link.tap.up_on_open=1" },
		{ false, true, true, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct said there[] = { { "ifconfig tap3", 0, "tap3: flags=8802<>\n", false },
			{ 0 } };
		struct checked c = { .says = there };

		made_up.freebsd = cases[i].freebsd;
		made_up.down = cases[i].down;
		made_up.up_on_open = cases[i].up_on_open;
		made_up.on = true;
		checked_make(&c, cases[i].qemu ? &hyper_qemu : &hyper_bhyve,
		    DEVICES("{ device = 'virtio-net', name = 'tap3' }"));
		made_up.on = false;
		if (cases[i].fix == NULL)
			checked_lacks(&c, "tap3");
		else
			checked_has(&c, "tap3",
			    cases[i].freebsd
				? "is down after each boot, and qemu does not switch it "
				  "on: the guest would reach nothing"
				: "is down: the guest would reach nothing",
			    cases[i].fix, NULL);
		checked_free(&c);
	}
}

static void bridges(void **state)
{
	const struct said there[] = { { "ifconfig bridge1", 0, "bridge1: flags=8843<UP>\n", false },
		{ 0 } };

	(void)state;
	checked_needs_commands();
	checked_none(there, DEVICES("{ device = 'virtio-net', bridge = 'bridge1' }"), "bridge1");
	checked_one(there, DEVICES("{ device = 'virtio-net', bridge = 'bridge0' }"), "bridge0",
	    "no such interface", "ifconfig bridge0 create up", NULL);
	checked_one(there, DEVICES("{ device = 'virtio-net', bridge = 'lan' }"), "lan",
	    "no such interface", "ifconfig bridge create name lan up", NULL);
}

static void modules_of_devices(void **state)
{
	const struct said none[] = { { "kldstat -q -m netmap", 1, "", false },
		{ "kldstat -q -m ng_socket", 1, "", false }, { "kldstat -q -m nmdm", 1, "", false },
		{ 0 } };

	(void)state;
	checked_needs_commands();
	checked_one(none, DEVICES("{ device = 'virtio-net', name = 'vale0:a' }"), "vale0:a",
	    "the module netmap is not loaded", "kldload netmap", NULL);
	checked_none(NULL, DEVICES("{ device = 'virtio-net', name = 'vale0:a' }"), "vale0:a");
	checked_one(none,
	    DEVICES("{ device = 'virtio-net', name = 'netgraph', path = 'sw:', peerhook = 'l1' }"),
	    "sw:", "the module ng_socket is not loaded", "kldload ng_socket", NULL);
	checked_one(none, "com1 = '/dev/nmdm7A'", "/dev/nmdm7A", "the module nmdm is not loaded",
	    "kldload nmdm", NULL);
	checked_none(NULL, "com1 = '/dev/nmdm7A'", "/dev/nmdm7A");
	checked_one(NULL, "com1 = '/dev/nmdm7'", "/dev/nmdm7",
	    "not an end of an nmdm(4) pair: expected a name that ends in A or B", NULL, NULL);
}

static void qemu_asks_no_command(void **state)
{
	struct checked c = { 0 };

	(void)state;
	checked_make(&c, &hyper_qemu,
	    "com1 = '/dev/nmdm7A', mem = '1048576G', " DEVICES(
		"{ device = 'virtio-net', name = 'vr-no-tap', type = 'tap' },"
		"{ device = 'virtio-net', bridge = 'vr-no-bridge' },"
		"{ device = 'hda', play = '/no/dsp' }"));
	assert_int_equal(c.asked.count, 0);
	checked_lacks(&c, "/no/dsp"); /* qemu plays no sound */
	checked_lacks(&c, "/dev/nmdm7A");
	assert_int_equal(findings_problems(&c.out), 4);
	if (os_bhyve_release() == 0) {
		(void)checked_has(&c, "vr-no-tap", "no such interface",
		    "ip tuntap add dev vr-no-tap mode tap", "ip tuntap del dev vr-no-tap mode tap");
		(void)checked_has(&c, "vr-no-bridge", "no such interface",
		    "ip link add name vr-no-bridge up type bridge", NULL);
	} else {
		(void)checked_has(&c, "vr-no-tap", "no such interface",
		    "ifconfig tap create name vr-no-tap up", "ifconfig vr-no-tap destroy");
	}
	checked_free(&c);
}

static void qemu_needs_kvm_when_it_is_asked_for(void **state)
{
	struct checked c = { 0 };

	(void)state;
	MEM_AUTO char *keys =
	    mem_format("bhyve = { arch = '%s' }, qemu = { accel = 'kvm' }", os_arch());

	checked_make(&c, &hyper_qemu, keys);
	if (access("/dev/kvm", R_OK | W_OK) == 0)
		checked_lacks(&c, "/dev/kvm");
	else
		(void)checked_has(&c, "/dev/kvm", strerror(errno), NULL, NULL);
	checked_free(&c);
	checked_make(&c, &hyper_qemu, "");
	checked_lacks(&c, "/dev/kvm");
	checked_free(&c);
}

/* KVM runs guests of the host's architecture only; "auto" does not ask for it. */
static void qemu_needs_the_hosts_architecture_for_kvm(void **state)
{
	const char *other = strcmp(os_arch(), "arm64") == 0 ? "amd64" : "arm64";
	static const char *const accels[] = { "kvm", "auto", "tcg" };

	(void)state;
	for (size_t i = 0; i < sizeof(accels) / sizeof(*accels); i++) {
		MEM_AUTO char *keys = mem_format(
		    "bhyve = { arch = '%s' }, qemu = { accel = '%s' }", other, accels[i]);
		MEM_AUTO char *text =
		    mem_format("KVM runs guests of the host's architecture only, and this one is "
			       "for %s: expected \"tcg\" or \"auto\"",
			other);
		struct checked c = { 0 };

		checked_make(&c, &hyper_qemu, keys);
		checked_lacks(&c, "/dev/kvm");
		if (i == 0)
			(void)checked_has(&c, "kvm", text, NULL, NULL);
		else
			checked_lacks(&c, "kvm");
		checked_free(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(module_is_loaded),
		cmocka_unit_test(processors_are_counted),
		cmocka_unit_test(memory_is_compared),
		cmocka_unit_test(a_missing_command_is_one_line),
		cmocka_unit_test(taps),
		cmocka_unit_test(taps_that_are_down),
		cmocka_unit_test(bridges),
		cmocka_unit_test(modules_of_devices),
		cmocka_unit_test(qemu_asks_no_command),
		cmocka_unit_test(qemu_needs_kvm_when_it_is_asked_for),
		cmocka_unit_test(qemu_needs_the_hosts_architecture_for_kvm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
