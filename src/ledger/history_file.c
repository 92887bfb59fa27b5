/* The file of a VM's history. */
#include "ledger/history_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "ledger/rundir.h"
#include "ledger/statefile.h"
#include "platform/io.h"
#include "platform/os.h"

#define READ_BYTES 65536

static char *path_of(const char *directory, const char *name)
{
	return mem_format("%s/%s", directory, name);
}

static int fail(struct error *err, const char *what, const char *path)
{
	bool is_denied = errno == EACCES || errno == EPERM;
	/* EMLINK is FreeBSD's for a symbolic link. */
	bool is_other = errno == EINVAL || errno == ELOOP || errno == EMLINK;

	return error_set(err, is_denied ? STATUS_DENIED : STATUS_OS, "%s: cannot %s this file: %s",
	    path, what, is_other ? "expected a regular file" : strerror(errno));
}

/* Opens the file; a FIFO, a device or a symbolic link of that name is refused. */
static int open_file(const char *path, int flags, struct stat *st)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600), cause;

	if (fd < 0)
		return -1;
	cause = fstat(fd, st) != 0 ? errno : S_ISREG(st->st_mode) ? 0 : EINVAL;
	if (cause == 0)
		return fd;
	(void)close(fd);
	errno = cause;
	return -1;
}

/* --- reading --- */

/* Reads what is left of the file behind that byte. */
static int read_from(int fd, off_t at, char **text)
{
	struct str s = { 0 };
	int rc = lseek(fd, at, SEEK_SET) < 0 ? -1 : read_all(fd, MAX_HISTORY_BYTES, &s);

	char *zero = s.length == 0 ? NULL : memchr(s.text, '\0', s.length);

	/* A crash of the system may leave bytes that were never written. */
	while (zero != NULL) {
		*zero = ' ';
		zero = memchr(zero, '\0', (size_t)(s.text + s.length - zero));
	}
	*text = str_take(&s);
	/* A line may be added meanwhile. */
	return rc == 0 || errno == EFBIG ? 0 : -1;
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		lines++;
	return lines;
}

/* Removes the lines before the last ones. */
static void keep_last(char *text)
{
	const char *at = text;

	for (size_t lines = count_lines(text); lines > MAX_HISTORY_LINES; lines--)
		at = strchr(at, '\n') + 1;
	memmove(text, at, strlen(at) + 1);
}

int history_file_read(const char *directory, char **text, struct error *err)
{
	MEM_AUTO char *path = path_of(directory, HISTORY_FILE_NAME);
	struct stat st;
	int fd = open_file(path, O_RDONLY, &st), rc;
	off_t skip;

	*text = NULL;
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : fail(err, "read", path);
	skip = (size_t)st.st_size > MAX_HISTORY_BYTES ? st.st_size - (off_t)MAX_HISTORY_BYTES : 0;
	rc = read_from(fd, skip, text);
	if (rc != 0)
		rc = fail(err, "read", path);
	else if (*text != NULL)
		keep_last(*text);
	(void)close(fd);
	return rc;
}

/* --- the vmrun that runs --- */

/* Returns a number of a JSON object, or 0. */
static int64_t number_of(const char *json, const char *key)
{
	MEM_AUTO char *digits = json_member(json, key);

	return digits == NULL ? 0 : strtoll(digits, NULL, 10);
}

/* Gets the process that `running` names; sets *runs if that process is alive. */
static pid_t look_at_running(const char *directory, bool *runs)
{
	MEM_AUTO char *path = path_of(directory, HISTORY_FILE_RUNNING);
	MEM_AUTO char *text = NULL;
	MEM_AUTO char *boot = NULL;
	MEM_AUTO char *now = NULL;
	int64_t start;
	size_t length;
	pid_t pid;

	*runs = false;
	if (statefile_read(path, &text, &length, NULL) != 0 || text == NULL)
		return 0;
	pid = (pid_t)number_of(text, "pid");
	boot = json_member(text, "boot");
	now = os_boot_id();
	if (boot == NULL || *now == '\0' || strcmp(boot, now) == 0)
		*runs =
		    pid > 0 && os_process_start(pid, &start) && start == number_of(text, "start");
	return pid > 0 ? pid : 0;
}

pid_t history_file_death(const char *directory)
{
	bool runs;
	pid_t pid = look_at_running(directory, &runs);

	return runs ? 0 : pid;
}

