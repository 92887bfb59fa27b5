/* The runtime directory of a VM, and its lock. */
#include "ledger/rundir.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../platform/scratch.h"
#include "base/mem.h"
#include "hyper/hyper.h"

static long simulated_user = -1; /* -1: the real one */

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);

uid_t __wrap_geteuid(void)
{
	return simulated_user < 0 ? __real_geteuid() : (uid_t)simulated_user;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Returns the mode of the VM's directory. */
static mode_t our_mode(void)
{
	return geteuid() == 0 ? 0755 : 0700;
}

static void refused(const char *run_dir, enum status status, const char *text)
{
	struct rundir r = { 0 };
	struct error err = { 0 };

	assert_int_equal(rundir_open(&r, run_dir, "vm", &err), -1);
	assert_int_equal(err.status, status);
	if (strstr(err.text, text) == NULL)
		fail_msg("no \"%s\" in \"%s\"", text, err.text);
	assert_null(r.directory);
	rundir_close(&r); /* does nothing */
	error_clear(&err);
}

/* The same, and a look says the same. */
static void refused_and_seen(const char *run_dir, enum status status, const char *text)
{
	struct error err = { 0 };

	assert_int_equal(rundir_check(run_dir, "vm", &err), -1);
	assert_int_equal(err.status, status);
	refused(run_dir, status, err.text);
	if (strstr(err.text, text) == NULL)
		fail_msg("no \"%s\" in \"%s\"", text, err.text);
	error_clear(&err);
}

static void test_life(void **state)
{
	struct rundir r = { 0 };
	struct error err = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(rundir_open(&r, "run", "vm", &err), 0);
	assert_string_equal(r.directory, "run/vm");
	assert_int_equal(stat("run/vm", &st), 0);
	assert_int_equal(st.st_mode & 0777, our_mode());
	assert_int_equal(pidfile_read("run/vm/lock"), getpid());
	assert_int_equal(rundir_write("run/vm/" PLAN_FILE_SECRET, "sesame\n", &err), 0);
	assert_int_equal(rundir_write("run/vm/" PLAN_FILE_SECRET, "open\n", &err), 0);
	assert_int_equal(stat("run/vm/" PLAN_FILE_SECRET, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 5);
	rundir_close(&r);
	assert_false(is_there("run/vm"));
	assert_true(is_there("run")); /* for other VMs */
	rundir_close(&r);
}

/* When only a part of the file is written, the reason is that of the failed write. */
static void test_no_room(void **state)
{
	struct rlimit old, small;
	struct error err = { 0 };
	int rc;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ .rlim_cur = 4, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	errno = 0;
	rc = rundir_write("file", "more than four bytes\n", &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(rc, -1);
	assert_int_equal(err.status, STATUS_OS);
	assert_string_equal(err.text, "file: cannot write: File too large");
	error_clear(&err);
}

/* vmrun does not remove files of other programs. */
static void test_strangers_file(void **state)
{
	struct rundir r = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(rundir_open(&r, "run", "vm", &err), 0);
	scratch_write("run/vm/theirs", "x", 0644);
	rundir_close(&r);
	assert_true(is_there("run/vm/theirs"));
	assert_false(is_there("run/vm/lock"));
	assert_int_equal(rundir_open(&r, "run", "vm", &err), 0);
	rundir_close(&r);
}

static void default_is(const char *expected)
{
	MEM_AUTO char *path = rundir_default();

	assert_string_equal(path, expected);
}

static void test_default(void **state)
{
	(void)state;
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "/some/dir", 1), 0);
	simulated_user = 0;
	default_is("/var/run/vmrun");
	simulated_user = 1234;
	default_is("/some/dir/vmrun");
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "relative", 1), 0);
	default_is("/tmp/vmrun-1234");
	assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
	default_is("/tmp/vmrun-1234");
	simulated_user = -1;
}

