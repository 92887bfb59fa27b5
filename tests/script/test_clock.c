/* Limits of time to the millisecond: time passes only where a script or a test says so. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define HOUR_MS 3600000 /* the longest limit of a spec */
#define BUDGET_MS 100

static int64_t now_ms;

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
int64_t __wrap_clock_ms(void);

int64_t __wrap_clock_ms(void)
{
	return now_ms;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* print(N) lets N milliseconds pass; other messages are kept. */
static void hear(void *context, const char *level, const char *text)
{
	(void)context;
	(void)level;
	if (strspn(text, "0123456789") == strlen(text))
		now_ms += strtoll(text, NULL, 10);
	else
		str_addf(&support_log, "%s\n", text);
}

static struct script *open_with(const struct script_options *options)
{
	struct script *s = NULL;
	struct error err = { 0 };

	if (script_new(&s, options, &err) != 0)
		fail_msg("script_new: %s", err.text);
	return s;
}

static struct script *open_script(int64_t budget_ms, size_t memory_bytes)
{
	struct script_options options = {
		.budget_ms = budget_ms, .memory_bytes = memory_bytes, .log = hear
	};

	return open_with(&options);
}

static struct script *open_slicing(void)
{
	struct script_options options = {
		.budget_ms = HOUR_MS, .memory_bytes = 64 * MIB, .log = hear, .slices = true
	};

	return open_with(&options);
}

static int forget_log(void **state)
{
	(void)state;
	str_free(&support_log);
	return 0;
}

/* Begins a hook with this body. */
static void begin_any(struct script *s, const char *body, struct script_reply *reply)
{
	MEM_AUTO char *text = mem_format("return { on_exit = function()\n%s\nend }", body);
	struct node *argument = node_of("{ name = 'on_exit', index = 1, argument = {} }");
	struct error err = { 0 };

	load_lua(s, text);
	expect_boot(s, "default", "problems", "{}");
	expect(s, "hooks", "{ name = 'on_exit', files = list }", "{ 'on_exit of vm.lua' }");
	if (script_begin(s, "call", argument, reply, &err) != 0)
		fail_msg("begin: %s", err.text);
	node_free(argument);
}

/* Begins a hook with this body, which waits. */
static void begin(struct script *s, const char *body, struct script_reply *reply)
{
	begin_any(s, body, reply);
	assert_non_null(reply->request);
	node_free(reply->request);
}

/* Begins a hook that is left at the end of a slice. */
static void begin_left(struct script *s, const char *body, struct script_reply *reply)
{
	begin_any(s, body, reply);
	assert_non_null(reply->task);
	assert_null(reply->request);
}

static void end(struct script_reply *reply)
{
	struct error err = { 0 };

	assert_int_equal(script_resume(reply->task, NULL, reply, &err), 0);
	assert_null(reply->task);
	node_free(reply->result);
}

static void test_an_hour(void **state)
{
	struct script *s = open_script(HOUR_MS, 64 * MIB);

	(void)state;
	load_error(s,
	    "print(3599999) for i = 1, 1000 do end print('in time')\n"
	    "print(1) while true do end",
	    "vm.lua:2: still running after 3600 s (hook_timeout)");
	assert_string_equal(support_log.text, "in time\n");
	script_free(s);
}

/* The time that a call has left is counted over its waits, or anew from one that renews it. */
static void test_turns(void **state)
{
	static const char body[] = "print(60) vmrun.sleep(1) print(99) for i = 1, 1000 do end\n"
				   "print('in time')";
	struct script *s = open_script(BUDGET_MS, 64 * MIB);
	struct script_reply reply;
	struct error err = { 0 };

	(void)state;
	begin(s, body, &reply);
	assert_int_equal(script_resume(reply.task, NULL, &reply, &err), -1);
	assert_non_null(strstr(err.text, "still running after 100 ms"));
	assert_int_equal(support_log.length, 0);
	error_clear(&err);
	begin(s, body, &reply);
	script_task_renew(reply.task);
	assert_int_equal(script_resume(reply.task, NULL, &reply, &err), 0);
	assert_null(reply.task);
	assert_string_equal(support_log.text, "in time\n");
	node_free(reply.result);
	script_free(s);
}

/* However long a call has waited, its __close methods have the time that it has left. */
static void test_abandoned(void **state)
{
	static const char form[] =
	    "local c <close> = setmetatable({}, { __close = function()\n"
	    "print(%d) for i = 1, 1000 do end print('closed') end }) print(60) vmrun.sleep(1)";
	struct script *s = open_script(BUDGET_MS, 64 * MIB);
	struct script_reply reply;

	(void)state;
	for (int used = 39; used <= 40; used++) {
		MEM_AUTO char *body = mem_format(form, used);

		begin(s, body, &reply);
		now_ms += HOUR_MS;
		script_abandon(reply.task);
	}
	assert_string_equal(support_log.text, "closed\n");
	script_free(s);
}

/* Numbers are compared without an instruction, yet the sort of many of them can be stopped. */
static void test_sort(void **state)
{
	struct script *s = open_script(BUDGET_MS, 64 * MIB);
	struct node *file;

	(void)state;
	/* Instructions are counted anew in a coroutine: the hook does not run between print() and
	 * the sort. */
	file = lua_file("local t = {} for i = 1, 70000 do t[i] = i * 7919 % 70001 end\n"
			"coroutine.wrap(function() print(100) table.sort(t) end)() return {}");
	MEM_AUTO char *error = error_of(s, "load", file);

	assert_non_null(strstr(error, "vm.lua:2: still running after 100 ms (hook_timeout)"));
	assert_non_null(strstr(error, "in function 'table.sort'"));
	node_free(file);
	script_free(s);
}

/* A function that has outlasted its slice is the last one of it. */
static void test_slice_of_a_sort(void **state)
{
	struct script *s = open_slicing();
	struct script_reply reply;

	(void)state;
	/* The coroutine counts its instructions anew: only the sort ends the slice. */
	begin_left(s,
	    "local t = {} for i = 1, 70000 do t[i] = i * 7919 % 70001 end\n"
	    "coroutine.wrap(function() print(10) table.sort(t) print('sorted') end)()",
	    &reply);
	assert_int_equal(support_log.length, 0);
	end(&reply);
	assert_string_equal(support_log.text, "sorted\n");
	script_free(s);
}

/* Many messages end a slice at any time, even at the first one of the clock. */
static void test_slice_of_messages(void **state)
{
	struct script *s = open_slicing();
	struct script_reply reply;

	(void)state;
	now_ms = 0;
	begin_left(s, "for i = 1, 300 do print('x') end for i = 1, 200 do end print('y')", &reply);
	assert_null(strstr(support_log.text, "y"));
	end(&reply);
	assert_non_null(strstr(support_log.text, "x\ny\n"));
	script_free(s);
}

/* What a __close method writes without a newline is told, too, when a wait is abandoned. */
static void test_output_of_an_abandoned_wait(void **state)
{
	struct script *s = open_script(BUDGET_MS, 64 * MIB);
	struct script_reply reply;

	(void)state;
	begin(s,
	    "local c <close> = setmetatable({}, { __close = function() io.write('bye') end })\n"
	    "vmrun.sleep(1)",
	    &reply);
	script_abandon(reply.task);
	assert_string_equal(support_log.text, "bye\n");
	script_free(s);
}

/* A script that is out of memory and out of time is told of the time. */
static void test_time_before_memory(void **state)
{
	struct script *s = open_script(BUDGET_MS, 4 * MIB);

	(void)state;
	load_error(s,
	    "local t, spare = nil, ('x'):rep(2000)\n"
	    "local co = coroutine.wrap(function() print(100) while true do t = { t } end end)\n"
	    "pcall(function() while true do t = { t } end end)\n"
	    "spare = nil co()",
	    "vm.lua:2: still running after 100 ms (hook_timeout)");
	script_free(s);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, forget_log)
	const struct CMUnitTest tests[] = {
		TEST(test_an_hour),
		TEST(test_turns),
		TEST(test_abandoned),
		TEST(test_sort),
		TEST(test_time_before_memory),
		TEST(test_slice_of_a_sort),
		TEST(test_slice_of_messages),
		TEST(test_output_of_an_abandoned_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
