/* Running one command to its end. */
#include "process/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "platform/socket.h"
#include "platform/write.h"

#define READ_SIZE 16384
#define LAST_READS 64  /* 1 MiB, more than a pipe holds unless it is told to */
#define LAST_WORDS 300 /* bytes of stderr that a message quotes */

static void close_stream(struct running *r, int stream)
{
	if (r->fd[stream] < 0)
		return;
	waitset_forget_fd(r->wait, r->fd[stream]);
	(void)close(r->fd[stream]);
	r->fd[stream] = -1;
}

/*
 * The command's input as a file without a name: nobody has to feed a pipe while the command takes
 * its time to read.  -1 when there is no input: see err.
 */
static int open_input(const struct command *what, int *fd, struct error *err)
{
	const char *folder = getenv("TMPDIR");
	MEM_AUTO char *path = mem_format(
	    "%s/vmrun-input-XXXXXX", folder == NULL || *folder == '\0' ? "/tmp" : folder);

	if (what->input == NULL)
		return 0;
	*fd = mkstemp(path);
	if (*fd < 0)
		return error_set(err, STATUS_OS, "%s: %s", path, strerror(errno));
	(void)unlink(path);
	if (fcntl(*fd, F_SETFD, FD_CLOEXEC) == 0 &&
	    write_all(*fd, what->input, what->input_length) == what->input_length &&
	    lseek(*fd, 0, SEEK_SET) == 0)
		return 0;
	return error_set(err, STATUS_OS, "input of %s: %s", what->argv[0], strerror(errno));
}

/* Ends of pipes and the input that the child gets: ours are closed once it has them. */
struct handed {
	int fd[COMMAND_STREAMS + 1];
};

static int open_streams(struct running *r, const struct command *what, struct handed *handed,
    uintptr_t out_tag, struct error *err)
{
	for (int i = 0; i < COMMAND_STREAMS; i++) {
		if (socket_pipe(&r->fd[i], &handed->fd[i], err) != 0 ||
		    waitset_watch_fd(r->wait, r->fd[i], out_tag + (uintptr_t)i, err) != 0)
			return -1;
	}
	return open_input(what, &handed->fd[COMMAND_STREAMS], err);
}

static int spawn_it(
    struct running *r, const struct command *what, const struct handed *handed, struct error *err)
{
	MEM_AUTO char *path = program_find(what->argv[0], err);
	struct spawn_fd fds[COMMAND_STREAMS + 1];
	struct spawn spawn = { .argv = what->argv, .path = path, .fds = fds };

	for (int i = 0; i < COMMAND_STREAMS; i++)
		fds[i] = (struct spawn_fd){ handed->fd[i], STDOUT_FILENO + i };
	fds[COMMAND_STREAMS] = (struct spawn_fd){ handed->fd[COMMAND_STREAMS], STDIN_FILENO };
	spawn.fd_count = COMMAND_STREAMS + (what->input != NULL);
	spawn.own_group = true;
	spawn.death_signal = SIGKILL;
	return path == NULL ? -1 : spawn_process(&spawn, &r->pid, err);
}

/* For what could not be watched. */
static void end_now(struct running *r)
{
	struct process_end end;
	struct error ignored = { 0 };

	if (r->pid != 0) {
		running_kill(r);
		(void)process_reap(r->pid, &end, &ignored);
		error_clear(&ignored);
	}
	running_drop(r);
}

int running_start(struct running *r, const struct command *what, struct waitset *wait,
    uintptr_t out_tag, uintptr_t (*end_tag)(pid_t pid), struct error *err)
{
	struct handed handed = { { -1, -1, -1 } };
	int rc;

	r->wait = wait;
	r->most = what->most;
	rc = open_streams(r, what, &handed, out_tag, err);
	if (rc == 0)
		rc = spawn_it(r, what, &handed, err);
	/* Ours would keep the pipes from ending. */
	for (int i = 0; i < COMMAND_STREAMS + 1; i++) {
		if (handed.fd[i] >= 0)
			(void)close(handed.fd[i]);
	}
	if (rc == 0)
		rc = waitset_watch_child(wait, r->pid, end_tag(r->pid), err);
	if (rc != 0)
		end_now(r);
	return rc;
}

/* Of stderr the end counts, and a flood of it must not fill our memory. */
static void keep_tail(struct str *s)
{
	if (s->length <= COMMAND_TAIL)
		return;
	memmove(s->text, s->text + s->length - COMMAND_TAIL, COMMAND_TAIL + 1);
	s->length = COMMAND_TAIL;
}

