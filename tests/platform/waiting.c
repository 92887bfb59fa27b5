/* Makes a wait set and a pipe for a test. */
#include "waiting.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <poll.h>
#include <string.h>
#include <unistd.h>

struct waiting waiting;

int waiting_setup(void **state)
{
	int fds[2];

	(void)state;
	memset(&waiting, 0, sizeof(waiting));
	if (pipe(fds) < 0)
		return -1;
	waiting.in = fds[0];
	waiting.out = fds[1];
	return waitset_new(&waiting.set, &waiting.err);
}

int waiting_teardown(void **state)
{
	(void)state;
	waitset_free(waiting.set);
	error_clear(&waiting.err);
	(void)close(waiting.in);
	(void)close(waiting.out);
	return 0;
}

void waiting_set_deadline(int64_t at_ms)
{
	assert_int_equal(waitset_set_deadline(waiting.set, at_ms, &waiting.err), 0);
}

void waiting_assert_nothing(void)
{
	assert_int_equal(waitset_next(waiting.set, 0, &waiting.wake, &waiting.err), 0);
}

void waiting_assert_wake(enum wake_kind kind, uintptr_t tag)
{
	assert_int_equal(waitset_next(waiting.set, -1, &waiting.wake, &waiting.err), 1);
	assert_int_equal(waiting.wake.kind, kind);
	assert_int_equal(waiting.wake.tag, tag);
}

void waiting_assert_pollable(void)
{
	struct pollfd set = { .fd = waitset_fd(waiting.set), .events = POLLIN };

	assert_int_equal(poll(&set, 1, -1), 1);
	assert_int_equal(set.revents, POLLIN);
}
