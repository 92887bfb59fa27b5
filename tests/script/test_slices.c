/* Calls that compute: they are left after a slice, anywhere in a script, and do not notice it. */
#include "support.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define SLICES 3      /* turns for which a test lets a script compute */
#define LINES 5000    /* messages of a script that says much */
#define MAX_LINES 400 /* of one turn: see MAX_SAID in src/script/limits.c */

static char directory[64];
static int saves;
static size_t lines;

static int load_state(void *context, struct node **out, struct error *err)
{
	(void)context;
	(void)err;
	*out = NULL;
	return 0;
}

static int save_state(void *context, const struct node *state, bool requested, struct error *err)
{
	(void)context;
	(void)state;
	(void)requested;
	(void)err;
	saves++;
	return 0;
}

static void hear(void *context, const char *level, const char *text)
{
	(void)context;
	str_addf(&support_log, "%s: %s\n", level, text);
	lines++;
}

static void hear_event(void *context, const char *by, const char *json)
{
	(void)context;
	str_addf(&support_log, "%s: %s\n", by, json);
	lines++;
}

static struct script *open_slicing(int64_t budget_ms, size_t memory_bytes)
{
	struct script_options options = { .budget_ms = budget_ms,
		.memory_bytes = memory_bytes,
		.log = hear,
		.event = hear_event,
		.load_state = load_state,
		.save_state = save_state,
		.hypervisor = "bhyve",
		.slices = true };
	struct script *s = NULL;
	struct error err = { 0 };

	if (script_new(&s, &options, &err) != 0)
		fail_msg("script_new: %s", err.text);
	return s;
}

static int enter(void **state)
{
	(void)snprintf(directory, sizeof(directory), "/tmp/slicesXXXXXX");
	assert_non_null(mkdtemp(directory));
	*state = open_slicing(60000, 64 * MIB);
	saves = 0;
	lines = 0;
	return 0;
}

static char *path_of(const char *file)
{
	return mem_format("%s/%s", directory, file);
}

static int leave(void **state)
{
	static const char *const files[] = { "1", "2" };

	for (size_t i = 0; i < 2; i++) {
		MEM_AUTO char *path = path_of(files[i]);

		(void)unlink(path);
	}
	assert_int_equal(rmdir(directory), 0);
	script_free(*state);
	str_free(&support_log);
	return 0;
}

