/* The run directory of a VM, and the state directory. */
#include "ledger/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "hyper/hyper.h"
#include "platform/clock.h"
#include "platform/filelock.h"
#include "platform/io.h"
#include "platform/os.h"
#include "platform/socket.h"

#define STICKY 01000	      /* S_ISVTX, which sys/stat.h has with XSI only */
#define MAX_DEAD_LOCK_MS 1000 /* for a child of a dead vmrun to close the lock */
#define DEAD_LOCK_LOOK_MS 5
#define MAX_RUNDIR_TRIES 100 /* to lock a directory that other processes remove */

char *rundir_default(void)
{
	const char *session = getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0)
		return mem_copy("/var/run/vmrun");
	if (session != NULL && *session == '/')
		return mem_format("%s/vmrun", session);
	return mem_format("/tmp/vmrun-%ld", (long)geteuid());
}

char *statedir_default(void)
{
	const char *state = getenv("XDG_STATE_HOME");
	MEM_AUTO char *home = NULL;

	if (geteuid() == 0)
		return mem_copy("/var/db/vmrun");
	if (state != NULL && *state == '/')
		return mem_format("%s/vmrun", state);
	home = os_home();
	return mem_format("%s/.local/state/vmrun", home);
}

int statedir_make(const char *path, struct error *err)
{
	MEM_AUTO char *copy = mem_copy(path);

	for (char *p = copy + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(copy, 0700) != 0 && errno != EEXIST)
			return error_set(err, STATUS_OS, "%s: cannot make this directory: %s", copy,
			    strerror(errno));
		*p = c;
		if (c == '\0')
			return 0;
	}
}

/* Refuses a directory where another user could plant files. */
static int check_directory(const char *path, struct error *err)
{
	bool root = geteuid() == 0;
	mode_t wanted = root ? 0755 : 0700;
	struct stat st;

	if (lstat(path, &st) != 0)
		return error_set(err, STATUS_OS, "%s: %s", path, strerror(errno));
	if (S_ISLNK(st.st_mode))
		return error_set(err, STATUS_OS,
		    "%s: a symbolic link, which could lead elsewhere while the VM runs: name the "
		    "directory itself with --run-dir, or remove the link",
		    path);
	if (!S_ISDIR(st.st_mode))
		return error_set(err, STATUS_OS,
		    "%s: not a directory: move it away, or choose another with --run-dir", path);
	if (st.st_uid != geteuid())
		return error_set(err, STATUS_OS,
		    "%s: belongs to user %ld, not to the user of this vmrun: choose another with "
		    "--run-dir",
		    path, (long)st.st_uid);
	if ((st.st_mode & STICKY) != 0 && (st.st_mode & 0777 & ~wanted) != 0)
		return error_set(err, STATUS_OS,
		    "%s: a directory for the files of all users: name one of its own with "
		    "--run-dir, such as %s/vmrun",
		    path, path);
	if ((st.st_mode & 0777 & ~wanted) != 0)
		return error_set(err, STATUS_OS,
		    "%s: its mode %04o is open to others, expected %04o: chmod %o %s", path,
		    (unsigned)(st.st_mode & 0777), (unsigned)wanted, (unsigned)wanted, path);
	return 0;
}

static int refuse_to_make(const char *path, struct error *err)
{
	return error_set(err, STATUS_OS,
	    "%s: cannot make this directory: %s (--run-dir chooses another)", path,
	    strerror(errno));
}

static int make_directory(const char *path, struct error *err)
{
	if (mkdir(path, geteuid() == 0 ? 0755 : 0700) != 0 && errno != EEXIST)
		return refuse_to_make(path, err);
	return check_directory(path, err);
}

/*
 * Looks whether make_directory() would succeed.  Returns 0 if the directory exists, 1 if it could
 * be made, or -1.
 */
static int look_at_directory(const char *path, struct error *err)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return check_directory(path, err);
	return errno == ENOENT && io_can_create(path) ? 1 : refuse_to_make(path, err);
}

/*
 * Returns whether the process that wrote its pid there is dead.  Then one of its children, forked
 * but not yet executing its program when vmrun was killed, has the lock, and closes it soon.
 */
static bool is_left_by_dead(const struct error *why, const char *path, long *pid)
{
	int64_t start;

	*pid = why->status == STATUS_BUSY ? (long)pidfile_read(path) : 0;
	return *pid > 0 && !os_process_start((pid_t)*pid, &start);
}

