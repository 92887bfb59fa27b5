/* vmrun.state and other callbacks of scripts, with this file as the program. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/node_json.h"
#include "script/script_internal.h"

/* The state of the program, and the calls that it got. */
static struct {
	const char *stored; /* a Lua expression; NULL: no state yet */
	const char *broken; /* the error of a read, or NULL */
	bool full;	    /* writes fail */
	int loads, saves, asked;
	char saved[1 << 14];
	char told[8400];
} program;

static int load_state(void *context, struct node **out, struct error *err)
{
	assert_ptr_equal(context, &program);
	program.loads++;
	if (program.broken != NULL)
		return error_set(err, STATUS_SPEC, "%s", program.broken);
	*out = program.stored == NULL ? NULL : node_of(program.stored);
	return 0;
}

static int save_state(void *context, const struct node *state, bool asked, struct error *err)
{
	struct str json = { 0 };

	assert_ptr_equal(context, &program);
	program.saves++;
	program.asked += asked;
	if (program.full)
		return error_set(err, STATUS_OS, "no room");
	node_add_json(&json, state);
	assert_true(json.length < sizeof(program.saved));
	(void)strcpy(program.saved, json.text);
	str_free(&json);
	return 0;
}

static void tell(void *context, const char *by, const char *json)
{
	assert_ptr_equal(context, &program);
	(void)snprintf(
	    program.told, sizeof(program.told), "%s: %s", by == NULL ? "nobody" : by, json);
}

static int find_firmware(void *context, const char *kind, const char **path, struct error *err)
{
	assert_ptr_equal(context, &program);
	if (strcmp(kind, "uefi") == 0) {
		*path = "/firmware";
		return 0;
	}
	return error_set(err, strcmp(kind, "vars") == 0 ? STATUS_CHECK : STATUS_USAGE,
	    "none of the kind %s", kind);
}

static int setup(void **state)
{
	struct script_options options = {
		.budget_ms = 60000,
		.memory_bytes = 64 * MIB,
		.hypervisor = "bhyve",
		.context = &program,
		.load_state = load_state,
		.save_state = save_state,
		.event = tell,
		.firmware = find_firmware,
	};
	struct error err = { 0 };

	memset(&program, 0, sizeof(program));
	return script_new((struct script **)state, &options, &err);
}

/* Runs a chunk and saves the state; returns NULL or the error. */
static char *keep_after(struct script *s, const char *body)
{
	MEM_AUTO char *text = mem_format("%s return {}", body);
	struct error err = { 0 };
	int rc;

	load_lua(s, text);
	rc = script_save_state(s, &err);
	assert_int_equal(rc, err.text == NULL ? 0 : -1);
	return err.text;
}

static void kept(struct script *s, const char *body, const char *json)
{
	MEM_AUTO char *why = keep_after(s, body);

	if (why != NULL)
		fail_msg("%s: %s", body, why);
	assert_string_equal(program.saved, json);
}

static void not_kept(struct script *s, const char *body, const char *wanted)
{
	MEM_AUTO char *why = keep_after(s, body);

	assert_non_null(why);
	if (strncmp(why, wanted, strlen(wanted)) != 0)
		fail_msg("%s: %s", body, why);
}

static void test_untouched(void **state)
{
	struct script *s = *state;

	assert_null(keep_after(s, "local v = vmrun.merge({}, {}) for k in pairs(vmrun) do end"));
	assert_int_equal(program.loads + program.saves, 0);
}

static void test_read_once(void **state)
{
	struct script *s = *state;

	program.stored = "{ n = 1, list = list, object = object, deep = { { x = null } } }";
	load_lua(s, "assert(vmrun.state.n == 1) return {}");
	assert_null(s->lent); /* Lua has a copy of what was read */
	kept(s, "vmrun.state.n = vmrun.state.n + 1",
	    "{\"deep\":[{\"x\":null}],\"list\":[],\"n\":2,\"object\":[]}");
	kept(s,
	    "local s = vmrun.state s.list.a = 1 s.object[1] = 2.0 s.deep = nil "
	    "assert(not getmetatable(s.list) and not getmetatable(s.object))",
	    "{\"list\":{\"a\":1},\"n\":2,\"object\":[2.0]}");
	kept(s, "vmrun.state = {}", "{}");
	kept(s, "vmrun.state = { 1, 2 }", "[1,2]");
	assert_int_equal(program.loads, 1);
	assert_int_equal(program.saves, 4);
}