/* Loads a hook; its spin(file) computes until the file is there. */
static void load_hook(struct script *s, const char *body)
{
	MEM_AUTO char *text =
	    mem_format("local function spin(file) repeat until vmrun.exists('%s/' .. file) end\n"
		       "return { on_exit = function(exit)\n%s\nend }",
		directory, body);

	load_lua(s, text);
	expect_boot(s, "default", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_exit', files = list }", "{ 'on_exit of vm.lua' }");
}

static int try_begin(
    struct script *s, const char *body, struct script_reply *reply, struct error *err)
{
	struct node *argument = node_of("{ name = 'on_exit', index = 1, argument = {} }");
	int rc;

	load_hook(s, body);
	rc = script_begin(s, "call", argument, reply, err);
	node_free(argument);
	return rc;
}

static void begin(struct script *s, const char *body, struct script_reply *reply)
{
	struct error err = { 0 };

	if (try_begin(s, body, reply, &err) != 0)
		fail_msg("begin: %s", err.text);
}

static bool computes(const struct script_reply *reply)
{
	return reply->task != NULL && reply->request == NULL;
}

static void next(struct script_reply *reply)
{
	struct error err = { 0 };

	if (script_resume(reply->task, NULL, reply, &err) != 0)
		fail_msg("resume: %s", err.text);
}

/* Checks that the call computes until the file is made. */
static void spins(struct script_reply *reply, const char *file)
{
	MEM_AUTO char *path = path_of(file);

	for (int i = 0; i < SLICES; i++) {
		assert_true(computes(reply));
		next(reply);
	}
	assert_true(computes(reply));
	assert_int_equal(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
}

static void forget(const char *file)
{
	MEM_AUTO char *path = path_of(file);

	assert_int_equal(unlink(path), 0);
}

/* Continues until the call waits or ends; a busy host leaves it at any place. */
static void pass_slices(struct script_reply *reply)
{
	while (computes(reply))
		next(reply);
}

static void ends_with(struct script_reply *reply, const char *result)
{
	struct node *wanted = node_of(result);
	MEM_AUTO char *wanted_text = node_show(wanted);
	MEM_AUTO char *got_text = NULL;

	pass_slices(reply);
	assert_null(reply->task);
	got_text = node_show(reply->result);
	assert_string_equal(got_text, wanted_text);
	node_free(wanted);
	node_free(reply->result);
}

/* A script is left in all of Lua's functions that can yield, and in its coroutines. */
static void test_where_it_is_left(void **state)
{
	static const char *const bodies[] = {
		"spin(1)",
		"assert(pcall(spin, 1))",
		"assert(xpcall(spin, debug.traceback, 1))",
		"assert(not pcall(function() spin(1) error('x') end))",
		"coroutine.wrap(spin)(1)",
		"assert(coroutine.resume(coroutine.create(spin), 1))",
		"coroutine.wrap(function() coroutine.wrap(function() spin(1) end)() end)()",
		"for _ in coroutine.wrap(function() spin(1) end) do end",
		"local x = setmetatable({}, { __index = function() spin(1) end }).x",
		"assert(-setmetatable({}, { __unm = function() spin(1) return 5 end }) == 5)",
		"do local c <close> = setmetatable({}, { __close = function() spin(1) end }) end",
		"pairs(setmetatable({}, { __pairs = function() spin(1) return next, {} end }))",
		"coroutine.wrap(pcall)(spin, 1)",
	};
	struct script_reply reply;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		MEM_AUTO char *body = mem_format("%s return 'default'", bodies[i]);

		begin(*state, body, &reply);
		spins(&reply, "1");
		ends_with(&reply, "{ action = 'boot', target = 'default' }");
		forget("1");
	}
}

/* A slice passes for none of the yields of the script's own coroutines. */
static void test_own_yields(void **state)
{
	struct script_reply reply;

	begin(*state,
	    "local wrapped = coroutine.wrap(function(a)\n"
	    "	spin(1)\n"
	    "	local b, c = coroutine.yield(a + 1, 'x')\n"
	    "	spin(2)\n"
	    "	return b * c\n"
	    "end)\n"
	    "local a, x = wrapped(1)\n"
	    "assert(a == 2 and x == 'x')\n"
	    "local co = coroutine.create(wrapped)\n"
	    "local ok, product = coroutine.resume(co, 5, 6)\n"
	    "assert(ok and coroutine.status(co) == 'dead')\n"
	    "return vmrun.stop(product)",
	    &reply);
	spins(&reply, "1");
	spins(&reply, "2");
	ends_with(&reply, "{ action = 'stop', status = 30 }");
}

/* Slices and waits follow each other in one call. */
static void test_waits_between(void **state)
{
	struct script_reply reply;

	begin(*state,
	    "coroutine.wrap(function() spin(1) assert(vmrun.exec { 'a' } == 7) spin(2) end)() "
	    "return true",
	    &reply);
	spins(&reply, "1");
	pass_slices(&reply);
	assert_non_null(reply.request);
	node_free(reply.request);
	{
		struct node *answer = node_of("{ status = 7, stdout = '', stderr = '' }");
		struct error err = { 0 };

		assert_int_equal(script_resume(reply.task, answer, &reply, &err), 0);
		node_free(answer);
	}
	spins(&reply, "2");
	ends_with(&reply, "{ action = 'boot' }");
}

/* Where Lua cannot be left, a callback has a second; the script can catch the error. */
static void test_callbacks(void **state)
{
	static const char *const bodies[] = {
		"table.sort({ 3, 2, 1 }, function() while true do end end)",
		"string.gsub('x', 'x', function() while true do pcall(function() while true do end "
		"end) end end)",
		"tostring(setmetatable({}, { __tostring = function() "
		"coroutine.wrap(function() while true do end end)() end }))",
		"coroutine.wrap(table.sort)({ 2, 1 }, function() repeat pcall(error) until false "
		"end)",
	};
	struct script_reply reply;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		MEM_AUTO char *body = mem_format(
		    "local ok, why = pcall(function() %s end)\n"
		    "assert(not ok and why:find('vm.lua:%%d+: .* longer than 1 s'), why)\n"
		    "spin(1) return true",
		    bodies[i]);

		begin(*state, body, &reply);
		spins(&reply, "1");
		ends_with(&reply, "{ action = 'boot' }");
		forget("1");
	}
}

/* vmrun.state is saved when the call ends or waits, never in the middle of a change. */
static void test_state(void **state)
{
	struct script_reply reply;

	begin(*state, "vmrun.state.a = 1 spin(1) vmrun.state.b = 2 return true", &reply);
	spins(&reply, "1");
	assert_int_equal(saves, 0);
	ends_with(&reply, "{ action = 'boot' }");
	assert_int_equal(saves, 1);
}

