/* The rules of targets, one by one. */
#include "../script/support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BASE                                                                                      \
	"name = 'x', cpu = { threads = 1, cores = 2 }, mem = '1G', pin = { '0:1', '1:2' }, "      \
	"smbios = { system = { serial = 'a' }, board = 'b' }, graphic = { port = 1, wait = true " \
	"}, "

static void configure(struct script *s)
{
	expect(s, "configure", "{ merge = { cpu = {}, smbios = { system = {} }, bhyve = {} } }",
	    "nil");
}

/* Checks that a target with these keys changes these keys of the base. */
static void merges(struct script *s, const char *target, const char *changed)
{
	MEM_AUTO char *file = mem_format("return { " BASE "targets = { t = { %s } } }", target);
	MEM_AUTO char *wanted =
	    mem_format("(function() local t = { " BASE "} local c = { %s } for k, v in pairs(c) do "
		       "if v == null then t[k] = nil else t[k] = v end end return t end)()",
		changed);

	load_lua(s, file);
	expect_boot(s, "default", "spec", "{ " BASE "}");
	expect_boot(s, "t", "problems", "{}");
	expect_boot(s, "t", "spec", wanted);
	/* The table that the file returned is unchanged. */
	expect_boot(s, "default", "spec", "{ " BASE "}");
}

static void test_keys(void **state)
{
	struct script *s = *state;

	configure(s);
	merges(s, "", "");
	merges(s, "mem = '2G', com1 = 'stdio'", "mem = '2G', com1 = 'stdio'");
	merges(s, "pin = { '3:3' }", "pin = { '3:3' }");
	merges(s, "pin = {}", "pin = {}");
	merges(s, "mem = vmrun.null, nothing = vmrun.null", "mem = null");
	merges(s, "cpu = { cores = 4 }", "cpu = { threads = 1, cores = 4 }");
	merges(
	    s, "cpu = { sockets = 2, cores = vmrun.null }", "cpu = { threads = 1, sockets = 2 }");
	merges(s, "cpu = {}", "");
	merges(s, "cpu = 4", "cpu = 4");
	merges(s, "cpu = { 1, 2 }", "cpu = { 1, 2 }");
	merges(s, "mem = { size = 1 }", "mem = { size = 1 }");
	merges(s, "pin = { a = 1 }", "pin = { a = 1 }");
	merges(s, "bhyve = { release = 14, arch = vmrun.null }", "bhyve = { release = 14 }");
	/* The rows decide: below smbios, system merges and board does not; graphic does not. */
	merges(s, "smbios = { system = { uuid = 'u' } }",
	    "smbios = { system = { serial = 'a', uuid = 'u' }, board = 'b' }");
	merges(s, "smbios = { system = { serial = vmrun.null }, board = { c = 1 } }",
	    "smbios = { system = {}, board = { c = 1 } }");
	merges(s, "graphic = { port = 2 }", "graphic = { port = 2 }");
	merges(s, "name = 'y'", "");
	merges(s, "targets = {}", "");
	merges(s, "on_exit = function() end", "on_exit = f");
}

static void test_scalar_then_object(void **state)
{
	struct script *s = *state;

	configure(s);
	load_lua(s,
	    "return { cpu = 2, targets = { a = { cpu = { cores = 2 } }, "
	    "b = { extends = 'a', cpu = { threads = 3 } }, c = { extends = 'b', cpu = 4 } } }");
	expect_boot(s, "a", "spec", "{ cpu = { cores = 2 } }");
	expect_boot(s, "b", "spec", "{ cpu = { cores = 2, threads = 3 } }");
	expect_boot(s, "c", "spec", "{ cpu = 4 }");
}

static void test_null_in_the_base(void **state)
{
	struct script *s = *state;

	configure(s);
	boots_load_json(s,
	    "{\"name\": null, \"cpu\": {\"cores\": 1, \"threads\": null}, \"bhyve\": null, "
	    "\"smbios\": {\"system\": {\"a\": null}}, \"list\": [null], "
	    "\"emulations\": [{\"id\": \"a\", \"path\": null}, 5], "
	    "\"targets\": {\"t\": {\"bhyve\": {\"release\": 13}}}}");
	expect(s, "boot", "{ target = 'default' }",
	    "{ base_devices = 2, removed = {}, problems = {}, spec = { cpu = { cores = 1 }, "
	    "smbios = { system = {} }, list = { null }, emulations = { { id = 'a' }, 5 } } }");
	expect_boot(s, "t", "spec",
	    "{ cpu = { cores = 1 }, smbios = { system = {} }, list = { null }, "
	    "bhyve = { release = 13 }, emulations = { { id = 'a' }, 5 } }");
}