static void test_what_is_no_directory_of_ours(void **state)
{
	struct rundir r = { 0 };
	struct error err = { 0 };

	(void)state;
	scratch_write("file", "x", 0644);
	refused_and_seen(
	    "file", STATUS_OS, "file: not a directory: move it away, or choose another");
	assert_int_equal(symlink("elsewhere", "link"), 0);
	refused_and_seen("link", STATUS_OS, "link: a symbolic link, which could lead elsewhere");
	refused_and_seen(
	    "no/such/run", STATUS_OS, "no/such/run: cannot make this directory: No such file");
	assert_int_equal(mkdir("open", 0700), 0);
	assert_int_equal(chmod("open", 0777), 0);
	refused_and_seen("open", STATUS_OS, "open: its mode 0777 is open to others, expected 0");
	assert_int_equal(chmod("open", 01777), 0);
	refused_and_seen("open", STATUS_OS,
	    "open: a directory for the files of all users: name one of its own with --run-dir, "
	    "such as open/vmrun");
	assert_int_equal(
	    chmod("open", 01000 | our_mode()), 0); /* against a clean-up of old files */
	assert_int_equal(rundir_open(&r, "open", "vm", &err), 0);
	(void)rundir_close(&r);
	assert_false(is_there("open/vm"));
	assert_int_equal(mkdir("run", our_mode()), 0);
	assert_int_equal(mkdir("run/vm", 0700), 0);
	assert_int_equal(chmod("run/vm", 0770), 0);
	refused_and_seen("run", STATUS_OS, "run/vm: its mode 0770 is open to others");
	assert_int_equal(chmod("run/vm", 02700), 0); /* as in a directory with that bit */
	assert_int_equal(rundir_open(&r, "run", "vm", &err), 0);
	rundir_close(&r);
}

static void test_of_somebody_else(void **state)
{
	(void)state;
	if (geteuid() == 0) {
		assert_int_equal(mkdir("theirs", 0755), 0);
		assert_int_equal(chown("theirs", 12345, (gid_t)-1), 0);
		refused_and_seen(
		    "theirs", STATUS_OS, "theirs: belongs to user 12345, not to the user");
	} else {
		refused_and_seen("/", STATUS_OS,
		    "/: belongs to user 0, not to the user of this vmrun: choose another");
	}
}

