/* vmrun_run() when poll(2) fails: linked so that poll() is __wrap_poll(). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "life.h"

static int failure; /* of the next poll(), once */

/* The linker sets these names. */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
int __real_poll(struct pollfd *fds, nfds_t count, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int ms);

int __wrap_poll(struct pollfd *fds, nfds_t count, int ms)
{
	if (failure == 0)
		return __real_poll(fds, count, ms);
	errno = failure;
	failure = 0;
	return -1;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static void break_poll(const struct vmrun_event *event, void *context)
{
	if (event->type == VMRUN_SPAWNED)
		failure = *(const int *)context;
}

static void test_a_poll_that_fails_is_a_problem(void **state)
{
	struct vmrun *vm = life_open("broken", "");
	int error = ENOMEM;
	const struct vmrun_problem *p;

	(void)state;
	life_script("deaf");
	assert_int_equal(vmrun_run(vm, break_poll, &error), 71);
	p = vmrun_problem(vm, 0);
	assert_non_null(p);
	assert_non_null(strstr(p->text, "cannot wait for events: poll: "));
	assert_non_null(strstr(p->text, strerror(ENOMEM)));
	vmrun_close(vm);
}

static void test_a_signal_is_none(void **state)
{
	struct vmrun *vm = life_open("interrupted", "");
	int error = EINTR;

	(void)state;
	life_script("exit 1");
	assert_int_equal(vmrun_run(vm, break_poll, &error), 0);
	assert_int_equal(failure, 0);
	assert_int_equal(vmrun_problem_count(vm), 0);
	vmrun_close(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_a_poll_that_fails_is_a_problem, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_a_signal_is_none, life_enter, life_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
