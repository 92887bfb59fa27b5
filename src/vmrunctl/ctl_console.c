/* The commands console and events, which run until the VM or the user ends them. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "vmrunctl/ctl.h"
#include "vmrunctl/ctl_show.h"

/* The signal that was caught; a global because a signal handler gets no context. */
static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught = number;
}

/* The position of the next key, because only the beginning of a line can start an escape. */
enum typed { AT_LINE_START, AFTER_TILDE, IN_LINE };

struct console {
	struct connection *connection;
	const char *vm;
	bool is_terminal; /* stdin is a terminal: ~ begins an escape */
	bool writes, detached;
	struct termios modes; /* of the terminal before the raw mode */
	enum typed typed;
	char keys[4096]; /* not sent yet */
	size_t count;
	bool input; /* stdin is not at its end */
};

static char *events_request(const struct ctl *ctl)
{
	struct str request = { 0 };

	json_begin_object(&request, NULL);
	json_add_text(&request, "cmd", "events");
	if (ctl->from >= 0)
		json_add_int(&request, "from", ctl->from);
	json_end_object(&request);
	return str_take(&request);
}

int ctl_events(const struct ctl *ctl)
{
	MEM_AUTO char *request = events_request(ctl);
	struct connection connection;
	char *line;
	int status = ctl_connect(ctl, &connection);

	if (status != STATUS_OK)
		return status;
	status = ctl_send(ctl, &connection, request, CTL_ANSWER_MS, &line);
	while (status == STATUS_OK) {
		free(line);
		line = connection_read_line(&connection, -1);
		if (line == NULL)
			break;
		if (ctl->json)
			(void)puts(line);
		else
			show_event(line);
		if (fflush(stdout) != 0)
			break; /* run() prints the error */
	}
	free(line);
	connection_close(&connection);
	return status;
}

/* Sets the modes of the terminal. */
static void set_modes(const struct termios *modes)
{
	sigset_t block, before;

	/* In the background tcsetattr() would stop this process. */
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGTTOU);
	(void)sigprocmask(SIG_BLOCK, &block, &before);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, modes);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}

/* Puts the terminal into raw mode: each key goes to the guest. */
static void make_raw(const struct console *c)
{
	struct termios raw = c->modes;

	raw.c_iflag &=
	    (tcflag_t) ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	raw.c_oflag &= (tcflag_t)~OPOST;
	raw.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	raw.c_cflag &= (tcflag_t) ~(CSIZE | PARENB);
	raw.c_cflag |= CS8;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	set_modes(&raw);
}

static void say(const struct console *c, const char *text)
{
	(void)fprintf(
	    stderr, "%s[%s: %s]\r\n", c->typed == AT_LINE_START ? "" : "\r\n", c->vm, text);
}

static void type(struct console *c, char key)
{
	if (c->count < sizeof(c->keys))
		c->keys[c->count++] = key;
	c->typed = key == '\r' || key == '\n' ? AT_LINE_START : IN_LINE;
}

/* Handles the key after a tilde at the beginning of a line. */
static void escape(struct console *c, char key)
{
	switch (key) {
	case '.':
		c->detached = true;
		break;
	case '?':
		say(c, "~. detaches, ~~ sends a tilde, ~? is this; at the beginning of a line");
		c->typed = AT_LINE_START;
		break;
	case '~':
		type(c, '~');
		break;
	default:
		type(c, '~');
		type(c, key);
		break;
	}
}

static void read_keys(struct console *c)
{
	char bytes[1024];
	size_t room = sizeof(c->keys) - c->count;
	/* Each byte may need space for two: a tilde and the key after it. */
	ssize_t n = read(STDIN_FILENO, bytes, room / 2 < sizeof(bytes) ? room / 2 : sizeof(bytes));

	if (n <= 0) {
		c->input = n < 0 && (errno == EINTR || errno == EAGAIN);
		return;
	}
	for (ssize_t i = 0; i < n && !c->detached; i++) {
		if (!c->is_terminal)
			c->keys[c->count++] = bytes[i];
		else if (c->typed == AFTER_TILDE)
			escape(c, bytes[i]);
		else if (c->typed == AT_LINE_START && bytes[i] == '~')
			c->typed = AFTER_TILDE;
		else
			type(c, bytes[i]);
	}
}