/* False when there is nothing more now, or ever. */
static bool read_once(struct running *r, int stream)
{
	char bytes[READ_SIZE];
	ssize_t n;

	if (r->fd[stream] < 0)
		return false;
	n = read(r->fd[stream], bytes, sizeof(bytes));
	if (n > 0) {
		str_add_n(&r->text[stream], bytes, (size_t)n);
		if (stream == COMMAND_ERR)
			keep_tail(&r->text[stream]);
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_stream(r, stream);
	return false;
}

static bool is_flood(const struct running *r)
{
	return r->text[COMMAND_OUT].length > r->most;
}

bool running_read(struct running *r, int stream)
{
	(void)read_once(r, stream);
	return !is_flood(r);
}

void running_kill(const struct running *r)
{
	(void)kill(-r->pid, SIGKILL);
	(void)kill(r->pid, SIGKILL); /* should it have gone to another group */
}

static void take_texts(struct running *r, struct command_result *out)
{
	if (is_flood(r)) {
		out->fate = COMMAND_FLOOD;
		r->text[COMMAND_OUT].length = r->most;
		r->text[COMMAND_OUT].text[r->most] = '\0';
	}
	out->out_length = r->text[COMMAND_OUT].length;
	out->out = str_take(&r->text[COMMAND_OUT]);
	out->err = str_take(&r->text[COMMAND_ERR]);
}

int running_finish(struct running *r, struct command_result *out, struct error *err)
{
	int rc = process_reap(r->pid, &out->end, err);

	r->pid = 0;
	out->fate = COMMAND_ENDED;
	/* What is in the pipes is taken without waiting for more. */
	for (int i = 0; i < COMMAND_STREAMS; i++) {
		for (int n = 0; n < LAST_READS && !is_flood(r) && read_once(r, i); n++)
			;
	}
	if (rc == 0)
		take_texts(r, out);
	running_drop(r);
	return rc;
}

void running_drop(struct running *r)
{
	for (int i = 0; i < COMMAND_STREAMS; i++) {
		close_stream(r, i);
		str_free(&r->text[i]);
	}
	r->pid = 0;
}

enum { TAG_END = COMMAND_STREAMS };

static uintptr_t end_tag(pid_t unused)
{
	(void)unused;
	return TAG_END;
}

/* One read a wake-up: everything takes turns, so that no flood hides the end or the limit. */
static int wait_for_end(struct running *r, enum command_fate *fate, struct error *err)
{
	struct wake wake = { .kind = WAKE_READABLE };

	while (wake.kind == WAKE_READABLE && !is_flood(r)) {
		if (waitset_next(r->wait, -1, &wake, err) < 0)
			return -1;
		if (wake.kind == WAKE_READABLE)
			(void)read_once(r, (int)wake.tag);
	}
	*fate = wake.kind == WAKE_DEADLINE ? COMMAND_LATE : COMMAND_ENDED;
	if (is_flood(r))
		*fate = COMMAND_FLOOD;
	return 0;
}

int command_run(const struct command *what, struct command_result *out, struct error *err)
{
	struct running r = RUNNING;
	struct waitset *wait = NULL;
	enum command_fate fate = COMMAND_ENDED;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = waitset_new(&wait, err);
	if (rc == 0)
		rc = waitset_set_deadline(wait, clock_ms() + what->limit_ms, err);
	if (rc == 0)
		rc = running_start(&r, what, wait, COMMAND_OUT, end_tag, err);
	if (rc == 0) {
		rc = wait_for_end(&r, &fate, err);
		if (rc != 0 || fate != COMMAND_ENDED)
			running_kill(&r);
		if (running_finish(&r, out, err) != 0)
			rc = -1;
		out->fate = fate == COMMAND_ENDED ? out->fate : fate;
	}
	if (rc != 0)
		command_clear(out);
	waitset_free(wait);
	return rc;
}

/* The end of a long text. */
static void add_last_words(struct str *s, const char *text)
{
	size_t n = strlen(text);

	if (n > LAST_WORDS) {
		text += n - LAST_WORDS;
		while (((unsigned char)*text & 0xc0) == 0x80) /* the rest of a character */
			text++;
		str_add(s, "...");
	}
	str_add_line(s, text, LAST_WORDS);
}

char *command_trouble(const struct command *what, const struct command_result *result)
{
	const char *name = what->argv[0];
	struct str s = { 0 };

	if (result->fate == COMMAND_LATE)
		str_addf(&s, "%s did not end within %.15g s and was killed", name,
		    (double)what->limit_ms / 1000);
	else if (result->fate == COMMAND_FLOOD)
		str_addf(&s, "%s wrote more than %zu bytes and was killed", name, what->most);
	else if (result->end.signal != 0)
		str_addf(&s, "%s was killed by signal %d (%s)", name, result->end.signal,
		    strsignal(result->end.signal));
	else if (result->end.status != 0)
		str_addf(&s, "%s ended with status %d", name, result->end.status);
	else
		return NULL;
	if (result->err[strspn(result->err, " \t\r\n")] != '\0') {
		str_add(&s, ": ");
		add_last_words(&s, result->err);
	}
	return str_take(&s);
}

void command_clear(struct command_result *result)
{
	free(result->out);
	free(result->err);
	memset(result, 0, sizeof(*result));
}