static void test_default(void **state)
{
	struct script *s = *state;

	load_lua(s, "return { mem = 1, targets = { t = { com1 = 'a' } } }");
	expect_boot(s, "default", "spec", "{ mem = 1 }");
	load_lua(s,
	    "return { mem = 1, targets = { default = { mem = 2 }, t = { com1 = 'a' }, "
	    "u = { extends = 'default' } } }");
	expect_boot(s, "default", "spec", "{ mem = 2 }");
	expect_boot(s, "t", "spec", "{ mem = 1, com1 = 'a' }");
	expect_boot(s, "u", "spec", "{ mem = 2 }");
}

static void test_extends(void **state)
{
	struct script *s = *state;

	load_lua(s,
	    "return { a = 0, targets = { "
	    "one = { a = 1, b = 1, c = 1 }, two = { extends = 'one', b = 2 }, "
	    "three = { extends = { 'two', 'side', 'one' }, c = 3 }, side = { a = 5, b = 5 }, "
	    "none = { extends = {} }, null = { extends = vmrun.null } } }");
	expect_boot(s, "two", "spec", "{ a = 1, b = 2, c = 1 }");
	/* The order is one, two, side, three; `one` is merged once. */
	expect_boot(s, "three", "spec", "{ a = 5, b = 5, c = 3 }");
	expect_boot(s, "none", "spec", "{ a = 0 }");
	expect_boot(s, "null", "spec", "{ a = 0 }");
}

static void test_shared_layers(void **state)
{
	struct script *s = *state;

	/* The layers of `b` are side, a, b; those of `c` the same and c; those of `d` a, side, d.
	 */
	load_lua(s,
	    "return { v = 0, targets = { side = { v = 1, w = 1 }, a = { v = 2, x = 2 }, "
	    "b = { extends = { 'side', 'a' }, y = 3 }, c = { extends = { 'side', 'b' }, z = 4 }, "
	    "d = { extends = { 'a', 'side' } }, e = { extends = { 'c', 'default', 'd' }, w = 5 } "
	    "} }");
	for (int i = 0; i < 2; i++) {
		expect_boot(s, "b", "spec", "{ v = 2, w = 1, x = 2, y = 3 }");
		expect_boot(s, "c", "spec", "{ v = 2, w = 1, x = 2, y = 3, z = 4 }");
		expect_boot(s, "d", "spec", "{ v = 1, w = 1, x = 2 }");
		expect_boot(s, "e", "spec", "{ v = 2, w = 5, x = 2, y = 3, z = 4 }");
		expect_boot(s, "a", "spec", "{ v = 2, x = 2 }");
	}
	/* A target that cannot be laid stands alone, so that its own keys are checked, too. */
	load_lua(s,
	    "return { v = 0, targets = { a = { extends = 'b', v = 1 }, b = { extends = "
	    "'a', w = 2 } } }");
	expect_boot(s, "a", "spec", "{ v = 1 }");
	expect_boot(s, "b", "spec", "{ v = 0, w = 2 }");
}

static void problem(struct script *s, const char *target, const char *path, const char *text)
{
	MEM_AUTO char *wanted = mem_format("{ { path = %s, text = [[%s]] } }", path, text);

	expect_boot(s, target, "problems", wanted);
}

static void test_bad_extends(void **state)
{
	struct script *s = *state;

	load_lua(s,
	    "return { targets = { a = { extends = 'b' }, b = { extends = { 'c' } }, "
	    "c = { extends = 'a' }, self = { extends = 'self' }, d = { extends = 'a' }, "
	    "wrong = { extends = 'instal' }, install = {}, number = { extends = 3 }, "
	    "mixed = { extends = { 'install', 4 } }, scalar = 5 } }");
	problem(s, "a", "{ 'targets', 'c', 'extends' }", "circular extends: a -> b -> c -> a");
	problem(s, "b", "{ 'targets', 'a', 'extends' }", "circular extends: b -> c -> a -> b");
	problem(s, "d", "{ 'targets', 'c', 'extends' }", "circular extends: a -> b -> c -> a");
	problem(s, "self", "{ 'targets', 'self', 'extends' }", "circular extends: self -> self");
	problem(s, "wrong", "{ 'targets', 'wrong', 'extends' }",
	    "unknown target \"instal\", did you mean \"install\"? (known: a, b, c, d, default, "
	    "install, "
	    "mixed, number, scalar, self, wrong)");
	problem(s, "number", "{ 'targets', 'number', 'extends' }",
	    "expected the name of a target or a list of names, got a number");
	problem(s, "mixed", "{ 'targets', 'mixed', 'extends' }",
	    "expected the name of a target or a list of names, got a list");
	expect_boot(s, "scalar", "problems", "{}"); /* `targets` reports it */
	load_lua(s, "return { targets = { install = {} } }");
	problem(s, "Install", "{}",
	    "unknown target \"Install\", did you mean \"install\"? (known: default, install)");
	problem(s, "zzz", "{}", "unknown target \"zzz\" (known: default, install)");
}

