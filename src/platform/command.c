/* Running one command to its end. */
#include "platform/command.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "platform/clock.h"
#include "platform/socket.h"
#include "platform/waitset.h"

enum { STREAM_OUT, STREAM_ERR, STREAMS, TAG_END = STREAMS };

#define READ_SIZE 16384
#define LAST_READS 64  /* 1 MiB, more than a pipe holds unless it is told to */
#define LAST_WORDS 300 /* bytes of stderr that a message quotes */

struct run {
	const struct command *what;
	struct waitset *wait;
	pid_t pid; /* 0: nothing to reap */
	int fd[STREAMS];
	struct str text[STREAMS];
};

static void close_stream(struct run *r, int stream)
{
	if (r->fd[stream] < 0)
		return;
	waitset_forget_fd(r->wait, r->fd[stream]);
	(void)close(r->fd[stream]);
	r->fd[stream] = -1;
}

static int open_stream(struct run *r, int stream, int *theirs, struct error *err)
{
	if (socket_pipe(&r->fd[stream], theirs, err) != 0)
		return -1;
	return waitset_watch_fd(r->wait, r->fd[stream], (uintptr_t)stream, err);
}

static int start(struct run *r, struct error *err)
{
	MEM_AUTO char *path = program_find(r->what->argv[0], err);
	int theirs[STREAMS] = { -1, -1 }, rc = path == NULL ? -1 : 0;
	struct spawn_fd fds[STREAMS];
	struct spawn spawn = { .argv = r->what->argv, .path = path, .fds = fds };

	spawn.fd_count = STREAMS;
	spawn.own_group = true;
	spawn.death_signal = SIGKILL;
	if (rc == 0)
		rc = waitset_set_deadline(r->wait, clock_ms() + r->what->limit_ms, err);
	for (int i = 0; i < STREAMS && rc == 0; i++) {
		rc = open_stream(r, i, &theirs[i], err);
		fds[i] = (struct spawn_fd){ theirs[i], STDOUT_FILENO + i };
	}
	if (rc == 0)
		rc = spawn_process(&spawn, &r->pid, err);
	/* Ours would keep the pipes from ending. */
	for (int i = 0; i < STREAMS; i++) {
		if (theirs[i] >= 0)
			(void)close(theirs[i]);
	}
	return rc == 0 ? waitset_watch_child(r->wait, r->pid, TAG_END, err) : -1;
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
static bool read_once(struct run *r, int stream)
{
	char bytes[READ_SIZE];
	ssize_t n;

	if (r->fd[stream] < 0)
		return false;
	n = read(r->fd[stream], bytes, sizeof(bytes));
	if (n > 0) {
		str_add_n(&r->text[stream], bytes, (size_t)n);
		if (stream == STREAM_ERR)
			keep_tail(&r->text[stream]);
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_stream(r, stream);
	return false;
}

static bool is_flood(const struct run *r)
{
	return r->text[STREAM_OUT].length > r->what->most;
}

/* One read a wake-up: everything takes turns, so that no flood hides the end or the limit. */
static int wait_for_end(struct run *r, enum command_fate *fate, struct error *err)
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

/* It has ended, or ends now. What is in the pipes is taken without waiting for more. */
static int finish(struct run *r, bool by_force, struct process_end *end, struct error *err)
{
	int rc;

	if (by_force) {
		(void)kill(-r->pid, SIGKILL);
		(void)kill(r->pid, SIGKILL); /* should it have gone to another group */
	}
	rc = process_reap(r->pid, end, err);
	for (int i = 0; i < STREAMS; i++) {
		for (int n = 0; n < LAST_READS && !is_flood(r) && read_once(r, i); n++)
			;
	}
	return rc;
}

static void take_texts(struct run *r, struct command_result *out)
{
	if (is_flood(r)) {
		out->fate = COMMAND_FLOOD;
		r->text[STREAM_OUT].length = r->what->most;
		r->text[STREAM_OUT].text[r->what->most] = '\0';
	}
	out->out_length = r->text[STREAM_OUT].length;
	out->out = str_take(&r->text[STREAM_OUT]);
	out->err = str_take(&r->text[STREAM_ERR]);
}

int command_run(const struct command *what, struct command_result *out, struct error *err)
{
	struct run r = { .what = what, .fd = { -1, -1 } };
	int rc;

	memset(out, 0, sizeof(*out));
	rc = waitset_new(&r.wait, err);
	if (rc == 0)
		rc = start(&r, err);
	if (rc == 0)
		rc = wait_for_end(&r, &out->fate, err);
	if (r.pid != 0 && finish(&r, rc != 0 || out->fate != COMMAND_ENDED, &out->end, err) != 0)
		rc = -1;
	if (rc == 0)
		take_texts(&r, out);
	else
		memset(out, 0, sizeof(*out));
	for (int i = 0; i < STREAMS; i++) {
		close_stream(&r, i);
		str_free(&r.text[i]);
	}
	waitset_free(r.wait);
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
