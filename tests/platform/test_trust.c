/* Which files root trusts: modes of files, and of the directories above them. */
#include "platform/trust.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

/* Returns the error of the check of an opened file under the path; "" for a trusted one. */
static char *asked(const char *opened, const char *path)
{
	struct error err = { 0 };
	int fd = open(opened, O_RDONLY | O_CLOEXEC);
	int rc;

	assert_true(fd >= 0);
	rc = trust_check(fd, path, &err);
	(void)close(fd);
	assert_int_equal(rc, err.text == NULL ? 0 : -1);
	assert_int_equal(err.status, err.text == NULL ? STATUS_OK : STATUS_NO_INPUT);
	return err.text == NULL ? mem_copy("") : err.text;
}

static void believed(const char *path)
{
	MEM_AUTO char *text = asked(path, path);

	assert_string_equal(text, "");
}

static void doubted(const char *opened, const char *path, const char *words)
{
	MEM_AUTO char *text = asked(opened, path);

	if (strstr(text, words) == NULL)
		fail_msg("%s: %s", path, text);
}

static void test_files(void **state)
{
	(void)state;
	scratch_write("file", "x", 0644);
	believed("file");
	believed("./file");
	believed("/dev/null"); /* all may write it, without an effect */
	assert_int_equal(chmod("file", 0664), 0);
	believed("file");
	assert_int_equal(chmod("file", 0602), 0);
	doubted("file", "file", "file: anyone may write this file (mode 0602)");
}

static void test_ways(void **state)
{
	(void)state;
	assert_int_equal(mkdir("a", 0755), 0);
	assert_int_equal(mkdir("a/b", 0755), 0);
	scratch_write("a/b/file", "x", 0600);
	believed("a/b/file");
	believed("a/../a/./b//file");
	assert_int_equal(chmod("a", 0757), 0);
	doubted("a/b/file", "a/b/file", "/a on the way to it (mode 0757)");
	assert_int_equal(chmod("a", 01777), 0);
	believed("a/b/file");
	assert_int_equal(chmod("a", 0755), 0);
	assert_int_equal(mkdir("open", 0777), 0);
	assert_int_equal(chmod("open", 0777), 0);
	assert_int_equal(symlink("../a/b", "open/link"), 0);
	doubted("open/link/file", "open/link/file", "/open on the way to it");
	assert_int_equal(symlink("open/link", "chain"), 0);
	doubted("chain/file", "chain/file", "/open on the way to it");
	/* A path that leaves the directory by .. does not depend on a name in it. */
	believed("open/../a/b/file");
	MEM_AUTO char *absolute = scratch_path("a/b/file");
	assert_int_equal(symlink(absolute, "absolute"), 0);
	believed("absolute");
}

static void test_changed_under_us(void **state)
{
	(void)state;
	scratch_write("one", "x", 0600);
	scratch_write("two", "x", 0600);
	doubted("one", "two", "two: another file took its place");
	doubted("one", "gone", "gone: cannot tell whether others may write it");
	assert_int_equal(symlink("loop", "loop"), 0);
	doubted("one", "loop", "loop: cannot tell");
}

/* l1 leads to the file through one link, l2 through two. */
static void test_limit_of_links(void **state)
{
	enum { MAX = 40 };
	char name[16], target[16] = "file";

	(void)state;
	scratch_write("file", "x", 0600);
	for (int i = 1; i <= MAX + 1; i++) {
		(void)snprintf(name, sizeof(name), "l%d", i);
		assert_int_equal(symlink(target, name), 0);
		(void)snprintf(target, sizeof(target), "%s", name);
	}
	doubted("file", "l41", "l41: cannot tell whether others may write it");
	MEM_AUTO char *text = asked("file", "l40");

	assert_string_equal(text, "");
}

/* A file of root, checked in a child of another user. */
static void test_other_users(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	scratch_write("file", "x", 0666);
	assert_int_equal(chmod("file", 0666), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct error err = { 0 };
		int fd = open("file", O_RDONLY | O_CLOEXEC);

		_exit(fd >= 0 && setuid(65534) == 0 && trust_check(fd, "file", &err) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_files),
		SCRATCH_TEST(test_ways),
		SCRATCH_TEST(test_changed_under_us),
		SCRATCH_TEST(test_limit_of_links),
		SCRATCH_TEST(test_other_users),
	};

	if (geteuid() != 0) {
		(void)printf("ok 1 platform.trust # skip only root is asked, and this is another "
			     "user\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
