/* UCL through uclcmd, which is a script of the test, or the one of tests/fake. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/ucl.h"

#define HOUR_MS 3600000
#define ANSWER "{\"name\":\"ucl\"}"

static char *usual_path;
static struct error err;
static struct ucl ucl;

static int setup_group(void **state)
{
	const char *path = getenv("PATH");

	usual_path = mem_copy(path != NULL ? path : "/usr/bin:/bin");
	return directory_make(state);
}

static int teardown_group(void **state)
{
	free(usual_path);
	return directory_remove(state);
}

static int teardown(void **state)
{
	(void)state;
	error_clear(&err);
	ucl_free(&ucl);
	return 0;
}

/* Makes vmrun find uclcmd in this directory. */
static void look_in(const char *place)
{
	MEM_AUTO char *path = mem_format("%s:%s", place, usual_path);

	(void)setenv("PATH", path, 1);
}

/* Makes this script uclcmd. */
static void be_uclcmd(const char *script)
{
	MEM_AUTO char *text = mem_format("#!/bin/sh\n%s\n", script);
	MEM_AUTO char *path = directory_write("uclcmd", text, strlen(text));

	assert_int_equal(chmod(path, 0755), 0);
	look_in(directory);
}

static void read_refused(const char *script, enum status status, const char *text)
{
	be_uclcmd(script);
	assert_int_equal(ucl_read("/vm.conf", HOUR_MS, &ucl, &err), -1);
	assert_string_equal(err.text, text);
	assert_int_equal(err.status, status);
	assert_null(ucl.json);
	assert_null(ucl.remarks);
	error_clear(&err);
}

static void test_words_of_the_command(void **state)
{
	static const char *const names[] = { "/a/vm.conf", "vm.ucl", "two words.conf", "-f.conf",
		"it's \"$HOME\" `x` \\.ucl", "tab\tnewline\n.conf", "", "--" };

	(void)state;
	be_uclcmd("printf '<%s>' \"$@\"");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		MEM_AUTO char *wanted = mem_format("<get><-c><-f><%s><.>", names[i]);

		assert_int_equal(ucl_read(names[i], HOUR_MS, &ucl, &err), 0);
		assert_string_equal(ucl.json, wanted);
		assert_int_equal(ucl.length, strlen(wanted));
		assert_null(ucl.remarks);
		ucl_free(&ucl);
	}
}

static void test_words_beside_an_answer(void **state)
{
	(void)state;
	be_uclcmd("echo ' odd\n thing ' >&2; echo '{}'");
	assert_int_equal(ucl_read("/vm.conf", HOUR_MS, &ucl, &err), 0);
	assert_string_equal(ucl.json, "{}\n");
	assert_string_equal(ucl.remarks, "odd thing");
}

/* vmrun repeats at most 300 bytes of uclcmd's stderr. */
static void test_words_are_cut(void **state)
{
	(void)state;
	be_uclcmd("printf '%0300d' 1 >&2; echo '{}'");
	assert_int_equal(ucl_read("/vm.conf", HOUR_MS, &ucl, &err), 0);
	assert_int_equal(strlen(ucl.remarks), 300);
	assert_string_equal(ucl.remarks + 299, "1");
	ucl_free(&ucl);
	be_uclcmd("printf '%0301d' 1 >&2; echo '{}'");
	assert_int_equal(ucl_read("/vm.conf", HOUR_MS, &ucl, &err), 0);
	assert_int_equal(strlen(ucl.remarks), 303);
	assert_string_equal(ucl.remarks + 299, "0...");
	ucl_free(&ucl);
}

static void test_refusals(void **state)
{
	(void)state;
	read_refused("echo 'Error occured: line 3' >&2; exit 2", STATUS_SPEC,
	    "uclcmd ended with status 2: Error occured: line 3");
	read_refused("echo '{}'; exit 1", STATUS_SPEC, "uclcmd ended with status 1");
	read_refused("exit 0", STATUS_SPEC, "uclcmd printed nothing");
	read_refused("echo; echo '  '", STATUS_SPEC, "uclcmd printed nothing");
	read_refused("echo what >&2", STATUS_SPEC, "uclcmd printed nothing: what");
	read_refused(
	    "exec yes", STATUS_NO_INPUT, "uclcmd wrote more than 67108864 bytes and was killed");
	be_uclcmd("kill -ABRT $$");
	assert_int_equal(ucl_read("/vm.conf", HOUR_MS, &ucl, &err), -1);
	assert_int_equal(err.status, STATUS_SPEC);
	assert_non_null(strstr(err.text, "uclcmd was killed by signal 6"));
}

