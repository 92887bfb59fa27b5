/* The search for a program. */
#include "platform/spawn.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

static struct error err;
static char *old_path;

#define ORDINARY_USER 65534 /* nobody, on every system */

/*
 * Makes in the scratch directory good/prog, plain/prog (not executable), directory/prog/, here
 * (executable) and locked/, which only root may search.
 */
static int setup_group(void **state)
{
	const char *path = getenv("PATH");

	old_path = path == NULL ? NULL : mem_copy(path);
	if (scratch_enter(state) != 0)
		return -1;
	(void)mkdir("good", 0755);
	(void)mkdir("plain", 0755);
	(void)mkdir("directory", 0755);
	(void)mkdir("directory/prog", 0755);
	(void)mkdir("locked", 0000);
	(void)chmod(".", 0755);
	scratch_write("good/prog", "#!/bin/sh\n", 0755);
	scratch_write("plain/prog", "#!/bin/sh\n", 0644);
	scratch_write("here", "#!/bin/sh\n", 0755);
	return 0;
}

static int teardown_group(void **state)
{
	if (old_path != NULL)
		(void)setenv("PATH", old_path, 1);
	free(old_path);
	(void)chmod("locked", 0700);
	return scratch_leave(state);
}

static int teardown(void **state)
{
	(void)state;
	error_clear(&err);
	return 0;
}

static void assert_found(const char *name, const char *expected)
{
	MEM_AUTO char *found = program_find(name, &err);

	if (found == NULL)
		fail_msg("%s", err.text);
	assert_string_equal(found, expected);
}

static void assert_not_found(const char *name, enum status status, const char *text)
{
	assert_null(program_find(name, &err));
	assert_int_equal(err.status, status);
	assert_string_equal(err.text, text);
	error_clear(&err);
}

static void test_name_with_slash_is_not_looked_up(void **state)
{
	(void)state;
	(void)setenv("PATH", "good", 1);
	assert_found("./good/prog", "./good/prog");
	assert_found("/bin/sh", "/bin/sh");
	assert_not_found("./prog", STATUS_EXEC_MISSING, "./prog: No such file or directory");
	assert_not_found("here/prog", STATUS_EXEC_MISSING, "here/prog: Not a directory");
	assert_not_found(
	    "directory/prog", STATUS_CANNOT_EXEC, "directory/prog: a directory, not a program");
	assert_not_found(
	    "plain/prog", STATUS_CANNOT_EXEC, "plain/prog: not executable: Permission denied");
	assert_not_found("/dev/null", STATUS_CANNOT_EXEC, "/dev/null: not a program");
}

static void test_first_executable_in_path_wins(void **state)
{
	(void)state;
	(void)setenv("PATH", "/nonexistent:good", 1);
	assert_found("prog", "good/prog");
	(void)setenv("PATH", "directory:plain:good", 1);
	assert_found("prog", "good/prog");
}

static void test_empty_element_is_the_current_directory(void **state)
{
	(void)state;
	(void)setenv("PATH", "/nonexistent:", 1);
	assert_found("here", "./here");
	(void)setenv("PATH", ":/nonexistent", 1);
	assert_found("here", "./here");
	(void)setenv("PATH", "", 1);
	assert_found("here", "./here");
}

static void test_found_but_unusable_is_told(void **state)
{
	(void)state;
	(void)setenv("PATH", "plain:directory", 1);
	assert_not_found(
	    "prog", STATUS_CANNOT_EXEC, "plain/prog: not executable: Permission denied");
}

static void test_missing_program_tells_where_it_was_sought(void **state)
{
	(void)state;
	(void)setenv("PATH", "/nonexistent:good", 1);
	assert_not_found("no-such-program", STATUS_EXEC_MISSING,
	    "no-such-program: not found in PATH (/nonexistent:good), nor in /usr/sbin, /sbin, "
	    "/usr/local/sbin, /usr/local/bin");
	assert_not_found("", STATUS_EXEC_MISSING,
	    "\"\": not found in PATH (/nonexistent:good), nor in /usr/sbin, /sbin, "
	    "/usr/local/sbin, /usr/local/bin");
}

static bool is_told(const char *path, const char *name, enum status status, const char *text)
{
	MEM_AUTO char *found = NULL;
	bool right;

	(void)setenv("PATH", path, 1);
	found = program_find(name, &err);
	right = found == NULL && err.status == status && strcmp(err.text, text) == 0;
	if (!right)
		print_error("PATH=%s %s: got %s %d %s\n", path, name, found == NULL ? "" : found,
		    (int)err.status, found == NULL ? err.text : "");
	error_clear(&err);
	return right;
}

static bool locked_directories_are_hints(void)
{
	bool right = is_told("locked:good:locked", "no-such-program", STATUS_EXEC_MISSING,
	    "no-such-program: not found in PATH (locked:good:locked), nor in /usr/sbin, /sbin, "
	    "/usr/local/sbin, /usr/local/bin; cannot search locked (Permission denied)");

	right &= is_told("locked/a:/nonexistent:locked/b", "prog", STATUS_EXEC_MISSING,
	    "prog: not found in PATH (locked/a:/nonexistent:locked/b), nor in /usr/sbin, /sbin, "
	    "/usr/local/sbin, /usr/local/bin; cannot search locked/a (Permission denied), "
	    "locked/b (Permission denied)");
	right &= is_told("locked:plain", "prog", STATUS_CANNOT_EXEC,
	    "plain/prog: not executable: Permission denied");
	right &=
	    is_told("good", "locked/prog", STATUS_CANNOT_EXEC, "locked/prog: Permission denied");
	return right;
}

/* Root ignores modes, so a child of root becomes an ordinary user first. */
static void test_directory_that_cannot_be_searched_is_a_hint(void **state)
{
	pid_t pid = fork();
	int status = -1;

	(void)state;
	if (pid == 0) {
		bool ordinary =
		    getuid() != 0 || (setgid(ORDINARY_USER) == 0 && setuid(ORDINARY_USER) == 0);

		_exit(ordinary && locked_directories_are_hints() ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)setenv("PATH", "locked:good", 1);
	assert_found("prog", "good/prog");
}

static void test_places_of_administrators_are_sought_too(void **state)
{
	MEM_AUTO char *found = NULL;

	(void)state;
	(void)setenv("PATH", "/nonexistent", 1);
	/* Every system has it in /usr/sbin or /sbin. */
	found = program_find("nologin", &err);
	assert_non_null(found);
	assert_non_null(strstr(found, "sbin/nologin"));
}

static void test_unset_path_is_the_usual_one(void **state)
{
	MEM_AUTO char *found = NULL;

	(void)state;
	(void)unsetenv("PATH");
	found = program_find("sh", &err);
	assert_non_null(found);
	assert_not_found("no-such-program", STATUS_EXEC_MISSING,
	    "no-such-program: not found in PATH (/usr/bin:/bin), nor in /usr/sbin, /sbin, "
	    "/usr/local/sbin, /usr/local/bin");
}

#define TEST(name) cmocka_unit_test_teardown(test_##name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(name_with_slash_is_not_looked_up),
		TEST(first_executable_in_path_wins),
		TEST(empty_element_is_the_current_directory),
		TEST(found_but_unusable_is_told),
		TEST(missing_program_tells_where_it_was_sought),
		TEST(directory_that_cannot_be_searched_is_a_hint),
		TEST(places_of_administrators_are_sought_too),
		TEST(unset_path_is_the_usual_one),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
