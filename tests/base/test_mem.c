/* A failed allocation: a line on stderr, then abort(3). */
#include "base/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* More memory than any machine has; volatile, so that compilers do not warn about the size. */
static volatile size_t too_much = SIZE_MAX / 2;

static void zero(void)
{
	free(mem_zero(too_much));
}

static void resize(void)
{
	free(mem_resize(NULL, too_much, 1));
}

static void resize_beyond_counting(void)
{
	free(mem_resize(NULL, too_much, 4));
}

/* Copies too many bytes; none is read, because the allocation fails first. */
static void copy(void)
{
	free(mem_copy_n("", too_much));
}

/* Calls the function in another process, which must abort; `said` gets its stderr. */
static void die_of(void (*ask)(void), char *said, size_t size)
{
	int ends[2], status;
	size_t used = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit none = { 0, 0 };

		(void)setrlimit(RLIMIT_CORE, &none);
		(void)signal(SIGABRT, SIG_DFL); /* replaces cmocka's handler */
		(void)dup2(ends[1], STDERR_FILENO);
		ask();
		_exit(0);
	}
	(void)close(ends[1]);
	while (used < size - 1 && (n = read(ends[0], said + used, size - 1 - used)) > 0)
		used += (size_t)n;
	said[used] = '\0';
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void test_join(void **state)
{
	MEM_AUTO char *none = MEM_JOIN("");
	MEM_AUTO char *one = MEM_JOIN("one");
	MEM_AUTO char *three = MEM_JOIN("a", "", "/b");

	(void)state;
	assert_string_equal(none, "");
	assert_string_equal(one, "one");
	assert_string_equal(three, "a/b");
}

static void test_out_of_memory_is_said(void **state)
{
	void (*const ways[])(void) = { zero, resize, copy };
	char said[4096], wanted[128];

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		size_t bytes = too_much + (ways[i] == copy);
		MEM_AUTO char *line =
		    mem_format("vmrun: out of memory: cannot allocate %zu bytes\n", bytes);

		die_of(ways[i], said, sizeof(said));
		/* A sanitizer prints a message first. */
		assert_non_null(strstr(said, line));
	}
	die_of(resize_beyond_counting, said, sizeof(said));
	(void)snprintf(wanted, sizeof(wanted),
	    "vmrun: out of memory: cannot allocate more than %zu bytes\n", SIZE_MAX);
	assert_non_null(strstr(said, wanted));
}

/* A list that grows keeps its items, and moves seldom. */
static void test_growing(void **state)
{
	size_t *list = NULL, moved = 0;

	(void)state;
	for (size_t n = 0; n < 1000; n++) {
		size_t *before = list;

		list = mem_grow(list, n, sizeof(*list));
		moved += list != before;
		list[n] = n;
	}
	for (size_t n = 0; n < 1000; n++)
		assert_int_equal(list[n], n);
	assert_in_range(moved, 1, 11);
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_growing),
		cmocka_unit_test(test_out_of_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