static int write_running(const struct history_file *h, struct error *err)
{
	MEM_AUTO char *path = path_of(h->directory, HISTORY_FILE_RUNNING);
	MEM_AUTO char *boot = os_boot_id();
	STR_AUTO struct str json = { 0 };
	int64_t start = 0;

	(void)os_process_start(getpid(), &start);
	json_begin_object(&json, NULL);
	json_add_int(&json, "v", 1);
	json_add_int(&json, "pid", (int64_t)getpid());
	json_add_int(&json, "start", start);
	json_add_text(&json, "boot", boot);
	json_end_object(&json);
	str_add(&json, "\n");
	if (access(h->directory, F_OK) != 0 && statedir_make(h->directory, err) != 0)
		return -1;
	/* No fsync(): a vmrun that has just begun has little to tell. */
	return rundir_write(path, json.text, err);
}

int history_file_open(struct history_file *h, const char *directory, pid_t *died, struct error *err)
{
	bool runs;

	*died = 0;
	if (directory == NULL)
		return 0;
	h->directory = mem_copy(directory);
	*died = look_at_running(directory, &runs);
	/* Another run directory may have a VM of this name. */
	if (runs) {
		*died = 0;
		return 0;
	}
	h->is_marked = write_running(h, err) == 0;
	return h->is_marked ? 0 : -1;
}

/* --- writing --- */

/* Counts the lines, and looks whether the last one has its end. */
static int count(struct history_file *h, int fd)
{
	MEM_AUTO char *bytes = mem_zero(READ_BYTES);
	char last = '\n';
	ssize_t n;

	h->lines = 0;
	while ((n = read(fd, bytes, READ_BYTES)) > 0) {
		const char *end = bytes + n;

		for (const char *p = bytes; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
			h->lines++;
		last = end[-1];
	}
	h->is_torn = last != '\n';
	h->is_counted = n == 0;
	return n == 0 ? 0 : -1;
}

/* Adds a line in one write; what was written of a line that does not fit is removed. */
static int append(struct history_file *h, int fd, const char *line)
{
	MEM_AUTO char *bytes = mem_format("%s%s\n", h->is_torn ? "\n" : "", line);
	size_t n = strlen(bytes);
	struct stat before;
	int error;

	if (fstat(fd, &before) != 0)
		return -1;
	if (write_all(fd, bytes, n) == n) {
		h->lines += h->is_torn ? 2 : 1;
		h->is_torn = false;
		return 0;
	}
	error = errno;
	h->is_torn = ftruncate(fd, before.st_size) != 0;
	errno = error;
	return -1;
}

/* Replaces the file by its last lines. */
static int trim(struct history_file *h, struct error *err)
{
	MEM_AUTO char *text = NULL;

	if (history_file_read(h->directory, &text, err) != 0 || text == NULL)
		return -1;
	h->lines = count_lines(text);
	return statefile_write(h->directory, HISTORY_FILE_NAME, text, strlen(text), err);
}

/* Opens the file to add a line, and makes it if it is missing. */
static int open_to_add(const struct history_file *h, const char *path, struct error *err)
{
	struct stat st;
	int fd = open_file(path, O_RDWR | O_CREAT | O_APPEND, &st);

	if (fd < 0 && errno == ENOENT) {
		if (statedir_make(h->directory, err) != 0)
			return -1;
		fd = open_file(path, O_RDWR | O_CREAT | O_APPEND, &st);
	}
	if (fd < 0)
		(void)fail(err, "write", path);
	return fd;
}

int history_file_add(struct history_file *h, const char *line, struct error *err)
{
	MEM_AUTO char *path = NULL;
	int fd, rc;

	if (h->directory == NULL)
		return 0;
	path = path_of(h->directory, HISTORY_FILE_NAME);
	fd = open_to_add(h, path, err);
	if (fd < 0)
		return -1;
	rc = (h->is_counted || count(h, fd) == 0) && append(h, fd, line) == 0 ? 0 : -1;
	if (rc != 0)
		rc = fail(err, "write", path);
	(void)close(fd);
	if (rc == 0 && h->lines > MAX_HISTORY_LINES + MAX_HISTORY_SPARE)
		rc = trim(h, err);
	return rc;
}

int history_file_close(struct history_file *h)
{
	int rc = 0, error = 0;

	/* If this fails, the file is only longer than it might be. */
	if (h->is_counted && h->lines > MAX_HISTORY_LINES)
		(void)trim(h, NULL);
	if (h->is_marked) {
		MEM_AUTO char *path = path_of(h->directory, HISTORY_FILE_RUNNING);

		rc = unlink(path) == 0 || errno == ENOENT ? 0 : -1;
		error = errno;
		if (rc != 0)
			(void)!truncate(path, 0);
	}
	free(h->directory);
	memset(h, 0, sizeof(*h));
	errno = error;
	return rc;
}
