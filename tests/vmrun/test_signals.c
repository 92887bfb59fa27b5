/* Signals while the flags are fetched. */
#include "../base/dice.h"

#include <sys/wait.h>

/* The source, because only fetch_flag() in a tight loop meets a signal between two instructions. */
#include "vmrun/signals.c" /* NOLINT(bugprone-suspicious-include) */

#define ROUNDS 2000
#define TRIES 10000 /* before the test looks whether the signal came */

/* Sends a signal to the parent for each byte. */
static _Noreturn void send_signals(int fd)
{
	char byte;

	while (read(fd, &byte, 1) == 1)
		(void)kill(getppid(), SIGUSR2);
	_exit(0);
}

/* Fetches the flag until it is set; the handler writes its byte after it has set the flag. */
static void fetch_one(int fd)
{
	bool was_caught = false, got = false;
	char byte;

	while (!got) {
		for (int i = 0; i < TRIES && !got; i++)
			got = fetch_flag(&query);
		assert_true(got || !was_caught);
		was_caught = was_caught || read(fd, &byte, 1) == 1;
	}
	while (!was_caught)
		was_caught = read(fd, &byte, 1) == 1;
}

static void test_no_signal_is_lost(void **state)
{
	int ends[2], fd, status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(ends[1]);
		send_signals(ends[0]);
	}
	(void)close(ends[0]);
	signals_begin(true);
	fd = signals_open(NULL);
	assert_true(fd >= 0);
	while (read(fd, &(char){ 0 }, 1) == 1)
		;
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(write(ends[1], "", 1), 1);
		fetch_one(fd);
	}
	assert_false(fetch_flag(&query));
	signals_close(fd);
	(void)close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Moves the first request to stop into the past. */
static void let_a_second_pass(void)
{
	first_stop.tv_sec -= 1;
}

static void test_signals_of_one_stop(void **state)
{
	struct signals received;
	int fd = signals_open(NULL);

	(void)state;
	assert_true(fd >= 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(raise(i % 2 == 0 ? SIGTERM : SIGINT), 0);
	assert_int_equal(stop_count, 1);
	signals_fetch(fd, &received);
	assert_true(received.stop);
	assert_int_equal(raise(SIGTERM), 0);
	signals_fetch(fd, &received);
	assert_false(received.stop);
	let_a_second_pass();
	for (int i = 2; i <= STUCK_STOPS; i++) {
		assert_int_equal(raise(SIGTERM), 0);
		assert_int_equal(stop_count, i);
		signals_fetch(fd, &received);
		assert_true(received.stop);
	}
	signals_close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_signal_is_lost),
		cmocka_unit_test(test_signals_of_one_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