static void test_what_cannot_be_kept(void **state)
{
	struct script *s = *state;

	program.stored = "{ old = 1 }";
	not_kept(s, "vmrun.state.f = print", "vmrun.state.f: a function is not plain data");
	/* The state from before is restored. */
	kept(s, "vmrun.state.n = vmrun.state.f == nil and vmrun.state.old", "{\"n\":1,\"old\":1}");
	not_kept(s, "local t = {} t.t = t vmrun.state.t = t", "vmrun.state.t.t.t");
	not_kept(s, "vmrun.state = { { 0/0 } }", "vmrun.state[0][0]: not a number");
	not_kept(s, "setmetatable(vmrun.state, { __index = error })",
	    "vmrun.state: a table that inherits keys");
	/* On a full disk, the table stays for the next save. */
	program.full = true;
	not_kept(s, "vmrun.state.more = true", "no room");
	program.full = false;
	kept(s, "", "{\"more\":true,\"old\":1}");
}

static void test_cannot_be_read(void **state)
{
	struct script *s = *state;

	program.broken = "state.json:1:1: broken";
	load_error(s, "local n = vmrun.state.n return {}", "vm.lua:1: state.json:1:1: broken");
	load_error(s, "vmrun.state = {} return {}", "vm.lua:1: state.json:1:1: broken");
	load_error(s, "vmrun.state = 5 return {}", "vm.lua:1: vmrun.state is a table");
	assert_null(keep_after(s, ""));
	assert_int_equal(program.saves, 0);
	program.broken = NULL;
	kept(s, "vmrun.state.n = 1", "{\"n\":1}");
}

static void test_save(void **state)
{
	struct script *s = *state;

	load_lua(s, "vmrun.state.n = 1 assert(vmrun.save() == true) vmrun.state.n = 2 return {}");
	assert_string_equal(program.saved, "{\"n\":1}");
	assert_int_equal(program.asked, 1);
	kept(s, "", "{\"n\":2}");
	assert_int_equal(program.asked, 1);
	program.full = true;
	load_lua(s,
	    "vmrun.state.n = 3 local ok, why = vmrun.save() "
	    "assert(ok == nil and why == 'no room' and vmrun.state.n == 3) "
	    "vmrun.state.f = print ok, why = vmrun.save() vmrun.state.f = nil "
	    "assert(ok == nil and why:find('vmrun.state.f: a function is not plain data', 1, "
	    "true)) "
	    "return {}");
	program.full = false;
	kept(s, "local co = coroutine.wrap(vmrun.save) assert(co() == true)", "{\"n\":3}");
}

/* A file that cannot be read does not count as an empty one. */
static void test_save_unread(void **state)
{
	struct script *s = *state;

	program.broken = "state.json:1:1: broken";
	load_lua(s,
	    "local ok, why = vmrun.save() "
	    "assert(ok == nil and why:find('state.json:1:1: broken', 1, true)) return {}");
	assert_int_equal(program.saves, 0);
	program.broken = NULL;
	program.stored = "{ n = 1 }";
	load_lua(s, "assert(vmrun.save()) return {}");
	assert_string_equal(program.saved, "{\"n\":1}");
}

/* forget_state{} of lua/state.lua. */
static void test_forget(void **state)
{
	struct script *s = *state;

	program.stored = "{ a = { done = true }, ['a:b'] = { x = 1 }, c = object, old = true }";
	expect(s, "forget_state", "{ name = 'a', older = 'gone' }", "nil");
	assert_string_equal(program.saved, "{\"a:b\":{\"x\":1},\"c\":[],\"old\":true}");
	expect(s, "forget_state", "{ name = 'a', older = 'gone' }",
	    "'a has no saved state to forget'");
	expect(
	    s, "forget_state", "{ name = 'c', older = 'old' }", "'c has no saved state to forget'");
	program.full = true;
	expect(s, "forget_state", "{ name = 'a:b', older = 'old' }", "'no room'");
	program.full = false;
	kept(s, "assert(vmrun.state['a:b'].x == 1)", "{\"a:b\":{\"x\":1},\"c\":[],\"old\":true}");
	/* An empty table prevents the hook from reading the older key. */
	expect(s, "forget_state", "{ name = 'a:b', older = 'old' }", "nil");
	expect(s, "forget_state", "{ name = 'd', older = 'old' }", "nil");
	assert_string_equal(program.saved, "{\"a:b\":[],\"c\":[],\"d\":[],\"old\":true}");
}

