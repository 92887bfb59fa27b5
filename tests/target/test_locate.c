/* Names of targets, settings, and the place where a value was written. */
#include "../script/support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void test_targets(void **state)
{
	struct script *s = *state;

	load_lua(s, "return { targets = { b = {}, a = {}, default = {} } }");
	expect(s, "targets", "nil", "{ names = { 'a', 'b', 'default' }, problems = {} }");
	load_lua(s, "return {}");
	expect(s, "targets", "nil", "{ names = { 'default' }, problems = {} }");
	load_lua(s, "return { targets = 3, extends = 'x' }");
	expect(s, "targets", "nil",
	    "{ names = { 'default' }, problems = { { path = { 'extends' }, "
	    "text = 'only a target can extend another' }, { path = { 'targets' }, "
	    "text = 'expected an object of targets, got a number' } } }");
	load_lua(s, "return { targets = { {}, {} } }");
	expect(s, "targets", "nil",
	    "{ names = { 'default' }, problems = { { path = { 'targets' }, "
	    "text = 'expected an object of targets, got a list' } } }");
	load_lua(s, "return { targets = { a = {}, [true] = {} } }");
	expect(s, "targets", "nil",
	    "{ names = { 'default' }, problems = { { path = { 'targets' }, "
	    "text = 'expected an object of targets, got a table with a key that is neither a name "
	    "nor a place in a list' } } }");
	load_lua(s, "return { targets = { a = 1, b = { name = 'x', targets = {} } } }");
	expect(s, "targets", "nil",
	    "{ names = { 'a', 'b', 'default' }, problems = { { path = { 'targets', 'a' }, "
	    "text = 'expected an object, got a number' }, "
	    "{ path = { 'targets', 'b', 'name' }, text = 'name cannot be in a target' }, "
	    "{ path = { 'targets', 'b', 'targets' }, text = 'targets cannot be in a target' } } }");
}

static void finds(struct script *s, const char *path, const char *source, const char *where)
{
	MEM_AUTO char *request = mem_format("{ path = %s }", path);
	MEM_AUTO char *answer = mem_format("{ source = '%s', path = %s }", source, where);

	expect(s, "locate", request, answer);
}

static const char located[] =
    "local shared = { device = 'virtio-rnd' }\n"
    "return { name = 'x', cpu = { threads = 1, cores = 2 }, mem = '1G', numa = { { id = 0 } },\n"
    "  emulations = { shared, { id = 'd', device = 'virtio-blk', path = 'a', ro = true } },\n"
    "  targets = {\n"
    "    mid = { cpu = { cores = 4 }, emulations = { shared, { id = 'd', path = 'b' } } },\n"
    "    top = { extends = 'mid', cpu = { threads = 2 }, mem = vmrun.null, com1 = 'stdio',\n"
    "      emulations = { { id = 'd', ro = vmrun.null }, { device = 'nvme', path = 'n' } } },\n"
    "  } }";

/* A name in a target is refused, so that the name is always the base's. */
static void test_locate_name(void **state)
{
	struct script *s = *state;

	load_lua(s, "return { name = 'x!', targets = { t = { name = 'y' } } }");
	expect_boot(s, "t", "problems", "{}");
	finds(s, "{ 'name' }", "file", "{ 'name' }");
	finds(s, "{ 'targets', 't', 'name' }", "file", "{ 'targets', 't', 'name' }");
}

static void test_locate(void **state)
{
	struct script *s = *state;

	expect(s, "configure", "{ merge = { cpu = {}, bhyve = {} } }", "nil");
	load_lua(s, located);
	finds(s, "{ 'targets', 'mid', 'cpu', 'cores' }", "file",
	    "{ 'targets', 'mid', 'cpu', 'cores' }");
	expect_boot(s, "top", "problems", "{}");
	finds(s, "list", "file", "{}");
	finds(s, "{ 'name' }", "file", "{ 'name' }");
	finds(s, "{ 'com1' }", "file", "{ 'targets', 'top', 'com1' }");
	finds(s, "{ 'com2' }", "file", "{}");
	finds(s, "{ 'cpu' }", "file", "{ 'cpu' }");
	finds(s, "{ 'cpu', 'cores' }", "file", "{ 'targets', 'mid', 'cpu', 'cores' }");
	finds(s, "{ 'cpu', 'threads' }", "file", "{ 'targets', 'top', 'cpu', 'threads' }");
	finds(s, "{ 'cpu', 'sockets' }", "file", "{ 'cpu' }");
	/* The place of a key that a target unsets is in that target. */
	finds(s, "{ 'mem' }", "file", "{ 'targets', 'top', 'mem' }");
	finds(s, "{ 'numa', 1, 'id' }", "file", "{ 'numa', 1, 'id' }");
	finds(s, "{ 'emulations' }", "file", "{ 'emulations' }");
	/* The same Lua table is used at two places. */
	finds(s, "{ 'emulations', 1, 'device' }", "file", "{ 'emulations', 1, 'device' }");
	finds(s, "{ 'emulations', 3, 'device' }", "file",
	    "{ 'targets', 'mid', 'emulations', 1, 'device' }");
	finds(s, "{ 'emulations', 2 }", "file", "{ 'emulations', 2 }");
	finds(s, "{ 'emulations', 2, 'device' }", "file", "{ 'emulations', 2, 'device' }");
	finds(s, "{ 'emulations', 2, 'path' }", "file",
	    "{ 'targets', 'mid', 'emulations', 2, 'path' }");
	finds(
	    s, "{ 'emulations', 2, 'ro' }", "file", "{ 'targets', 'top', 'emulations', 1, 'ro' }");
	finds(s, "{ 'emulations', 2, 'ser' }", "file", "{ 'emulations', 2 }");
	finds(s, "{ 'emulations', 4, 'path' }", "file",
	    "{ 'targets', 'top', 'emulations', 2, 'path' }");
	finds(s, "{ 'emulations', 9, 'path' }", "file", "{ 'emulations' }");
	/* Problems of the merge itself name places in the file. */
	finds(s, "{ 'targets', 'top', 'extends' }", "file", "{ 'targets', 'top', 'extends' }");
	finds(s, "{ 'targets', 'none', 'mem' }", "file", "{ 'targets' }");
}