static void test_limit(void **state)
{
	(void)state;
	be_uclcmd("echo '{}'; echo waiting >&2; sleep 3600 & wait");
	for (int64_t limit = 50; err.text == NULL || strstr(err.text, "waiting") == NULL;
	     limit *= 2) {
		error_clear(&err);
		assert_int_equal(ucl_read("/vm.conf", limit, &ucl, &err), -1);
		assert_int_equal(err.status, STATUS_NO_INPUT);
		assert_non_null(strstr(err.text, " s and was killed"));
		assert_null(ucl.json);
	}
	assert_int_equal(MAX_UCL_MS, 10000);
}

static void test_missing(void **state)
{
	MEM_AUTO char *path = directory_write("uclcmd", "#!/bin/sh\n", 10);

	(void)state;
	if (access("/usr/local/bin/uclcmd", F_OK) == 0) {
		print_message("skipped: uclcmd is installed here, where it is always found\n");
		skip();
	}
	assert_int_equal(chmod(path, 0644), 0);
	(void)setenv("PATH", directory, 1);
	assert_int_equal(ucl_read("/vm.conf", HOUR_MS, &ucl, &err), -1);
	assert_int_equal(err.status, STATUS_NO_INPUT);
	assert_non_null(strstr(err.text, "uclcmd: not executable: Permission denied)"));
	assert_non_null(strstr(err.text, "textproc/uclcmd"));
	error_clear(&err);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ucl_read("/vm.conf", HOUR_MS, &ucl, &err), -1);
	assert_int_equal(err.status, STATUS_NO_INPUT);
	assert_non_null(strstr(err.text, "(uclcmd: not found in PATH"));
	assert_non_null(strstr(err.text, "pkg install uclcmd"));
}

/* --- documents --- */

static struct str logged;

static void log_line(void *context, const char *level, const char *text)
{
	(void)context;
	str_addf(&logged, "%s: %s\n", level, text);
}

/* Loads the file, for which uclcmd prints this JSON. */
static struct document *load_ucl(
    const char *name, const char *json, enum format format, struct report *report)
{
	MEM_AUTO char *path = directory_write(name, "name: x", 7);
	MEM_AUTO char *answer_name = mem_format("%s.json", name);
	struct document_source source = { .file = path, .format = format };
	struct script_options options = {
		.budget_ms = 5000, .memory_bytes = 64 << 20, .log = log_line, .hypervisor = "bhyve"
	};

	free(directory_write(answer_name, json, strlen(json)));
	return document_load(&source, &options, spec_merge_rules(), report);
}

static void loads(const char *name, enum format format)
{
	struct report report = { 0 };
	struct document *doc = load_ucl(name, ANSWER, format, &report);
	MEM_AUTO char *problems = placed_problems(&report);
	struct merged merged;

	if (doc == NULL)
		fail_msg("%s: %s", name, problems);
	assert_string_equal(document_directory(doc), directory);
	assert_true(document_is_of_ucl(doc));
	assert_int_equal(document_merge(doc, NULL, NULL, &merged, &report), 0);
	assert_string_equal(node_get_text(merged.spec, "name"), "ucl");
	merged_clear(&merged);
	document_free(doc);
}

static void test_which_files_are_ucl(void **state)
{
	(void)state;
	look_in(SOURCE_DIR "/tests/fake/bin");
	loads("vm.ucl", FORMAT_AUTO);
	loads("vm.conf", FORMAT_AUTO);
	loads("vm", FORMAT_UCL);
	loads("vm.lua", FORMAT_UCL);
	loads("-c two 'words'.conf", FORMAT_AUTO);
}

/* JSON is UCL, so vmrun does not look at the content. */
static void test_json_in_a_conf_file(void **state)
{
	MEM_AUTO char *path = directory_write("json.conf", "{\"name\":1}", 10);
	struct document_source source = { .file = path };
	struct report report = { 0 };
	struct document *doc;

	(void)state;
	be_uclcmd("echo '" ANSWER "'");
	doc = load(&source, &report);
	assert_non_null(doc);
	document_free(doc);
}

static void loads_not(const char *json, const char *wanted)
{
	struct report report = { 0 };
	struct document *doc = load_ucl("bad.conf", json, FORMAT_AUTO, &report);

	assert_int_equal(report.status, STATUS_SPEC);
	MEM_AUTO char *got = placed_problems(&report);
	MEM_AUTO char *all = mem_format("%s/bad.conf: %s\n", directory, wanted);

	assert_string_equal(got, all);
	document_free(doc);
}