/* A table that reaches the memory cap in Lua, or the cap of the copy. */
static void test_large(void **state)
{
	struct script *s = *state;

	script_limit(s, 60000, 8 * MIB);
	not_kept(s,
	    "local t, l = {}, {} for i = 1, 1000 do t[i] = ('x'):rep(100) end "
	    "for i = 1, 1000 do l[i] = t end vmrun.state = l",
	    "vmrun.state[");
	assert_null(keep_after(s, ""));
	assert_int_equal(program.saves, 0);
	script_free(s);
	(void)setup(state);
	s = *state;
	program.stored = "(function() local t = {} for i = 1, 1e5 do t[i] = ('x'):rep(100) .. i "
			 "end return t end)()";
	script_limit(s, 60000, 4 * MIB);
	load_error(s, "local n = #vmrun.state return {}", "needs more than 4 MiB of memory");
	assert_null(keep_after(s, ""));
}

static void test_without_a_program(void **state)
{
	struct script *s = script_open(60000, 64 * MIB);

	(void)state;
	load_error(s, "return vmrun.state", "vm.lua:1: vmrun.state: not available here");
	load_lua(s,
	    "local ok, why = vmrun.save() assert(not ok and why:find('not available here')) "
	    "return {}");
	load_lua(s, "vmrun.event {} return {}");
	load_error(s, "local p = vmrun.firmware('uefi') return {}",
	    "vm.lua:1: vmrun.firmware: not available here");
	script_free(s);
}

static void test_limit_of_events(void **state)
{
	struct script *s = *state;

	/* {"t":""} has 8 bytes without the text. */
	load_lua(s, "vmrun.event { t = ('x'):rep(8192 - 8) } return {}");
	assert_int_equal(strlen(program.told), strlen("nobody: ") + 8192);
	load_error(s, "vmrun.event { t = ('x'):rep(8193 - 8) } return {}",
	    "vm.lua:1: vmrun.event: more than 8192 bytes as JSON");
}

static void test_event_and_firmware(void **state)
{
	struct script *s = *state;

	load_lua(s, "vmrun.event { b = { 1, true }, a = 'x' } return {}");
	assert_string_equal(program.told, "nobody: {\"a\":\"x\",\"b\":[1,true]}");
	load_lua(s,
	    "assert(vmrun.firmware('uefi') == '/firmware') local p, why = vmrun.firmware('vars') "
	    "assert(p == nil and why == 'none of the kind vars') return {}");
	load_error(s, "local p = vmrun.firmware('x') return {}", "vm.lua:1: none of the kind x");
}

/* An error that is handed to Lua is the caller's no more. */
static void test_error_is_handed_over(void **state)
{
	struct script *s = *state;
	struct error err = { 0 };

	(void)error_set(&err, STATUS_OS, "no room");
	script_push_error(s->L, &err);
	assert_null(err.text);
	assert_string_equal(lua_tostring(s->L, -1), "no room");
	lua_pop(s->L, 1);
}

int main(void)
{
#define STATE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, support_teardown)
	const struct CMUnitTest tests[] = {
		STATE_TEST(test_untouched),
		STATE_TEST(test_read_once),
		STATE_TEST(test_what_cannot_be_kept),
		STATE_TEST(test_cannot_be_read),
		STATE_TEST(test_save),
		STATE_TEST(test_save_unread),
		STATE_TEST(test_forget),
		STATE_TEST(test_large),
		STATE_TEST(test_without_a_program),
		STATE_TEST(test_limit_of_events),
		STATE_TEST(test_event_and_firmware),
		STATE_TEST(test_error_is_handed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