/* A replaced value is never the place of a value. */
static void test_locate_replaced(void **state)
{
	struct script *s = *state;

	expect(s, "configure", "{ merge = { cpu = {} } }", "nil");
	load_lua(s,
	    "return { cpu = { cores = 1 }, targets = { a = { cpu = 2 }, "
	    "b = { extends = 'a', cpu = { threads = 3 } }, c = { extends = 'b', cpu = vmrun.null "
	    "}, "
	    "d = { extends = 'c', cpu = { sockets = 4 } } } }");
	expect_boot(s, "b", "spec", "{ cpu = { threads = 3 } }");
	finds(s, "{ 'cpu' }", "file", "{ 'targets', 'b', 'cpu' }");
	finds(s, "{ 'cpu', 'cores' }", "file", "{ 'targets', 'b', 'cpu' }");
	expect_boot(s, "d", "spec", "{ cpu = { sockets = 4 } }");
	finds(s, "{ 'cpu' }", "file", "{ 'targets', 'd', 'cpu' }");
	finds(s, "{ 'cpu', 'threads' }", "file", "{ 'targets', 'd', 'cpu' }");
}

static void test_locate_settings(void **state)
{
	struct script *s = *state;

	load_lua(s, located);
	expect(s, "configure", "{ merge = { cpu = {}, bhyve = {} } }", "nil");
	expect(s, "boot",
	    "{ target = 'default', set = { { key = 'cpu.cores', value = 8 }, "
	    "{ key = 'bhyve.release', value = 14 }, { key = 'fwcfg', value = { { a = 1 } } }, "
	    "{ key = 'emulations[1].path', value = 'z' }, { key = 'mem', value = null } } }",
	    "{ base_devices = 2, removed = {}, problems = {}, spec = { name = 'x', "
	    "cpu = { threads = 1, cores = 8 }, numa = { { id = 0 } }, fwcfg = { { a = 1 } }, "
	    "bhyve = { release = 14 }, emulations = { { device = 'virtio-rnd' }, "
	    "{ id = 'd', device = 'virtio-blk', path = 'z', ro = true } } } }");
	finds(s, "{ 'cpu', 'cores' }", "set", "{ 'cpu', 'cores' }");
	finds(s, "{ 'cpu', 'threads' }", "file", "{ 'cpu', 'threads' }");
	finds(s, "{ 'mem' }", "set", "{ 'mem' }");
	finds(s, "{ 'bhyve', 'release' }", "set", "{ 'bhyve', 'release' }");
	finds(s, "{ 'bhyve', 'arch' }", "set", "{ 'bhyve', 'release' }");
	finds(s, "{ 'fwcfg', 1, 'a' }", "set", "{ 'fwcfg' }");
	finds(s, "{ 'emulations', 2, 'path' }", "set", "{ 'emulations', 2, 'path' }");
	finds(s, "{ 'emulations', 2, 'ro' }", "file", "{ 'emulations', 2, 'ro' }");
	/* The settings do not apply to the next boot. */
	expect_boot(s, "default", "problems", "{}");
	finds(s, "{ 'cpu', 'cores' }", "file", "{ 'cpu', 'cores' }");
}