static void send_keys(struct console *c)
{
	size_t n = connection_send_some(c->connection, c->keys, c->count);

	c->count -= n;
	memmove(c->keys, c->keys + n, c->count);
}

/* Writes received bytes to stdout, which is ready; returns false if stdout fails. */
static bool show(struct console *c)
{
	struct connection *t = c->connection;
	ssize_t n = write(STDOUT_FILENO, t->received, t->length < PIPE_BUF ? t->length : PIPE_BUF);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	t->length -= (size_t)n;
	memmove(t->received, t->received + n, t->length);
	return true;
}

/* Fills the sets for pselect(): reads from the guest only after all its output is written. */
static void watch(const struct console *c, fd_set *in, fd_set *out)
{
	FD_ZERO(in);
	FD_ZERO(out);
	if (c->connection->length > 0)
		FD_SET(STDOUT_FILENO, out);
	else
		FD_SET(c->connection->fd, in);
	if (c->input && c->count < sizeof(c->keys) / 2)
		FD_SET(STDIN_FILENO, in);
	if (c->count > 0)
		FD_SET(c->connection->fd, out);
}

/* Waits for keys, the guest or a signal, and handles them; returns false at the end. */
static bool step(struct console *c, const sigset_t *open)
{
	int fd = c->connection->fd, got = 1;
	fd_set in, out;

	watch(c, &in, &out);
	if (pselect(fd + 1, &in, &out, NULL, NULL, open) < 0)
		return errno == EINTR;
	if (FD_ISSET(STDIN_FILENO, &in))
		read_keys(c);
	if (!c->writes)
		c->count = 0; /* --read-only sends nothing, but escapes work */
	if (c->count > 0)
		send_keys(c);
	if (FD_ISSET(STDOUT_FILENO, &out) && !show(c))
		return false;
	if (FD_ISSET(fd, &in))
		got = connection_receive(c->connection);
	return got > 0 || (got < 0 && errno == EAGAIN);
}

/* Catches signals, which stay blocked except in pselect(), so that none is missed. */
static void catch_signals(sigset_t *open)
{
	static const int numbers[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t block;

	(void)sigemptyset(&action.sa_mask);
	(void)sigemptyset(&block);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)sigaddset(&block, numbers[i]);
		(void)sigaction(numbers[i], &action, NULL);
	}
	(void)sigprocmask(SIG_BLOCK, &block, open);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)sigdelset(open, numbers[i]);
}

/* Ends the program by the signal, so that the parent process sees it. */
static void die_of(int number)
{
	struct sigaction normal = { .sa_handler = SIG_DFL };
	sigset_t set;

	(void)sigaction(number, &normal, NULL);
	(void)raise(number);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, number);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void attach(struct console *c)
{
	bool is_open = true;
	sigset_t open;

	catch_signals(&open);
	if (c->is_terminal) {
		say(c,
		    c->writes ? "attached; ~. detaches, ~? helps"
			      : "attached to look; ~. detaches, ~? helps");
		make_raw(c);
	}
	while (is_open && caught == 0 && !c->detached)
		is_open = step(c, &open);
	if (c->is_terminal) {
		c->typed = IN_LINE; /* the guest's last line may be unfinished */
		say(c, c->detached ? "detached" : caught != 0 ? "detached by a signal" : "gone");
		set_modes(&c->modes);
	}
	if (caught != 0)
		die_of((int)caught);
}

static char *console_request(bool writes)
{
	struct str request = { 0 };

	json_begin_object(&request, NULL);
	json_add_text(&request, "cmd", "console");
	if (writes)
		json_add_bool(&request, "write", true);
	json_end_object(&request);
	return str_take(&request);
}

int ctl_console(const struct ctl *ctl)
{
	MEM_AUTO char *request = console_request(!ctl->read_only);
	struct connection connection;
	struct console c = {
		.connection = &connection, .vm = ctl->vm, .writes = !ctl->read_only, .input = true
	};
	char *answer;
	int status = ctl_connect(ctl, &connection);

	if (status != STATUS_OK)
		return status;
	status = ctl_send(ctl, &connection, request, CTL_ANSWER_MS, &answer);
	free(answer);
	c.is_terminal = tcgetattr(STDIN_FILENO, &c.modes) == 0;
	if (status == STATUS_OK)
		attach(&c);
	connection_close(&connection);
	return status;
}