static int say_running(const char *name, long pid, struct error *err)
{
	return error_set(err, STATUS_BUSY, "%s: already running as pid %ld", name, pid);
}

/* Takes the lock, or only looks whether it could (NULL). */
static int take_lock(
    struct pidfile *lock, const char *directory, const char *name, struct error *err)
{
	MEM_AUTO char *path = mem_format("%s/lock", directory);
	int64_t until_ms = clock_ms() + MAX_DEAD_LOCK_MS;
	ERROR_AUTO struct error why = { 0 };
	long pid = 0;

	while ((lock == NULL ? pidfile_check(path, &why) : pidfile_open(lock, path, &why)) != 0) {
		if (!is_left_by_dead(&why, path, &pid) || clock_ms() >= until_ms)
			break;
		error_clear(&why);
		clock_sleep(DEAD_LOCK_LOOK_MS);
	}
	if (why.text == NULL) {
		/* The pid is only for the message of a second vmrun: a failure does not matter. */
		if (lock != NULL)
			(void)pidfile_write(lock, getpid(), NULL);
		return 0;
	}
	if (pid > 0)
		return say_running(name, pid, err);
	return error_set(err, why.status, "%s", why.text);
}

/*
 * Makes the directory and takes the lock, or only looks whether it could (NULL).  A vmrun of this
 * name that ends may remove the directory between the two steps, so only what fails again and
 * again is an error.
 */
static int make_and_lock(
    struct pidfile *lock, const char *directory, const char *name, struct error *err)
{
	for (int tries = 1;; tries++) {
		ERROR_AUTO struct error why = { 0 };
		int rc = lock == NULL ? look_at_directory(directory, &why)
				      : make_directory(directory, &why);

		if (rc == 0)
			rc = take_lock(lock, directory, name, &why);
		if (rc >= 0)
			return 0;
		if (why.status != STATUS_OS || tries == MAX_RUNDIR_TRIES)
			return error_set(err, why.status, "%s", why.text);
	}
}

int rundir_open(struct rundir *r, const char *run_dir, const char *name, struct error *err)
{
	if (make_directory(run_dir, err) != 0)
		return -1;
	r->directory = mem_format("%s/%s", run_dir, name);
	if (make_and_lock(&r->lock, r->directory, name, err) == 0)
		return 0;
	free(r->directory);
	r->directory = NULL;
	return -1;
}

int rundir_check(const char *run_dir, const char *name, struct error *err)
{
	MEM_AUTO char *directory = mem_format("%s/%s", run_dir, name);
	int rc = look_at_directory(run_dir, err);

	if (rc == 0)
		rc = make_and_lock(NULL, directory, name, err);
	return rc < 0 ? -1 : 0;
}

int rundir_write(const char *path, const char *text, struct error *err)
{
	size_t n = strlen(text);
	int fd = -1, rc = 0;

	if (unlink(path) == 0 || errno == ENOENT)
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write_all(fd, text, n) != n)
		rc = error_set(err, STATUS_OS, "%s: cannot write: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	if (fd >= 0 && rc != 0)
		(void)unlink(path);
	return rc;
}

/* Removes a stale control socket; a file or a live socket of that name is another program's. */
static void remove_control(const struct rundir *r)
{
	MEM_AUTO char *path = mem_format("%s/%s", r->directory, RUNDIR_CONTROL);

	if (socket_probe(path) == SOCKET_STALE)
		(void)unlink(path);
}

int rundir_clear(const char *directory, struct error *err)
{
	static const char *const names[] = { PLAN_FILE_SECRET, PLAN_FILE_MAP, PLAN_FILE_INPUT,
		RUNDIR_LEDGER_NEW };
	int rc = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		MEM_AUTO char *path = mem_format("%s/%s", directory, names[i]);

		if (unlink(path) != 0 && errno != ENOENT && rc == 0)
			rc = error_set(
			    err, STATUS_OS, "%s is left behind: %s", path, strerror(errno));
	}
	return rc;
}

void rundir_close(struct rundir *r)
{
	if (r->directory == NULL)
		return;
	remove_control(r);
	(void)rundir_clear(r->directory, NULL);
	(void)pidfile_close(&r->lock);
	(void)rmdir(r->directory);
	free(r->directory);
	memset(r, 0, sizeof(*r));
}