/* An entry that only some targets have is set in these; in others the setting leaves no trace. */
static void test_settings_of_a_target(void **state)
{
	struct script *s = *state;

	load_lua(s,
	    "return { name = 'x', targets = { a = { mem = 1, extra = { { k = 1 } } }, "
	    "b = { extends = 'a', mem = 2, emulations = { { device = 'm' } } } } }");
	expect(s, "configure", "{ merge = { } }", "nil");
	expect(s, "boot",
	    "{ target = 'default', set = { { key = 'emulations[0].path', value = 'p' }, "
	    "{ key = 'extra[0].k', value = 2 } } }",
	    "{ base_devices = 0, removed = {}, problems = {}, spec = { name = 'x' } }");
	finds(s, "{ 'emulations', 1, 'path' }", "file", "{}");
	expect(s, "boot",
	    "{ target = 'a', set = { { key = 'emulations[0].path', value = 'p' }, "
	    "{ key = 'extra[0].k', value = 2 } } }",
	    "{ base_devices = 0, removed = {}, problems = {}, "
	    "spec = { name = 'x', mem = 1, extra = { { k = 2 } } } }");
	finds(s, "{ 'extra', 1, 'k' }", "set", "{ 'extra', 1, 'k' }");
	expect(s, "boot",
	    "{ target = 'b', set = { { key = 'emulations[0].path', value = 'p' }, "
	    "{ key = 'extra[0].k', value = 2 } } }",
	    "{ base_devices = 0, removed = {}, problems = {}, spec = { name = 'x', mem = 2, "
	    "extra = { { k = 2 } }, emulations = { { device = 'm', path = 'p' } } } }");
	finds(s, "{ 'emulations', 1, 'path' }", "set", "{ 'emulations', 1, 'path' }");
	/* An earlier setting makes the place, or removes it. */
	expect(s, "boot",
	    "{ target = 'default', set = { { key = 'extra', value = { { k = 3 } } }, "
	    "{ key = 'extra[0].k', value = 4 } } }",
	    "{ base_devices = 0, removed = {}, problems = {}, "
	    "spec = { name = 'x', extra = { { k = 4 } } } }");
	expect(s, "boot",
	    "{ target = 'a', set = { { key = 'extra', value = null }, "
	    "{ key = 'extra[0].k', value = 4 } } }",
	    "{ base_devices = 0, removed = {}, spec = { name = 'x', mem = 1 }, problems = { "
	    "{ path = { 'extra', 1 }, text = 'extra is not a list' } } }");
}

static void cannot_set(struct script *s, const char *key, const char *path, const char *text)
{
	MEM_AUTO char *value =
	    mem_format("{ target = 'default', set = { { key = '%s', value = 1 } } }", key);
	MEM_AUTO char *wanted = mem_format("{ { path = %s, text = '%s' } }", path, text);
	struct node *request = node_of(value), *result = NULL, *problems = node_of(wanted);
	struct error err = { 0 };

	if (engine_call(s, "boot", request, &result, &err) != 0)
		fail_msg("%s", err.text);
	MEM_AUTO char *got = node_show(node_get(result, "problems"));
	MEM_AUTO char *expected = node_show(problems);

	assert_string_equal(got, expected);
	finds(s, path, "set", path);
	node_free(request);
	node_free(result);
	node_free(problems);
}

static void test_bad_settings(void **state)
{
	static const char no_key[] =
	    "invalid key: expected one such as cpu.cores or emulations[0].path";
	static const char *const keys[][2] = { { ".a", "{ '.a' }" }, { "a.", "{ 'a.' }" },
		{ "a..b", "{ 'a..b' }" }, { "[0]", "{ '[0]' }" }, { "a[x]", "{ 'a[x]' }" },
		{ "a[-1]", "{ 'a[-1]' }" }, { "a[0", "{ 'a[0' }" }, { "a[0]b", "{ 'a[0]b' }" },
		{ "", "{ '' }" } };
	struct script *s = *state;

	load_lua(s, located);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		cannot_set(s, keys[i][0], keys[i][1], no_key);
	cannot_set(s, "mem.size", "{ 'mem', 'size' }", "mem is a string and has no keys");
	cannot_set(s, "cpu[0]", "{ 'cpu', 1 }", "cpu is not a list");
	cannot_set(s, "emulations[4].path", "{ 'emulations', 5 }",
	    "emulations has 2 entries, counted from 0");
	cannot_set(s, "gone[0].path", "{ 'gone', 1 }", "gone is not a list");
	cannot_set(
	    s, "emulations.7", "{ 'emulations', 8 }", "emulations has 2 entries, counted from 0");
	/* The path has the number as it was written. */
	cannot_set(s, "emulations[99999999999]", "{ 'emulations', 100000000000 }",
	    "emulations has 2 entries, counted from 0");
	cannot_set(s, "emulations.99999999999", "{ 'emulations', 100000000000 }",
	    "emulations has 2 entries, counted from 0");
	cannot_set(s, "emulations.99999999999999999999", "{ 'emulations', '99999999999999999999' }",
	    "emulations has 2 entries, counted from 0");
	cannot_set(s, "emulations[99999999999999999999]", "{ 'emulations[99999999999999999999]' }",
	    "invalid key: expected one such as cpu.cores or emulations[0].path");
	cannot_set(s, "emulations.path", "{ 'emulations', 'path' }",
	    "emulations is a list: name an entry, as in emulations[0]");
	cannot_set(s, "targets.mid.mem", "{ 'targets' }",
	    "--set changes the merged spec, which has no targets");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUPPORT_TEST(test_targets),
		SUPPORT_TEST(test_locate),
		SUPPORT_TEST(test_locate_name),
		SUPPORT_TEST(test_locate_replaced),
		SUPPORT_TEST(test_locate_settings),
		SUPPORT_TEST(test_settings_of_a_target),
		SUPPORT_TEST(test_bad_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