#define DEVICES                                                                                \
	"emulations = { { device = 'virtio-blk', path = 'a' }, "                               \
	"{ id = 'cd0', device = 'ahci-cd', path = 'b', ro = true }, { device = 'virtio-blk', " \
	"path = 'c' } }, "

/* Checks the three devices after a target with this list. */
static void devices(struct script *s, const char *list, const char *wanted, const char *removed)
{
	MEM_AUTO char *file =
	    mem_format("return { " DEVICES "targets = { t = { emulations = %s } } }", list);
	MEM_AUTO char *answer = mem_format(
	    "{ base_devices = 3, problems = {}, removed = %s, spec = { emulations = %s } }",
	    removed, wanted);

	load_lua(s, file);
	expect(s, "boot", "{ target = 't' }", answer);
	expect_boot(s, "default", "spec", "{ " DEVICES "}");
}

#define A "{ device = 'virtio-blk', path = 'a' }"
#define B "{ id = 'cd0', device = 'ahci-cd', path = 'b', ro = true }"
#define C "{ device = 'virtio-blk', path = 'c' }"

static void test_devices(void **state)
{
	struct script *s = *state;

	devices(s, "{}", "{ " A ", " B ", " C " }", "{}");
	devices(s, "{ { device = 'nvme', path = vmrun.null } }",
	    "{ " A ", " B ", " C ", { device = 'nvme' } }", "{}");
	devices(s, "{ { id = 'cd0', path = 'z', ro = vmrun.null } }",
	    "{ " A ", { id = 'cd0', device = 'ahci-cd', path = 'z' }, " C " }", "{}");
	devices(s, "{ { id = 'cd0', remove = true } }", "{ " A ", " B ", " C " }", "{ 2 }");
	devices(s, "{ { id = 'cd0', remove = false, path = 'q' } }",
	    "{ " A ", { id = 'cd0', device = 'ahci-cd', path = 'q', ro = true }, " C " }", "{}");
	/* The default id is the model and a number. */
	devices(s,
	    "{ { id = 'virtio-blk-1', path = 'z' }, { id = 'virtio-blk-0', remove = true } }",
	    "{ " A ", " B ", { id = 'virtio-blk-1', device = 'virtio-blk', path = 'z' } }",
	    "{ 1 }");
	/* The id of a device that an earlier target appended. */
	devices(s,
	    "{ { id = 'n', device = 'nvme' }, { id = 'n', path = 'p' }, { device = 'virtio-blk' }, "
	    "{ id = 'virtio-blk-2', path = 'two' } }",
	    "{ " A ", " B ", " C ", { id = 'n', device = 'nvme', path = 'p' }, "
	    "{ id = 'virtio-blk-2', device = 'virtio-blk', path = 'two' } }",
	    "{}");
	/* A device that is removed and given again keeps its position. */
	devices(s, "{ { id = 'cd0', remove = true }, { id = 'cd0', path = 'z' } }",
	    "{ " A ", { id = 'cd0', device = 'ahci-cd', path = 'z', ro = true }, " C " }", "{}");
	devices(s, "{ { id = 'cd0', device = 'ahci-cd', remove = true } }",
	    "{ " A ", " B ", " C " }", "{ 2 }");
	/* Decoding says that "type" is "device" here. */
	devices(s, "{ { id = 'floppy', type = 'nvme' } }",
	    "{ " A ", " B ", " C ", { id = 'floppy', type = 'nvme' } }", "{}");
	devices(s, "vmrun.null", "{ " A ", " B ", " C " }", "{ 1, 2, 3 }");
	devices(s, "{ 5, 'x', vmrun.null }", "{ " A ", " B ", " C ", 5, 'x', null }", "{}");
}

