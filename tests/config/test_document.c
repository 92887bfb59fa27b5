/* Documents from files and buffers: formats, byte order marks, and unreadable files. */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define JSON "{\"name\":\"json\"}"
#define LUA "return { name = 'lua' }"
#define MARK "\xef\xbb\xbf"

static const char *name_of(struct document *doc, struct node **spec)
{
	struct report report = { 0 };
	struct merged merged;

	assert_int_equal(document_merge(doc, NULL, NULL, &merged, &report), 0);
	*spec = node_take(merged.spec, "name");
	merged_clear(&merged);
	return (*spec)->text;
}

/* Loads the file with this format, and checks the name in it or the problems. */
static void reads(const char *file, const char *text, enum format format, const char *wanted)
{
	MEM_AUTO char *path = directory_write(file, text, strlen(text));
	struct document_source source = { .file = path, .format = format };
	struct report report = { 0 };
	struct document *doc = load(&source, &report);
	MEM_AUTO char *problems = placed_problems(&report);
	struct node *name = NULL;

	if (doc != NULL) {
		assert_string_equal(name_of(doc, &name), wanted);
		assert_string_equal(document_directory(doc), directory);
	} else if (strstr(problems, wanted) == NULL) {
		fail_msg("%s: %s", text, problems);
	}
	node_free(name);
	document_free(doc);
}

static void test_formats(void **state)
{
	(void)state;
	reads("a.json", JSON, FORMAT_AUTO, "json");
	reads("a.lua", LUA, FORMAT_AUTO, "lua");
	reads("a", JSON, FORMAT_AUTO, "json");
	reads("a", " \t\r\n" JSON, FORMAT_AUTO, "json");
	reads("a", LUA, FORMAT_AUTO, "lua");
	reads("a", "-- {\n" LUA, FORMAT_AUTO, "lua");
	reads("a.txt", JSON, FORMAT_AUTO, "json");
	reads("a.conf", JSON, FORMAT_JSON, "json");
	reads("a", "#!/usr/local/bin/vmrun\n" LUA, FORMAT_AUTO, "lua");
	reads("a", "[]", FORMAT_AUTO, "a spec is an object");
}

/* The extension overrides the content, and the option overrides both. */
static void test_format_given(void **state)
{
	enum format format = FORMAT_AUTO;

	(void)state;
	reads("a.json", LUA, FORMAT_AUTO, "a.json:1:1: : not a JSON value");
	reads("a.lua", JSON, FORMAT_AUTO, "a.lua:1:");
	reads("a.json", LUA, FORMAT_LUA, "lua");
	reads("a.lua", JSON, FORMAT_JSON, "json");
	reads("a", LUA, FORMAT_JSON, "not a JSON value");
	assert_true(format_find("json", &format) && format == FORMAT_JSON);
	assert_true(format_find("lua", &format) && format == FORMAT_LUA);
	assert_true(format_find("ucl", &format) && format == FORMAT_UCL);
	assert_true(format_find("auto", &format) && format == FORMAT_AUTO);
	assert_false(format_find("", &format) || format_find("JSON", &format));
}

static void test_utf8_mark(void **state)
{
	(void)state;
	reads("a", MARK JSON, FORMAT_AUTO, "json");
	reads("a.json", MARK "\n" JSON, FORMAT_AUTO, "json");
	reads("a.lua", MARK LUA, FORMAT_AUTO, "lua");
	reads("a", MARK, FORMAT_AUTO, "the file is empty");
	reads("a.json", MARK MARK JSON, FORMAT_AUTO, "not a JSON value");
}

static void test_empty(void **state)
{
	(void)state;
	reads("a.json", "", FORMAT_AUTO, "a.json: : the file is empty");
	reads("a.lua", " \n\t", FORMAT_AUTO, "a.lua: : the file is empty");
	reads("a.lua", "-- nothing", FORMAT_AUTO, "the file returned nothing");
	reads("a.lua", "local t = {} t.targets = { t = t } return t", FORMAT_AUTO,
	    "a.lua: : targets.t.targets.t.targets");
	reads("a.lua", "error('b.lua:3: wrong', 0)", FORMAT_AUTO, ": b.lua:3: wrong");
	reads("a.json", "{\"a\":1,\n\"a\":2}", FORMAT_AUTO, "a.json:2:1: a: duplicate key");
}

static void cannot_read(const char *path, const char *why)
{
	struct document_source source = { .file = path };
	struct report report = { 0 };

	assert_null(load(&source, &report));
	assert_int_equal(report.status, STATUS_NO_INPUT);
	MEM_AUTO char *problems = placed_problems(&report);
	MEM_AUTO char *wanted = mem_format("%s: %s\n", path, why);

	if (strstr(problems, wanted) == NULL)
		fail_msg("%s", problems);
}

