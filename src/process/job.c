/* Runs one program. */
#include "process/job.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/words.h"
#include "platform/clock.h"
#include "platform/socket.h"

#define READ_SIZE 16384
#define MAX_CHANGE_MS 10000 /* for a command that changes the host and cannot be watched */
/* Reads of a stream after the end: 1 MiB, more than a pipe holds by default. */
#define MAX_LAST_READS 64
#define MAX_JOB_FDS (MAX_JOB_GIVEN + MAX_JOB_STREAMS * MAX_JOB_NUMBERS)

void job_setup_give(struct job_setup *setup, int ours, int theirs)
{
	assert(setup->given_count < MAX_JOB_GIVEN);
	setup->given[setup->given_count++] = (struct spawn_fd){ ours, theirs };
}

static void close_stream(struct job *j, struct job_stream *s)
{
	if (!s->is_open)
		return;
	waitset_forget_fd(j->wait, s->fd);
	(void)close(s->fd);
	s->is_open = false;
}

/* Makes a stream and watches vmrun's end; *theirs is the program's end. */
static int open_stream(
    struct job *j, const struct job_setup *setup, size_t i, int *theirs, struct error *err)
{
	struct job_stream *s = &j->stream[i];
	int rc;

	if (setup->stream[i].kind == JOB_NONE)
		return 0;
	if (setup->stream[i].kind == JOB_SOCKET)
		rc = socket_pair(&s->fd, theirs, err);
	else
		rc = socket_pipe(&s->fd, theirs, err);
	if (rc != 0)
		return -1;
	s->is_open = true;
	return waitset_watch_fd(j->wait, s->fd, setup->first_tag + i, err);
}

static int open_streams(
    struct job *j, const struct job_setup *setup, int theirs[MAX_JOB_STREAMS], struct error *err)
{
	for (size_t i = 0; i < MAX_JOB_STREAMS; i++)
		theirs[i] = -1;
	for (size_t i = 0; i < MAX_JOB_STREAMS; i++) {
		if (open_stream(j, setup, i, &theirs[i], err) != 0)
			return -1;
	}
	return 0;
}

/* Returns an absolute path of a file below the directory.  Caller frees. */
static char *path_below(const char *directory, const char *path)
{
	if (*path == '/')
		return mem_copy(path);
	return mem_format("%s/%s", directory, strncmp(path, "./", 2) == 0 ? path + 2 : path);
}

/*
 * Finds the program as it is seen in its directory: PATH may have relative directories, but they
 * are vmrun's.  Caller frees; NULL: not found.
 */
static char *find_program(const struct job_setup *setup, struct error *err)
{
	const char *name = setup->argv[0];
	bool is_path = strchr(name, '/') != NULL;
	char cwd[PATH_MAX];

	if (setup->directory == NULL)
		return program_find(name, err);
	if (is_path) {
		MEM_AUTO char *there = path_below(setup->directory, name);

		return program_find(there, err);
	}
	MEM_AUTO char *found = program_find(name, err);

	if (found == NULL || getcwd(cwd, sizeof(cwd)) == NULL)
		return found == NULL ? NULL : mem_copy(found);
	return path_below(cwd, found);
}

static int spawn_program(struct job *j, const struct job_setup *setup, const char *path,
    const int theirs[MAX_JOB_STREAMS], struct error *err)
{
	struct spawn_fd fds[MAX_JOB_FDS];
	WORDS_AUTO struct words environment = { 0 };
	char *none = NULL;
	struct spawn spawn = { .argv = setup->argv,
		.directory = setup->directory,
		.path = path,
		.fds = fds,
		.own_group = j->has_group,
		.ignore_terminal_signals = setup->reads_terminal,
		.death_signal = setup->death_signal,
		.lock_file = setup->lock_file,
		.changed_signals = setup->changed_signals };

	if (setup->environment != NULL) {
		spawn_environment(setup->environment, &environment);
		spawn.environment = environment.item == NULL ? &none : environment.item;
	}
	for (size_t i = 0; i < setup->given_count; i++)
		fds[spawn.fd_count++] = setup->given[i];
	for (size_t i = 0; i < MAX_JOB_STREAMS; i++) {
		for (size_t k = 0; theirs[i] >= 0 && k < MAX_JOB_NUMBERS; k++) {
			if (setup->stream[i].numbers[k] > 0)
				fds[spawn.fd_count++] =
				    (struct spawn_fd){ theirs[i], setup->stream[i].numbers[k] };
		}
	}
	return spawn_process(&spawn, &j->pid, err);
}

/* Copies the setup into a job without a process or a descriptor. */
static void prepare(struct job *j, const struct job_setup *setup)
{
	assert(j->pid == 0);
	job_free(j);
	j->wait = setup->wait;
	j->hear = setup->hear;
	j->hear_context = setup->hear_context;
	j->has_group = !setup->reads_terminal;
	for (size_t i = 0; i < MAX_JOB_STREAMS; i++) {
		j->stream[i].keep = setup->stream[i].keep;
		j->stream[i].max = setup->stream[i].max;
	}
}

