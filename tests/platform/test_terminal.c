/* Modes and flags are restored after any change. */
#define _XOPEN_SOURCE 700 /* posix_openpt() */
#include "platform/terminal.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

static int master, slave;

static int setup(void **state)
{
	(void)state;
	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return -1;
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	return slave < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)close(slave);
	(void)close(master);
	return 0;
}

static void make_raw(int fd)
{
	struct termios modes;

	assert_int_equal(tcgetattr(fd, &modes), 0);
	modes.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
	modes.c_iflag &= ~(tcflag_t)(ICRNL | IXON);
	modes.c_oflag &= ~(tcflag_t)OPOST;
	modes.c_cc[VMIN] = 0;
	modes.c_cc[VTIME] = 5;
	assert_int_equal(cfsetospeed(&modes, B9600), 0);
	assert_int_equal(tcsetattr(fd, TCSANOW, &modes), 0);
}

static void assert_modes(int fd, const struct termios *expected)
{
	struct termios now;

	assert_int_equal(tcgetattr(fd, &now), 0);
	assert_int_equal(now.c_iflag, expected->c_iflag);
	assert_int_equal(now.c_oflag, expected->c_oflag);
	assert_int_equal(now.c_cflag, expected->c_cflag);
	assert_int_equal(now.c_lflag, expected->c_lflag);
	assert_memory_equal(now.c_cc, expected->c_cc, sizeof(now.c_cc));
	assert_int_equal(cfgetospeed(&now), cfgetospeed(expected));
}

static void test_modes_are_put_back(void **state)
{
	struct terminal_state saved;

	(void)state;
	terminal_save(&saved, slave);
	assert_true(saved.is_tty);
	make_raw(slave);
	terminal_restore(&saved);
	assert_modes(slave, &saved.modes);
	/* Nothing has changed. */
	terminal_restore(&saved);
	assert_modes(slave, &saved.modes);
}

static void test_one_changed_character_is_put_back(void **state)
{
	struct terminal_state saved;
	struct termios modes;

	(void)state;
	terminal_save(&saved, slave);
	modes = saved.modes;
	modes.c_cc[VINTR] = 'x';
	assert_int_equal(tcsetattr(slave, TCSANOW, &modes), 0);
	terminal_restore(&saved);
	assert_modes(slave, &saved.modes);
}

static void test_nonblock_is_put_back(void **state)
{
	struct terminal_state saved;
	int copy = dup(slave);

	(void)state;
	terminal_save(&saved, slave);
	/* A child changes it through another descriptor of the same open file. */
	assert_int_equal(fcntl(copy, F_SETFL, saved.flags | O_NONBLOCK), 0);
	assert_true((fcntl(slave, F_GETFL) & O_NONBLOCK) != 0);
	terminal_restore(&saved);
	assert_int_equal(fcntl(slave, F_GETFL), saved.flags);
	(void)close(copy);
}

static void test_nonblock_that_was_on_stays_on(void **state)
{
	struct terminal_state saved;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	terminal_save(&saved, fds[0]);
	assert_false(saved.is_tty);
	assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0);
	terminal_restore(&saved);
	assert_int_equal(fcntl(fds[0], F_GETFL), saved.flags);
	assert_true((saved.flags & O_NONBLOCK) != 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void test_closed_descriptor_does_no_harm(void **state)
{
	struct terminal_state saved;
	int fd = dup(slave);

	(void)state;
	terminal_save(&saved, fd);
	(void)close(fd);
	terminal_restore(&saved);
	terminal_save(&saved, fd);
	assert_int_equal(saved.flags, -1);
	assert_false(saved.is_tty);
	terminal_restore(&saved);
	terminal_save(&saved, -1);
	terminal_restore(&saved);
}

static void test_signal_mask_is_kept(void **state)
{
	struct terminal_state saved;
	sigset_t mask;

	(void)state;
	terminal_save(&saved, slave);
	make_raw(slave);
	terminal_restore(&saved);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	assert_int_equal(sigismember(&mask, SIGTTOU), 0);
}

static int status_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, WUNTRACED) == pid ? status : -1;
}

/* Leads a session on the terminal; a background process restores what this one changes. */
static _Noreturn void lead_session(const char *name)
{
	struct terminal_state saved;
	struct termios now;
	pid_t background;
	int fd, status;

	(void)setsid();
	/* The first terminal that a leader opens becomes the session's, except on FreeBSD. */
	fd = open(name, O_RDWR);
	if (fd < 0 || (tcgetpgrp(fd) != getpgrp() && ioctl(fd, TIOCSCTTY, 0) < 0))
		_exit(10);
	terminal_save(&saved, fd);
	now = saved.modes;
	now.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(fd, TCSANOW, &now) < 0)
		_exit(11);
	background = fork();
	if (background == 0) {
		(void)setpgid(0, 0);
		(void)signal(SIGTTOU, SIG_DFL);
		if (tcgetpgrp(fd) == getpgrp())
			_exit(12);
		terminal_restore(&saved);
		_exit(0);
	}
	status = status_of(background);
	(void)kill(background, SIGKILL);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		_exit(13);
	if (tcgetattr(fd, &now) < 0 || now.c_lflag != saved.modes.c_lflag)
		_exit(14);
	_exit(0);
}

static void test_background_process_restores_without_being_stopped(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		lead_session(ptsname(master));
	status = status_of(pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Each end may be the one that cannot be opened; none stays open. */
static void test_no_descriptor_for_a_pair(void **state)
{
	(void)state;
	for (int free_descriptors = 0; free_descriptors < 2; free_descriptors++) {
		ERROR_AUTO struct error err = { 0 };
		char *path = NULL;
		int ours, theirs, next = dup(slave);

		(void)close(next);
		scratch_limit(free_descriptors);
		assert_int_equal(pty_open(&ours, &theirs, &path, &err), -1);
		assert_int_equal(ours, -1); /* the numbers may be another file's by now */
		assert_int_equal(theirs, -1);
		scratch_unlimit();
		assert_string_equal(err.text, "cannot make a terminal: Too many open files");
		assert_null(path);
		assert_int_equal(dup(slave), next);
		(void)close(next);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(modes_are_put_back),
		TEST(one_changed_character_is_put_back),
		TEST(nonblock_is_put_back),
		TEST(nonblock_that_was_on_stays_on),
		TEST(closed_descriptor_does_no_harm),
		TEST(no_descriptor_for_a_pair),
		TEST(signal_mask_is_kept),
		TEST(background_process_restores_without_being_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