static void test_unreadable(void **state)
{
	MEM_AUTO char *path = directory_write("large.json", "{}", 2);
	MEM_AUTO char *missing = mem_format("%s/none.json", directory);
	struct document_source source = { .file = path };
	struct report report = { 0 };

	(void)state;
	cannot_read(missing, "No such file or directory");
	cannot_read(directory, "is a directory, not a file");
	assert_int_equal(truncate(path, (64 << 20) + 1), 0);
	cannot_read(path, "larger than 64 MiB: too large for a spec");
	assert_int_equal(truncate(path, 64 << 20), 0);
	assert_null(load(&source, &report));
	assert_int_equal(report.status, STATUS_SPEC); /* the file is read, and NULs are not JSON */
	report_free(&report);
}

static void test_buffer(void **state)
{
	struct document_source source = { .text = JSON "\0x", .length = strlen(JSON) };
	struct report report = { 0 };
	struct document *doc = load(&source, &report);
	char cwd[4096];

	(void)state;
	assert_non_null(doc);
	assert_string_equal(document_directory(doc), getcwd(cwd, sizeof(cwd)));
	document_free(doc);
	source.length += 2;
	source.name = "mine";
	assert_null(load(&source, &report));
	assert_int_equal(report.status, STATUS_SPEC);
	MEM_AUTO char *problems = placed_problems(&report);

	assert_string_equal(problems, "mine:1:16: : text after the end of the document\n");
	document_free(NULL);
}

static void test_targets(void **state)
{
	struct document *doc = load_text("{\"targets\":{\"z\":{},\"install\":{},\"a\":{}}}");
	struct where at = { NULL, "next_target", 0 };
	struct report report = { 0 };
	MEM_AUTO char *line = words_shell_line(document_targets(doc));

	(void)state;
	assert_string_equal(line, "a default install z");
	document_report_target(doc, "instal", &at, &report);
	document_report_target(doc, "other", NULL, &report);
	MEM_AUTO char *got = placed_problems(&report);

	assert_string_equal(got,
	    ": next_target: unknown target \"instal\", did you mean \"install\"? "
	    "(known: a, default, install, z)\n"
	    ": : unknown target \"other\" (known: a, default, install, z)\n");
	document_free(doc);
}

/* Loading reports the faults of targets with their places; the other targets can be checked. */
static void test_bad_targets(void **state)
{
	static const char text[] = "{\"name\":\"x\",\n \"targets\":{\n  \"a\":\"x\",\n"
				   "  \"b\":{\"name\":\"y\"},\n  \"c\":{}}}";
	struct document_source source = {
		.text = text, .length = sizeof(text) - 1, .name = "vm.json", .directory = "/"
	};
	struct report report = { 0 };
	struct document *doc = load(&source, &report);

	(void)state;
	assert_non_null(doc);
	report_sort(&report);
	MEM_AUTO char *got = placed_problems(&report);

	assert_string_equal(got,
	    "vm.json:3:3: targets.a: expected an object, got a string\n"
	    "vm.json:4:8: targets.b.name: name cannot be in a target\n");
	document_free(doc);
}

/* A script that is sent runs as a hook of the spec's file; its result comes back as a node. */
static void test_run(void **state)
{
	static const char good[] = "return { name = NAME, dir = vmrun.dir }";
	static const char bad[] = "--\nreturn )";
	static const char lua[] = "NAME = 'demo' return { name = NAME }";
	struct document_source source = { .text = lua,
		.length = sizeof(lua) - 1,
		.name = "vm.lua",
		.directory = "/specs",
		.format = FORMAT_LUA };
	struct report report = { 0 };
	struct document *doc = load(&source, &report);
	struct script_reply reply = { 0 };
	ERROR_AUTO struct error err = { 0 };

	(void)state;
	assert_non_null(doc);
	assert_int_equal(document_begin_run(doc, good, sizeof(good) - 1, "x.lua", &reply, &err), 0);
	assert_null(reply.task);
	assert_string_equal(node_get_text(reply.result, "name"), "demo");
	assert_string_equal(node_get_text(reply.result, "dir"), "/specs");
	node_free(reply.result);
	assert_int_equal(document_begin_run(doc, bad, sizeof(bad) - 1, "x.lua", &reply, &err), -1);
	assert_int_equal(err.status, STATUS_SPEC);
	assert_non_null(strstr(err.text, "x.lua:2: unexpected symbol near ')'"));
	report_free(&report);
	document_free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_format_given),
		cmocka_unit_test(test_utf8_mark),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_buffer),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_bad_targets),
	};

	return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
