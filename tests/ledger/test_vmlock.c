/* The lock that shows whether a hypervisor runs. */
#include "ledger/vmlock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../platform/scratch.h"

static int lock_error; /* of the next calls of flock(2); 0: none */
static int errors = 1; /* the number of these calls */

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);

int __wrap_flock(int fd, int operation)
{
	int error = lock_error;

	if (error != 0 && --errors == 0) {
		lock_error = 0;
		errors = 1;
	}
	if (error == 0)
		return __real_flock(fd, operation);
	errno = error;
	return -1;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static struct vmlock lock;

static void open_lock(void)
{
	struct error err = { 0 };

	memset(&lock, 0, sizeof(lock));
	if (vmlock_open(&lock, ".", &err) != 0)
		fail_msg("%s", err.text);
}

/* Starts a process that inherits the descriptor and runs until its pipe is closed. */
static pid_t hold(int fd, int *leash)
{
	int ends[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(ends[1]);
		(void)!read(ends[0], &byte, 1);
		_exit(0);
	}
	(void)close(ends[0]);
	(void)close(fd);
	*leash = ends[1];
	return pid;
}

static void test_held_by_a_child(void **state)
{
	struct error err = { 0 };
	int fd, other, leash;
	int64_t start;
	pid_t pid, noted;

	(void)state;
	open_lock();
	assert_false(lock.found);
	assert_true(lock.works);
	assert_false(vmlock_is_held(&lock));
	assert_int_equal(vmlock_take(&lock, &fd, &err), 0);
	pid = hold(fd, &leash);
	assert_true(vmlock_is_held(&lock));
	assert_false(vmlock_noted(&lock, &noted, &start));
	vmlock_note(&lock, pid, 42);
	assert_int_equal(vmlock_take(&lock, &other, &err), -1);
	assert_int_equal(err.status, STATUS_CHECK);
	assert_int_equal(other, -1);
	error_clear(&err);
	vmlock_close(&lock); /* as if vmrun died: the file stays */
	open_lock();
	assert_true(lock.found);
	assert_true(vmlock_is_held(&lock));
	assert_true(vmlock_noted(&lock, &noted, &start));
	assert_int_equal(noted, pid);
	assert_int_equal(start, 42);
	(void)close(leash);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(vmlock_is_held(&lock));
	vmlock_close(&lock);
	assert_int_equal(access("vm", F_OK), -1);
}

/* Only "would block" means that a process has the lock. */
static void test_errors_of_flock(void **state)
{
	struct error err = { 0 };
	int fd, next;

	(void)state;
	open_lock();
	lock_error = EINTR;
	assert_int_equal(vmlock_take(&lock, &fd, &err), 0);
	(void)close(fd);
	next = fd;
	lock_error = ENOLCK;
	assert_int_equal(vmlock_take(&lock, &fd, &err), -1);
	assert_int_equal(fd, -1);
	assert_int_equal(err.status, STATUS_OS);
	assert_non_null(strstr(err.text, "vm: cannot lock: No locks available"));
	error_clear(&err);
	lock_error = EWOULDBLOCK;
	errors = 2; /* of the lock, and of a look at who has it */
	assert_int_equal(vmlock_take(&lock, &fd, &err), -1);
	assert_non_null(strstr(err.text, "still runs"));
	error_clear(&err);
	assert_int_equal(dup(0), next); /* no descriptor is left open */
	(void)close(next);
	vmlock_close(&lock);
}

/* A look changes nothing, and a start beside it does not take it for a hypervisor. */
static void test_look(void **state)
{
	struct vmlock look, other;
	struct error err = { 0 };
	int64_t start;
	pid_t noted;
	int fd;

	(void)state;
	assert_int_equal(vmlock_look(&look, ".", &err), 0);
	assert_false(vmlock_is_held(&look) || vmlock_noted(&look, &noted, &start));
	vmlock_forget(&look);
	assert_int_equal(vmlock_look(&look, "missing", &err), 0);
	vmlock_forget(&look);
	assert_int_equal(access("vm", F_OK), -1);
	open_lock();
	assert_int_equal(vmlock_look(&look, ".", &err), 0);
	assert_int_equal(vmlock_look(&other, ".", &err), 0);
	assert_false(vmlock_is_held(&look));
	/* As long as the call of another process that looks. */
	assert_int_equal(__real_flock(other.probe, LOCK_SH), 0);
	assert_false(vmlock_is_held(&look) || vmlock_is_held(&lock));
	assert_int_equal(__real_flock(other.probe, LOCK_UN), 0);
	vmlock_forget(&other);
	assert_int_equal(vmlock_take(&lock, &fd, &err), 0);
	vmlock_note(&lock, 4711, 42);
	assert_true(vmlock_is_held(&look));
	assert_true(vmlock_noted(&look, &noted, &start));
	assert_int_equal(noted, 4711);
	(void)close(fd);
	assert_false(vmlock_is_held(&look));
	vmlock_forget(&look);
	assert_int_equal(access("vm", F_OK), 0);
	vmlock_close(&lock);
}

/* After a cleaner of temporary files removed the file, the next boot creates it again. */
static void test_file_that_was_removed(void **state)
{
	struct error err = { 0 };
	int fd, leash;
	pid_t pid;

	(void)state;
	open_lock();
	assert_int_equal(unlink("vm"), 0);
	assert_int_equal(vmlock_take(&lock, &fd, &err), 0);
	pid = hold(fd, &leash);
	assert_true(vmlock_is_held(&lock));
	(void)close(leash);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(vmlock_is_held(&lock));
	vmlock_close(&lock);
}

/* The note has a fixed length, so that rewriting it needs no space. */
static void test_note_in_place(void **state)
{
	struct stat before, after;
	int64_t start;
	pid_t pid;

	(void)state;
	open_lock();
	assert_int_equal(stat("vm", &before), 0);
	vmlock_note(&lock, 1, 0);
	assert_true(vmlock_noted(&lock, &pid, &start));
	assert_int_equal(pid, 1);
	vmlock_note(&lock, INT32_MAX, INT64_MAX);
	assert_true(vmlock_noted(&lock, &pid, &start));
	assert_int_equal(pid, INT32_MAX);
	assert_int_equal(start, INT64_MAX);
	assert_int_equal(stat("vm", &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	vmlock_close(&lock);
}

/* A lock whose note cannot be written is not left behind, neither as a file nor as a descriptor. */
static void test_full_disk(void **state)
{
	struct rlimit old, none;
	struct error err = { 0 };
	int next = dup(0);

	(void)state;
	(void)close(next);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = old.rlim_max };
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	memset(&lock, 0, sizeof(lock));
	assert_int_equal(vmlock_open(&lock, ".", &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	(void)signal(SIGXFSZ, SIG_DFL);
	assert_string_equal(err.text, "./vm: cannot write: File too large");
	assert_int_equal(access("vm", F_OK), -1);
	assert_int_equal(dup(0), next);
	(void)close(next);
	error_clear(&err);
}

/* A program that has closed its standard input gets descriptor 0 for the lock. */
static void test_without_standard_input(void **state)
{
	struct error err = { 0 };
	int input = dup(STDIN_FILENO), fd, leash;
	pid_t pid;

	(void)state;
	open_lock();
	assert_int_equal(vmlock_take(&lock, &fd, &err), 0);
	pid = hold(fd, &leash);
	vmlock_close(&lock); /* as if vmrun died: the file stays */
	assert_int_equal(close(STDIN_FILENO), 0);
	errno = ENOENT; /* of an earlier call */
	open_lock();
	assert_true(vmlock_is_held(&lock));
	(void)close(leash);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	vmlock_close(&lock);
	assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
	(void)close(input);
}

/* A lock that cannot be compared with the probe is given back, also when it is descriptor 0. */
static void test_probe_that_is_lost(void **state)
{
	struct error err = { 0 };
	int input = dup(STDIN_FILENO), probe, fd;

	(void)state;
	open_lock();
	probe = dup(lock.probe);
	assert_int_equal(close(lock.probe), 0);
	assert_int_equal(close(STDIN_FILENO), 0);
	assert_int_equal(vmlock_take(&lock, &fd, &err), -1);
	assert_int_equal(fd, -1);
	assert_string_equal(err.text, "./vm: cannot open: Bad file descriptor");
	error_clear(&err);
	assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
	assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
	(void)close(input);
	lock.probe = probe;
	vmlock_close(&lock);
}

static void test_not_a_file(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(mkdir("vm", 0700), 0);
	memset(&lock, 0, sizeof(lock));
	assert_int_equal(vmlock_open(&lock, ".", &err), -1);
	assert_int_equal(err.status, STATUS_OS);
	error_clear(&err);
	vmlock_close(&lock);
	assert_int_equal(access("vm", F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_look, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_held_by_a_child, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_file_that_was_removed, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_errors_of_flock, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_note_in_place, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_full_disk, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_without_standard_input, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_probe_that_is_lost, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_not_a_file, scratch_enter, scratch_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