static void test_device_problems(void **state)
{
	static const char *const cases[][3] = {
		{ "{ { id = 'cd1', remove = true } }", "1, 'id' }",
		    "no device has the id \"cd1\", did you mean \"cd0\"?" },
		{ "{ { id = 'floppy', remove = true } }", "1, 'id' }",
		    "no device has the id \"floppy\"" },
		{ "{ {}, { remove = true } }", "2, 'remove' }",
		    "missing id: give the id of the device to change" },
		{ "{ { id = 'cd0', remove = true, bogus = 1 } }", "1, 'bogus' }",
		    "key \"bogus\" beside \"remove\": true: an entry that removes a device has "
		    "only "
		    "\"id\", \"device\" and \"remove\"" },
		{ "{ { id = 'dc0', ro = true } }", "1, 'id' }",
		    "\"device\" is missing, and no device to change has the id \"dc0\", did you "
		    "mean "
		    "\"cd0\"?" },
		{ "{ { id = 'cd1', type = 'x', device = vmrun.null } }", "1, 'id' }",
		    "\"device\" is missing, and no device to change has the id \"cd1\", did you "
		    "mean "
		    "\"cd0\"?" },
		{ "{ { id = 'floppy' } }", "1, 'id' }",
		    "\"device\" is missing, and no device to change has the id \"floppy\"" },
		{ "{ { id = 'cd0', remove = 'yes' } }", "1, 'remove' }",
		    "expected true or false, got a string" },
		{ "'x'", "}", "expected a list of devices, got a string" },
		{ "{ device = 'nvme' }", "}", "expected a list of devices, got an object" },
	};
	struct script *s = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		MEM_AUTO char *file = mem_format(
		    "return { " DEVICES "targets = { t = { emulations = %s } } }", cases[i][0]);
		MEM_AUTO char *path = mem_format("{ 'targets', 't', 'emulations', %s", cases[i][1]);

		load_lua(s, file);
		problem(s, "t", path, cases[i][2]);
	}
}

/* Each target changes the result of those before it. */
static void test_devices_through_layers(void **state)
{
	struct script *s = *state;

	load_lua(s,
	    "return { " DEVICES "targets = { "
	    "a = { emulations = { { id = 'n', device = 'nvme' }, { id = 'cd0', remove = true } } "
	    "}, "
	    "b = { extends = 'a', emulations = { { id = 'n', path = 'x' } } }, "
	    "c = { extends = 'b', emulations = { { id = 'cd0', ro = false } } }, "
	    "none = { extends = 'a', emulations = vmrun.null }, "
	    "more = { extends = 'none', emulations = { { device = 'uart' } } } } }");
	expect(s, "boot", "{ target = 'b' }",
	    "{ base_devices = 3, problems = {}, removed = { 2 }, spec = { emulations = { " A ", " B
	    ", " C ", { id = 'n', device = 'nvme', path = 'x' } } } }");
	expect(s, "boot", "{ target = 'c' }",
	    "{ base_devices = 3, problems = {}, removed = {}, spec = { emulations = { " A
	    ", { id = 'cd0', device = 'ahci-cd', path = 'b', ro = false }, " C
	    ", { id = 'n', device = 'nvme', path = 'x' } } } }");
	expect_boot(s, "none", "removed", "{ 1, 2, 3, 4 }");
	expect_boot(s, "more", "removed", "{ 1, 2, 3, 4 }");
}

static void test_base_without_devices(void **state)
{
	struct script *s = *state;

	load_lua(s, "return { targets = { t = { emulations = { { device = 'nvme' } } } } }");
	expect(s, "boot", "{ target = 't' }",
	    "{ base_devices = 0, problems = {}, removed = {}, "
	    "spec = { emulations = { { device = 'nvme' } } } }");
	load_lua(s, "return { emulations = 'x', targets = { t = { emulations = { {} } } } }");
	expect_boot(s, "t", "spec", "{ emulations = 'x' }");
	load_lua(s, "return { emulations = { [1] = {}, [3] = {} } }");
	expect_boot(s, "default", "base_devices", "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUPPORT_TEST(test_keys),
		SUPPORT_TEST(test_scalar_then_object),
		SUPPORT_TEST(test_null_in_the_base),
		SUPPORT_TEST(test_default),
		SUPPORT_TEST(test_extends),
		SUPPORT_TEST(test_shared_layers),
		SUPPORT_TEST(test_bad_extends),
		SUPPORT_TEST(test_devices),
		SUPPORT_TEST(test_device_problems),
		SUPPORT_TEST(test_devices_through_layers),
		SUPPORT_TEST(test_base_without_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