static void test_answers_that_are_no_spec(void **state)
{
	(void)state;
	look_in(SOURCE_DIR "/tests/fake/bin");
	loads_not("(null)\n", ": uclcmd's output, `(null)`, is not a spec: not a JSON value");
	loads_not("[1]",
	    ": uclcmd's output, `[1]`, is not a spec: a spec is an object: { \"name\": ... }");
	loads_not("{\"a\":[1,\n\tx]}\n",
	    "a[1]: uclcmd's output, `{\"a\":[1, x]}`, is not a spec: not a JSON value");
	loads_not("{\"a\":1}{}",
	    ": uclcmd's output, `{\"a\":1}{}`, is not a spec: text after the end "
	    "of the document");
}

/* Problems name the file and the path of the key, but no line. */
static void test_places_of_problems(void **state)
{
	struct where base = { NULL, "mem", 0 };
	struct report report = { 0 };
	struct merged merged;
	struct document *doc;

	(void)state;
	look_in(SOURCE_DIR "/tests/fake/bin");
	loads_not("{\"targets\":{\"install\":{\"name\":\"y\"}}}",
	    "targets.install.name: name cannot be in a target");
	doc = load_ucl(
	    "vm.conf", "{\"mem\":1,\"targets\":{\"big\":{\"mem\":2}}}", FORMAT_AUTO, &report);
	assert_non_null(doc);
	assert_int_equal(document_merge(doc, "big", NULL, &merged, &report), 0);
	merged_clear(&merged);
	report_add(&report, STATUS_SPEC, &base, "too small");
	document_place(doc, &report, 0);
	MEM_AUTO char *got = placed_problems(&report);
	MEM_AUTO char *wanted = mem_format("%s/vm.conf: targets.big.mem: too small\n", directory);

	assert_string_equal(got, wanted);
	document_free(doc);
}

static void test_warnings_are_passed_on(void **state)
{
	MEM_AUTO char *path = directory_write("warn.ucl", "a", 1);
	MEM_AUTO char *wanted = mem_format("warning: %s: uclcmd says: mind this\n", path);
	struct report report = { 0 };
	struct document *doc;

	(void)state;
	be_uclcmd("echo mind this >&2; cat \"$4.json\"");
	doc = load_ucl("warn.ucl", ANSWER, FORMAT_AUTO, &report);
	assert_non_null(doc);
	document_free(doc);
	assert_string_equal(logged.text, wanted);
	str_free(&logged);
}

static void refuses(const struct document_source *source, enum status status, const char *wanted)
{
	struct report report = { 0 };

	assert_null(load(source, &report));
	assert_int_equal(report.status, status);
	MEM_AUTO char *got = placed_problems(&report);

	if (strstr(got, wanted) == NULL)
		fail_msg("wanted %s, got %s", wanted, got);
}

/* vmrun runs no uclcmd for missing and empty files and for directories, and does not read stdin. */
static void test_what_uclcmd_is_not_asked(void **state)
{
	MEM_AUTO char *empty = directory_write("empty.conf", " \n", 2);
	MEM_AUTO char *missing = mem_format("%s/missing.conf", directory);
	MEM_AUTO char *ran = mem_format("%s/ran", directory);
	MEM_AUTO char *script = mem_format("echo >%s/ran", directory);
	struct document_source buffer = { .text = "name: x", .length = 7, .name = "vm.conf" };

	(void)state;
	be_uclcmd(script);
	refuses(&(struct document_source){ .file = empty }, STATUS_SPEC, "the file is empty");
	refuses(&(struct document_source){ .file = missing }, STATUS_NO_INPUT, "No such file");
	refuses(&(struct document_source){ .file = directory, .format = FORMAT_UCL },
	    STATUS_NO_INPUT, "is a directory");
	refuses(&buffer, STATUS_USAGE, "vm.conf: : uclcmd reads UCL from a file only");
	buffer.name = NULL;
	buffer.format = FORMAT_UCL;
	refuses(&buffer, STATUS_USAGE, "<buffer>: : uclcmd reads UCL from a file only");
	refuses(&(struct document_source){ .file = "-", .format = FORMAT_UCL }, STATUS_USAGE,
	    "<stdin>: : uclcmd reads UCL from a file only: name the file, or pass its JSON on: "
	    "uclcmd get -c -f FILE . | vmrun -c-");
	assert_int_equal(access(ran, F_OK), -1);
}

#define TEST(name) cmocka_unit_test_teardown(test_##name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(words_of_the_command),
		TEST(words_beside_an_answer),
		TEST(words_are_cut),
		TEST(refusals),
		TEST(limit),
		TEST(missing),
		TEST(which_files_are_ucl),
		TEST(json_in_a_conf_file),
		TEST(answers_that_are_no_spec),
		TEST(places_of_problems),
		TEST(warnings_are_passed_on),
		TEST(what_uclcmd_is_not_asked),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
