/* Runs the script of the guest, which the test writes: one line of commands for each start. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BAD_SCRIPT = 70, POLL_MS = 5 };

static void bad_script(const char *what, const char *about)
{
	fprintf(stderr, "fakebhyve: script: %s: %s\n", what, about);
	exit(BAD_SCRIPT);
}

/* Opens and locks the script, because VMs may share it and each rewrites it. */
static int open_locked(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	do
		rc = fcntl(fd, F_SETLKW, &lock);
	while (rc != 0 && errno == EINTR);
	return fd;
}

/*
 * Leaves the other lines in the file.  A signal that kills the guest waits, and one that cannot
 * wait finds them there, so that the next start has its line.
 */
static void put_back(int fd, const char *rest, size_t length, const char *path)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	if ((length > 0 && pwrite(fd, rest, length, 0) != (ssize_t)length) ||
	    ftruncate(fd, (off_t)length) != 0)
		bad_script("cannot write", path);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}

/* Returns the first line, which the caller frees, and removes it from the file; NULL: no line. */
static char *take_line(const char *path)
{
	int fd = open_locked(path);
	struct stat status;
	char *text, *rest;
	ssize_t n;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) != 0 || (text = calloc(1, (size_t)status.st_size + 1)) == NULL)
		abort();
	n = pread(fd, text, (size_t)status.st_size, 0);
	if (n <= 0) {
		free(text);
		text = NULL;
	} else {
		rest = strchr(text, '\n');
		if (rest != NULL)
			*rest++ = '\0';
		n = rest == NULL ? 0 : n - (rest - text);
		put_back(fd, rest, (size_t)n, path);
	}
	(void)close(fd); /* releases the lock */
	return text;
}

static long number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end != '\0' || value < 0)
		bad_script("no number", text);
	return value;
}

/* Writes a text.  What the reader does not take is lost, as with bhyve. */
static void say(int fd, const char *text)
{
	char line[4096];
	char *c;
	int n = snprintf(line, sizeof(line), "%s\n", text);

	for (c = line; *c != '\0'; c++)
		if (*c == '_')
			*c = ' ';
	if (fd >= 0 && n > 0)
		(void)!write(fd, line, strlen(line));
}

/* Writes the pid file under another name first, so that a test that waits for it finds the pid. */
static void make_ready(const char *path)
{
	char new_path[4096];
	FILE *file;

	(void)snprintf(new_path, sizeof(new_path), "%s.%ld", path, (long)getpid());
	file = fopen(new_path, "w");
	if (file == NULL)
		bad_script("cannot write", new_path);
	fprintf(file, "%ld\n", (long)getpid());
	if (fclose(file) != 0 || rename(new_path, path) != 0)
		bad_script("cannot write", path);
}

static void cmd_exit(struct guest *guest, const char *argument)
{
	guest_exit(guest, (int)(number(argument) & 0xff));
}

static void cmd_signal(struct guest *guest, const char *argument)
{
	(void)guest;
	die_of((int)number(argument));
}

static void cmd_sleep(struct guest *guest, const char *argument)
{
	wait_ms(guest, number(argument));
}

static void cmd_print(struct guest *guest, const char *argument)
{
	say(guest->machine.console_out, argument);
}

static void cmd_err(struct guest *guest, const char *argument)
{
	(void)guest;
	say(STDERR_FILENO, argument);
}

static void cmd_acpi(struct guest *guest, const char *argument)
{
	if (strcmp(argument, "on") != 0 && strcmp(argument, "off") != 0)
		bad_script("acpi on or off, not", argument);
	set_acpi(guest, strcmp(argument, "on") == 0);
}

static void cmd_ready(struct guest *guest, const char *argument)
{
	(void)guest;
	make_ready(argument);
}

static void cmd_waitfile(struct guest *guest, const char *argument)
{
	while (access(argument, F_OK) != 0)
		wait_ms(guest, POLL_MS);
}

static void cmd_wait(struct guest *guest, const char *argument)
{
	(void)argument;
	wait_button(guest);
}

static void cmd_deaf(struct guest *guest, const char *argument)
{
	(void)argument;
	set_acpi(guest, true);
	wait_forever(guest);
}

static void cmd_hang(struct guest *guest, const char *argument)
{
	(void)guest;
	(void)argument;
	hang();
}

static void cmd_raw(struct guest *guest, const char *argument)
{
	(void)guest;
	(void)argument;
	fake_take_stdio();
}

static const struct command {
	const char *name;
	bool has_argument;
	void (*run)(struct guest *guest, const char *argument);
} commands[] = {
	{ "acpi", true, cmd_acpi },
	{ "deaf", false, cmd_deaf },
	{ "err", true, cmd_err },
	{ "exit", true, cmd_exit },
	{ "hang", false, cmd_hang },
	{ "print", true, cmd_print },
	{ "raw", false, cmd_raw },
	{ "ready", true, cmd_ready },
	{ "signal", true, cmd_signal },
	{ "sleep", true, cmd_sleep },
	{ "wait", false, cmd_wait },
	{ "waitfile", true, cmd_waitfile },
};

static const struct command *command_named(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	bad_script("unknown command", name);
	return NULL;
}

/*
 * Does what a command does about signals.  A test sends them as soon as it sees the file of
 * `ready`, which must not be before a guest that hangs next has blocked them.
 */
static void prepare(struct guest *guest, const char *command)
{
	if (strncmp(command, "hang", 4) == 0)
		block_signals();
	else if (strncmp(command, "deaf", 4) == 0)
		set_acpi(guest, true);
}

static void run_line(struct guest *guest, char *line)
{
	const struct command *command;
	char *word, *argument, *next = NULL;

	for (word = strtok_r(line, " ", &next); word != NULL; word = strtok_r(NULL, " ", &next)) {
		command = command_named(word);
		argument = command->has_argument ? strtok_r(NULL, " ", &next) : NULL;
		if (command->has_argument && argument == NULL)
			bad_script("no argument for", word);
		wait_ms(guest, 0); /* requests of bhyvectl come first */
		if (command->run == cmd_ready && next != NULL)
			prepare(guest, next);
		command->run(guest, argument);
	}
}

/* Runs the next line.  The guest powers off at the end of the line, and without a line. */
void run_script(struct guest *guest)
{
	const char *path = getenv("FAKEBHYVE_SCRIPT");
	char *line = path == NULL ? NULL : take_line(path);

	if (line != NULL)
		run_line(guest, line);
	free(line);
	guest_exit(guest, 1);
}
