/* The commands console and events, which run until the VM or the user ends them. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

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
	struct vmrun_client *client;
	const char *vm;
	bool is_terminal; /* stdin is a terminal: ~ begins an escape */
	bool writes, detached;
	struct termios modes; /* of the terminal before the raw mode */
	enum typed typed;
	char keys[4096]; /* not sent yet */
	size_t count;
	char output[PIPE_BUF]; /* of the guest, not written yet */
	size_t length;
	bool input; /* stdin is not at its end */
	int error;  /* errno of a failed write to stdout, or 0 */
};

int ctl_events(const struct ctl *ctl)
{
	CLIENT_AUTO struct vmrun_client *client = NULL;
	const struct vmrun_message *message;
	int status = ctl_connect(ctl, &client);

	if (status != STATUS_OK)
		return status;
	status = vmrun_client_follow(client, ctl->from, CTL_ANSWER_MS);
	if (status != VMRUN_CLIENT_OK)
		return ctl_fail(ctl, client, status);
	while ((status = vmrun_client_next(client, -1, &message)) == VMRUN_CLIENT_OK) {
		if (ctl->json)
			(void)puts(message->json);
		else
			show_event(message->json);
		if (fflush(stdout) != 0)
			return STATUS_OK; /* run() prints the error */
	}
	return status == VMRUN_CLIENT_NOT_RUNNING ? STATUS_OK : ctl_fail(ctl, client, status);
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
		say(c,
		    "at the beginning of a line, ~. detaches, ~~ sends a tilde, ~? shows this "
		    "help");
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

/* Sends the keys that vmrun accepts now; the next read finds a connection that has ended. */
static void send_keys(struct console *c)
{
	size_t n;

	(void)vmrun_client_write(c->client, c->keys, c->count, &n, 0);
	c->count -= n;
	memmove(c->keys, c->keys + n, c->count);
}

/*
 * Writes output of the guest to stdout, which is ready; returns false if stdout fails.  A pipe
 * without a reader ends the program by SIGPIPE, but only after the terminal is restored.
 */
static bool show(struct console *c)
{
	ssize_t n = write(STDOUT_FILENO, c->output, c->length);

	if (n < 0 && errno == EPIPE)
		caught = SIGPIPE;
	else if (n < 0 && errno != EINTR && errno != EAGAIN)
		c->error = errno;
	if (n < 0)
		return caught == 0 && c->error == 0;
	c->length -= (size_t)n;
	memmove(c->output, c->output + n, c->length);
	return true;
}

/* Reads output of the guest after all before it is written; returns false at the end. */
static bool receive(struct console *c)
{
	int status = VMRUN_CLIENT_OK;

	if (c->length == 0)
		status = vmrun_client_read(c->client, c->output, sizeof(c->output), &c->length, 0);
	return status == VMRUN_CLIENT_OK || status == VMRUN_CLIENT_TIMED_OUT;
}

/* Fills the sets for pselect(). */
static void watch(const struct console *c, fd_set *in, fd_set *out)
{
	FD_ZERO(in);
	FD_ZERO(out);
	if (c->length > 0)
		FD_SET(STDOUT_FILENO, out);
	else
		FD_SET(vmrun_client_fd(c->client), in);
	if (c->input && c->count < sizeof(c->keys) / 2)
		FD_SET(STDIN_FILENO, in);
	if (c->count > 0)
		FD_SET(vmrun_client_fd(c->client), out);
}

/* Waits for keys, the guest or a signal, and handles them; returns false at the end. */
static bool step(struct console *c, const sigset_t *open)
{
	fd_set in, out;

	if (!receive(c))
		return false;
	watch(c, &in, &out);
	if (pselect(vmrun_client_fd(c->client) + 1, &in, &out, NULL, NULL, open) < 0)
		return errno == EINTR;
	if (FD_ISSET(STDIN_FILENO, &in))
		read_keys(c);
	if (!c->writes)
		c->count = 0; /* --read-only sends nothing, but escapes work */
	if (c->count > 0)
		send_keys(c);
	return !FD_ISSET(STDOUT_FILENO, &out) || show(c);
}

/* Catches signals, which stay blocked except in pselect(), so that none is missed. */
static void catch_signals(sigset_t *open)
{
	static const int numbers[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGPIPE };
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
		    c->writes ? "attached; ~. detaches, ~? shows help"
			      : "attached read-only; ~. detaches, ~? shows help");
		make_raw(c);
	}
	while (is_open && caught == 0 && !c->detached)
		is_open = step(c, &open);
	if (c->is_terminal) {
		c->typed = IN_LINE; /* the guest's last line may be unfinished */
		say(c,
		    c->detached		? "detached"
			: caught != 0	? "detached by a signal"
			: c->error != 0 ? "detached: cannot write to stdout"
					: "the VM has exited");
		set_modes(&c->modes);
	}
	if (caught != 0)
		die_of((int)caught);
}

int ctl_console(const struct ctl *ctl)
{
	CLIENT_AUTO struct vmrun_client *client = NULL;
	struct console c = { .vm = ctl->vm, .writes = !ctl->read_only, .input = true };
	int status = ctl_connect(ctl, &client);

	if (status != STATUS_OK)
		return status;
	status = vmrun_client_attach(client, c.writes, CTL_ANSWER_MS);
	if (status != VMRUN_CLIENT_OK)
		return ctl_fail(ctl, client, status);
	/* A set of pselect() has no place for this one. */
	if (vmrun_client_fd(client) >= FD_SETSIZE)
		return ctl_error(ctl, STATUS_OS,
		    "the program that started vmrunctl left %d files open: at most %d can be",
		    vmrun_client_fd(client) - 3, FD_SETSIZE - 3);
	c.client = client;
	c.is_terminal = tcgetattr(STDIN_FILENO, &c.modes) == 0;
	attach(&c);
	return c.error == 0
	    ? STATUS_OK
	    : ctl_error(ctl, STATUS_OS, "cannot write to stdout: %s", strerror(c.error));
}