/* Ends a process that cannot be watched; one that changes the host may complete that. */
static void end_unwatched(struct job *j, const struct job_setup *setup)
{
	bool ran = j->pid != 0;

	if (ran && setup->lock_file != NULL)
		job_let_end(j, MAX_CHANGE_MS);
	job_free(j);
	j->ran = ran;
}

int job_start(struct job *j, const struct job_setup *setup, struct error *err)
{
	MEM_AUTO char *path = find_program(setup, err);
	int theirs[MAX_JOB_STREAMS], rc;

	prepare(j, setup);
	if (path == NULL)
		return -1;
	rc = open_streams(j, setup, theirs, err);
	if (rc == 0)
		rc = spawn_program(j, setup, path, theirs, err);
	/* A stream ends only when vmrun has closed the program's end, too. */
	for (size_t i = 0; i < MAX_JOB_STREAMS; i++) {
		if (theirs[i] >= 0)
			(void)close(theirs[i]);
	}
	if (rc == 0)
		rc = waitset_watch_child(j->wait, j->pid, setup->end_tag(j->pid), err);
	if (rc != 0)
		end_unwatched(j, setup);
	return rc;
}

static void keep_beginning(struct job_stream *s, const char *bytes, size_t n)
{
	size_t room = s->max - s->text.length;

	if (n > room)
		s->overflowed = true;
	str_add_n(&s->text, bytes, n > room ? room : n);
}

static void keep_end(struct job_stream *s, const char *bytes, size_t n)
{
	struct str *text = &s->text;

	str_add_n(text, bytes, n);
	if (text->length <= s->max)
		return;
	memmove(text->text, text->text + text->length - s->max, s->max + 1);
	text->length = s->max;
}

/* Reads a stream once.  Returns false if there is nothing to read now, or the stream is closed. */
static bool read_once(struct job *j, size_t stream)
{
	struct job_stream *s = &j->stream[stream];
	char bytes[READ_SIZE];
	ssize_t n;

	if (!s->is_open)
		return false;
	n = read(s->fd, bytes, sizeof(bytes));
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		s->error = n < 0 ? errno : 0;
		close_stream(j, s);
	}
	if (n <= 0)
		return false;
	if (s->keep == JOB_KEEP_BEGINNING)
		keep_beginning(s, bytes, (size_t)n);
	else if (s->keep == JOB_KEEP_END)
		keep_end(s, bytes, (size_t)n);
	if (j->hear != NULL)
		j->hear(j->hear_context, stream, bytes, (size_t)n);
	return true;
}

void job_read(struct job *j, size_t stream)
{
	(void)read_once(j, stream);
}

bool job_overflowed(const struct job *j, size_t stream)
{
	return j->stream[stream].overflowed;
}

int job_read_error(const struct job *j, size_t stream)
{
	return j->stream[stream].error;
}

void job_write(const struct job *j, size_t stream, const char *text)
{
	if (j->stream[stream].is_open)
		(void)!send(j->stream[stream].fd, text, strlen(text), MSG_NOSIGNAL);
}

void job_signal(const struct job *j, int signal)
{
	if (j->pid > 0)
		(void)kill(j->pid, signal);
}

void job_signal_all(const struct job *j, int signal)
{
	if (j->pid <= 0)
		return;
	if (j->has_group)
		(void)kill(-j->pid, signal);
	/* The process may have gone to another group. */
	if (!j->has_group || getpgid(j->pid) != j->pid)
		job_signal(j, signal);
}

void job_signal_group(const struct job *j, pid_t group, int signal)
{
	if (j->pid > 0)
		job_signal_all(j, signal);
	else if (process_group_remains(group))
		(void)kill(-group, signal);
}

void job_let_end(const struct job *j, int ms)
{
	for (; j->pid != 0 && ms > 0 && !process_has_ended(j->pid); ms--)
		clock_sleep(1);
}

void job_kill(const struct job *j)
{
	job_signal_all(j, SIGKILL);
}

int job_finish(struct job *j, struct process_end *end, struct error *err)
{
	int rc;

	*end = (struct process_end){ -1, 0 };
	rc = process_reap(j->pid, end, err);
	/* If other code reaped the process, its pid may belong to another process now. */
	j->pid = 0;
	for (size_t i = 0; i < MAX_JOB_STREAMS; i++) {
		for (int n = 0; n < MAX_LAST_READS && read_once(j, i); n++)
			;
	}
	job_leave(j);
	return rc;
}

void job_leave(struct job *j)
{
	for (size_t i = 0; i < MAX_JOB_STREAMS; i++)
		close_stream(j, &j->stream[i]);
	if (j->pid != 0)
		waitset_leave_child(j->wait, j->pid);
	j->pid = 0;
}

void job_free(struct job *j)
{
	struct process_end end;

	job_kill(j);
	if (j->pid != 0)
		(void)process_reap(j->pid, &end, NULL);
	j->pid = 0;
	job_leave(j);
	for (size_t i = 0; i < MAX_JOB_STREAMS; i++)
		str_free(&j->stream[i].text);
	memset(j, 0, sizeof(*j));
}