/* A line without its end is one line, whatever vmrun itself asks the script between two slices. */
static void test_other_calls_between(void **state)
{
	struct script_reply reply;

	begin(*state, "io.write('one ') spin(1) io.write('line') vmrun.event { a = 1 }", &reply);
	assert_true(script_is_left(*state));
	expect_boot(*state, "default", "problems", "{}");
	assert_true(script_is_left(*state));
	spins(&reply, "1");
	assert_null(support_log.text);
	pass_slices(&reply);
	assert_false(script_is_left(*state));
	assert_string_equal(support_log.text, "on_exit of vm.lua: {\"a\":1}\ninfo: one line\n");
}

/* The time limit counts the slices. */
static void test_time(void **state)
{
	struct script *s = open_slicing(100, 64 * MIB);
	struct script_reply reply;
	struct error err = { 0 };
	int rc;

	(void)state;
	rc = try_begin(s, "local ok = pcall(function() while true do end end) while true do end",
	    &reply, &err);
	while (rc == 0) {
		assert_true(computes(&reply));
		rc = script_resume(reply.task, NULL, &reply, &err);
	}
	assert_non_null(strstr(err.text, "vm.lua:3: still running after 100 ms (hook_timeout)"));
	assert_false(script_is_left(s));
	error_clear(&err);
	script_free(s);
}

/* What the memory limit has refused in one slice is known in the next. */
static void test_memory(void **state)
{
	struct script_reply reply;
	struct error err = { 0 };
	int rc = 0;

	begin(*state, "local ok, why = pcall(string.rep, 'x', 1 << 30) spin(1) error(why)", &reply);
	spins(&reply, "1");
	while (rc == 0 && computes(&reply))
		rc = script_resume(reply.task, NULL, &reply, &err);
	assert_int_equal(rc, -1);
	assert_non_null(strstr(err.text, "needs more than 64 MiB of memory (hook_memory)"));
	error_clear(&err);
}

static void test_abandoned(void **state)
{
	struct script_reply reply;

	begin(*state,
	    "local c <close> = setmetatable({}, { __close = function() print('closed') end })\n"
	    "io.write('open ') spin(1) print('never')",
	    &reply);
	assert_true(computes(&reply));
	script_abandon(reply.task);
	assert_false(script_is_left(*state));
	assert_string_equal(support_log.text, "info: open closed\n");
	begin(*state, "return true", &reply);
	ends_with(&reply, "{ action = 'boot' }");
}

/* A __close method of a call that is abandoned has a second. */
static void test_abandoned_loop(void **state)
{
	struct script *s = open_slicing(INT_MAX, 64 * MIB);
	struct script_reply reply;

	(void)state;
	begin(s,
	    "local c <close> = setmetatable({}, { __close = function() while true do end end })\n"
	    "spin(1)",
	    &reply);
	assert_true(computes(&reply));
	script_abandon(reply.task);
	script_free(s);
}

/* A call that says much is left early, so that its readers can take what it has said. */
static void says(struct script *s, const char *body)
{
	struct script_reply reply;
	size_t before;

	lines = 0;
	begin(s, body, &reply);
	/* On a busy machine the first slice may end before the first message. */
	assert_in_range(lines, 0, MAX_LINES);
	while (computes(&reply)) {
		before = lines;
		next(&reply);
		assert_in_range(lines - before, 0, MAX_LINES);
	}
	assert_int_equal(lines, LINES);
}

static void test_messages(void **state)
{
	says(*state, "for i = 1, 5000 do vmrun.log('info', i) end");
	says(*state, "for i = 1, 5000 do vmrun.event { i = i } end");
	says(*state, "for i = 1, 5000 do print(i) end");
}

/* A call of script_call(), and a script without slices, are never left. */
static void test_not_left(void **state)
{
	struct script *s = script_open(200, 64 * MIB);
	struct script_reply reply;
	struct error err = { 0 };

	load_hook(*state, "table.sort({ 2, 1 }, function() end) for i = 1, 1e6 do end return true");
	expect(*state, "call", "{ name = 'on_exit', index = 1, argument = {} }",
	    "{ action = 'boot' }");
	assert_int_equal(try_begin(s, "while true do end", &reply, &err), -1);
	assert_non_null(strstr(err.text, "still running after 200 ms"));
	error_clear(&err);
	script_free(s);
}

#define SLICED(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLICED(test_where_it_is_left),
		SLICED(test_own_yields),
		SLICED(test_waits_between),
		SLICED(test_callbacks),
		SLICED(test_state),
		SLICED(test_other_calls_between),
		SLICED(test_time),
		SLICED(test_memory),
		SLICED(test_abandoned),
		SLICED(test_abandoned_loop),
		SLICED(test_messages),
		SLICED(test_not_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
