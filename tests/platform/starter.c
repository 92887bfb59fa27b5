/* Starts the program of child.c for a test, and reads its report. */
#include "starter.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

struct error starter_err;
char *starter_argv[8] = { CHILD_PROGRAM };

int starter_setup(void **state)
{
	(void)state;
	memset(starter_argv + 1, 0, sizeof(starter_argv) - sizeof(*starter_argv));
	return 0;
}

int starter_teardown(void **state)
{
	(void)state;
	error_clear(&starter_err);
	return 0;
}

pid_t starter_run(const struct spawn *what)
{
	pid_t pid = -1;

	if (spawn_process(what, &pid, &starter_err) < 0)
		fail_msg("%s", starter_err.text);
	return pid;
}

struct process_end starter_reap(pid_t pid)
{
	struct process_end end;

	assert_int_equal(process_reap(pid, &end, &starter_err), 0);
	return end;
}

char *starter_report(struct spawn what, const struct spawn_fd *fds, size_t fd_count)
{
	struct spawn_fd all[8];
	struct str text = { 0 };
	char buffer[1024];
	int out[2];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	all[0] = (struct spawn_fd){ .ours = out[1], .theirs = 1 };
	for (size_t i = 0; i < fd_count; i++)
		all[i + 1] = fds[i];
	starter_argv[1] = "report";
	what.argv = starter_argv;
	what.path = CHILD_PROGRAM;
	what.fds = all;
	what.fd_count = fd_count + 1;
	pid = starter_run(&what);
	(void)close(out[1]);
	while ((n = read(out[0], buffer, sizeof(buffer))) > 0)
		str_add_n(&text, buffer, (size_t)n);
	(void)close(out[0]);
	assert_int_equal(starter_reap(pid).status, 0);
	return str_take(&text);
}

void starter_assert_line(const char *text, const char *line)
{
	MEM_AUTO char *whole = mem_format("\n%s\n", line);
	MEM_AUTO char *lines = mem_format("\n%s", text);

	if (strstr(lines, whole) == NULL)
		fail_msg("no line \"%s\" in:\n%s", line, text);
}