/* The lock refuses a second vmrun in this process, and in another one until it is killed. */
static void test_lock(void **state)
{
	struct rundir r = { 0 }, other = { 0 };
	struct error err = { 0 };
	MEM_AUTO char *busy = mem_format("vm: already running as pid %ld", (long)getpid());
	int ready[2], status;
	pid_t child;
	char byte;

	(void)state;
	assert_int_equal(rundir_open(&r, "run", "vm", &err), 0);
	refused_and_seen("run", STATUS_BUSY, busy);
	assert_int_equal(rundir_open(&other, "run", "vm2", &err), 0); /* it has another lock */
	rundir_close(&other);
	assert_true(is_there("run/vm/lock"));
	rundir_close(&r);
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)!write(ready[1], rundir_open(&r, "run", "vm", &err) == 0 ? "y" : "n", 1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	refused_and_seen("run", STATUS_BUSY, "vm: already running as pid ");
	(void)kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(is_there("run/vm/lock")); /* taken over */
	assert_int_equal(rundir_open(&r, "run", "vm", &err), 0);
	rundir_close(&r);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

/* Many processes that start and end do not miss the directory between two steps. */
static void test_race(void **state)
{
	enum { CHILDREN = 4, ROUNDS = 200 };
	pid_t child[CHILDREN];

	(void)state;
	for (int i = 0; i < CHILDREN; i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		for (int k = 0; child[i] == 0 && k < ROUNDS; k++) {
			struct rundir r = { 0 };
			struct error err = { 0 };

			if (rundir_open(&r, "run", "vm", &err) != 0 && err.status != STATUS_BUSY)
				_exit(1);
			error_clear(&err);
			rundir_close(&r);
		}
		if (child[i] == 0)
			_exit(0);
	}
	for (int i = 0; i < CHILDREN; i++) {
		int status;

		assert_int_equal(waitpid(child[i], &status, 0), child[i]);
		assert_int_equal(status, 0);
	}
	assert_false(is_there("run/vm"));
}

static int removals; /* how often the VM's directory is removed right after its creation */

static bool is_simulated = true; /* the time */
static int64_t simulated_ms;
static int held = -1; /* a descriptor with the lock, */
static int sleeps;    /* closed after this number of waits */

/* The linker sets these names. */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
int64_t __real_clock_ms(void);
int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_ms(void)
{
	return is_simulated ? simulated_ms : __real_clock_ms();
}

void __real_clock_sleep(int64_t ms);
void __wrap_clock_sleep(int64_t ms);
void __wrap_clock_sleep(int64_t ms)
{
	if (!is_simulated) {
		__real_clock_sleep(ms);
		return;
	}
	simulated_ms += ms;
	if (held >= 0 && --sleeps == 0) {
		(void)close(held);
		held = -1;
	}
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
	int rc = __real_mkdir(path, mode);

	if (rc == 0 && removals > 0 && strcmp(path, "run/vm") == 0) {
		removals--;
		(void)rmdir(path);
	}
	return rc;
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);

static bool is_read_only; /* the file system */

int __wrap_unlink(const char *path)
{
	if (!is_read_only)
		return __real_unlink(path);
	errno = EROFS;
	return -1;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* When other processes remove the directory, vmrun tries 100 times to lock it. */
static void test_directory_that_vanishes(void **state)
{
	struct rundir r = { 0 };
	struct error err = { 0 };

	(void)state;
	removals = 99;
	assert_int_equal(rundir_open(&r, "run", "vm", &err), 0);
	rundir_close(&r);
	removals = 100;
	refused("run", STATUS_OS, "run/vm: No such file or directory");
	assert_int_equal(removals, 0);
}

static void hold_lock(const char *text)
{
	(void)mkdir("run", our_mode());
	(void)mkdir("run/vm", our_mode());
	scratch_write("run/vm/lock", text, 0644);
	held = open("run/vm/lock", O_RDWR);
	assert_int_equal(flock(held, LOCK_EX), 0);
}

/* Holds the lock of a dead process, as its child does that has not executed its program yet. */
static void hold_dead_lock(pid_t pid)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%ld\n", (long)pid);
	hold_lock(text);
}

static pid_t dead_pid(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static void test_lock_of_the_dead(void **state)
{
	struct rundir r = { 0 };
	struct error err = { 0 };

	(void)state;
	hold_dead_lock(dead_pid());
	sleeps = 3;
	assert_int_equal(rundir_open(&r, "run", "vm", &err), 0);
	rundir_close(&r);
	assert_int_equal(simulated_ms, 15);
}

static void test_lock_that_stays(void **state)
{
	(void)state;
	simulated_ms = 0;
	hold_dead_lock(dead_pid());
	sleeps = INT32_MAX;
	refused("run", STATUS_BUSY, "vm: already running as pid ");
	assert_int_equal(simulated_ms, 1000);
	(void)close(held);
	simulated_ms = 0;
	hold_dead_lock(getppid()); /* a process that lives is not waited for */
	refused("run", STATUS_BUSY, "vm: already running as pid ");
	assert_int_equal(simulated_ms, 0);
	(void)close(held);
	held = -1;
}

/* A vmrun that has the lock but has not written its pid yet is not taken for a dead one. */
static void test_lock_without_a_pid(void **state)
{
	(void)state;
	simulated_ms = 0;
	hold_lock("");
	refused_and_seen("run", STATUS_BUSY, "run/vm/lock: locked by a running process");
	assert_int_equal(simulated_ms, 0);
	(void)close(held);
	held = -1;
}

/* A look makes nothing, and waits as a start does for the child of a dead vmrun. */
static void test_look(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(rundir_check("run", "vm", &err), 0);
	assert_int_equal(rundir_check("run//", "vm", &err), 0);
	assert_false(is_there("run"));
	assert_int_equal(mkdir("run", our_mode()), 0);
	assert_int_equal(rundir_check("run", "vm", &err), 0);
	assert_false(is_there("run/vm"));
	assert_int_equal(mkdir("run/vm", our_mode()), 0);
	assert_int_equal(rundir_check("run", "vm", &err), 0);
	assert_false(is_there("run/vm/lock"));
	simulated_ms = 0;
	hold_dead_lock(dead_pid());
	sleeps = 3;
	assert_int_equal(rundir_check("run", "vm", &err), 0);
	assert_int_equal(simulated_ms, 15);
	assert_true(is_there("run/vm/lock"));
}

/* A process that looks all the time lets each start succeed. */
static void test_looks_beside_starts(void **state)
{
	struct rundir r = { 0 };
	struct error err = { 0 };
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	is_simulated = false;
	while (child == 0) {
		(void)rundir_check("run", "vm", &err);
		error_clear(&err);
		if (getppid() == 1)
			_exit(1);
	}
	for (int i = 0; i < 200; i++) {
		if (rundir_open(&r, "run", "vm", &err) != 0) {
			(void)kill(child, SIGKILL);
			fail_msg("%s", err.text);
		}
		rundir_close(&r);
	}
	is_simulated = true;
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* A file that stays is named with the reason, also where a new one is to replace it. */
static void test_file_that_stays(void **state)
{
	struct rundir r = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(rundir_open(&r, "run", "vm", &err), 0);
	assert_int_equal(rundir_clear("run/vm", &err), 0);
	assert_int_equal(rundir_write("run/vm/" PLAN_FILE_SECRET, "sesame\n", &err), 0);
	is_read_only = true;
	assert_int_equal(rundir_write("run/vm/" PLAN_FILE_SECRET, "open\n", &err), -1);
	assert_string_equal(
	    err.text, "run/vm/" PLAN_FILE_SECRET ": cannot write: Read-only file system");
	error_clear(&err);
	assert_int_equal(rundir_clear("run/vm", &err), -1);
	assert_int_equal(err.status, STATUS_OS);
	assert_string_equal(
	    err.text, "run/vm/" PLAN_FILE_SECRET " is left behind: Read-only file system");
	error_clear(&err);
	is_read_only = false;
	assert_int_equal(rundir_clear("run/vm", &err), 0);
	assert_false(is_there("run/vm/" PLAN_FILE_SECRET));
	rundir_close(&r);
}

static void is_state_directory(const char *home, const char *wanted)
{
	MEM_AUTO char *got = NULL;

	if (home == NULL)
		assert_int_equal(unsetenv("HOME"), 0);
	else
		assert_int_equal(setenv("HOME", home, 1), 0);
	got = statedir_default();
	assert_string_equal(got, wanted);
}

/* A service manager may start vmrun without HOME; the password database knows it. */
static void test_state_directory(void **state)
{
	const char *home = getenv("HOME"), *given = getenv("XDG_STATE_HOME");
	MEM_AUTO char *old = home == NULL ? NULL : mem_copy(home);
	MEM_AUTO char *old_state = given == NULL ? NULL : mem_copy(given);
	const struct passwd *user;

	(void)state;
	(void)unsetenv("XDG_STATE_HOME");
	simulated_user = 0;
	is_state_directory("/home/me", "/var/db/vmrun");
	simulated_user = 1; /* daemon, on FreeBSD and Linux */
	user = getpwuid(1);
	is_state_directory("/home/me", "/home/me/.local/state/vmrun");
	if (user != NULL) {
		MEM_AUTO char *wanted = mem_format("%s/.local/state/vmrun", user->pw_dir);

		is_state_directory(NULL, wanted);
		is_state_directory("", wanted);
		is_state_directory("me", wanted);
	}
	simulated_user = INT32_MAX - 1; /* nobody's */
	is_state_directory(NULL, "/.local/state/vmrun");
	assert_int_equal(setenv("XDG_STATE_HOME", "/state", 1), 0);
	is_state_directory(NULL, "/state/vmrun");
	simulated_user = -1;
	(void)unsetenv("XDG_STATE_HOME");
	if (old_state != NULL)
		assert_int_equal(setenv("XDG_STATE_HOME", old_state, 1), 0);
	if (old != NULL)
		assert_int_equal(setenv("HOME", old, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_file_that_stays, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_no_room, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_strangers_file, scratch_enter, scratch_leave),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_state_directory),
		cmocka_unit_test_setup_teardown(
		    test_what_is_no_directory_of_ours, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_of_somebody_else, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_lock, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_race, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_lock_of_the_dead, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_directory_that_vanishes, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_lock_that_stays, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_lock_without_a_pid, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_look, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_looks_beside_starts, scratch_enter, scratch_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
