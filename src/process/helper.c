/* Commands of ours. */
#include "process/helper.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/socket.h"
#include "platform/spawn.h"

#define READS_MOST 1024 /* at once, of a pipe that somebody may flood */

static void close_output(struct helper *h, struct waitset *wait)
{
	if (h->fd < 0)
		return;
	waitset_forget_fd(wait, h->fd);
	(void)close(h->fd);
	h->fd = -1;
}

static int spawn_it(struct helper *h, const struct words *command, const char *path, int theirs,
    enum helper_capture capture, struct error *err)
{
	struct spawn_fd fds[] = { { theirs, STDOUT_FILENO }, { theirs, STDERR_FILENO } };
	struct spawn what = { .argv = command->item,
		.path = path,
		.fds = fds,
		.fd_count = (size_t)capture,
		.own_group = true,
		.death_signal = SIGKILL };

	return spawn_process(&what, &h->pid, err);
}

int helper_start(struct helper *h, const struct words *command, enum helper_capture capture,
    struct waitset *wait, uintptr_t output_tag, uintptr_t (*end_tag)(pid_t pid), struct error *err)
{
	MEM_AUTO char *path = program_find(command->item[0], err);
	int theirs = -1, rc = path == NULL ? -1 : 0;

	helper_kill(h);
	helper_give_up(h, wait);
	h->missing = path == NULL;
	h->status = -1;
	h->killed = false;
	str_free(&h->output);
	if (rc == 0 && capture != HELPER_SILENT)
		rc = socket_pipe(&h->fd, &theirs, err);
	if (rc == 0 && h->fd >= 0)
		rc = waitset_watch_fd(wait, h->fd, output_tag, err);
	if (rc == 0)
		rc = spawn_it(h, command, path, theirs, capture, err);
	if (theirs >= 0)
		(void)close(theirs);
	if (rc == 0)
		rc = waitset_watch_child(wait, h->pid, end_tag(h->pid), err);
	if (rc != 0)
		helper_free(h, wait);
	return rc;
}

static bool read_once(struct helper *h, struct waitset *wait)
{
	char bytes[4096];
	ssize_t n = read(h->fd, bytes, sizeof(bytes));

	if (n > 0) {
		if (h->output.length + (size_t)n <= HELPER_OUTPUT_MOST)
			str_add_n(&h->output, bytes, (size_t)n);
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_output(h, wait);
	return false;
}

void helper_read(struct helper *h, struct waitset *wait)
{
	if (h->fd >= 0)
		(void)read_once(h, wait);
}

bool helper_ended(struct helper *h, pid_t pid, struct waitset *wait)
{
	struct process_end end = { -1, 0 };
	struct error ignored = { 0 };

	(void)process_reap(pid, &end, &ignored);
	error_clear(&ignored);
	if (pid != h->pid)
		return false;
	h->pid = 0;
	h->status = end.status;
	/* What is in the pipe now; who else holds it is not waited for. */
	for (int i = 0; i < READS_MOST && h->fd >= 0 && read_once(h, wait); i++)
		;
	close_output(h, wait);
	return true;
}

char *helper_words(const struct helper *h)
{
	size_t end = h->output.length, start;

	while (end > 0 && h->output.text[end - 1] == '\n')
		end--;
	for (start = end; start > 0 && h->output.text[start - 1] != '\n'; start--)
		;
	if (end > start)
		return mem_copy_n(h->output.text + start, end - start);
	return h->status < 0 ? mem_copy("it was killed")
			     : mem_format("it ended with status %d", h->status);
}

void helper_kill(struct helper *h)
{
	if (h->pid == 0)
		return;
	h->killed = true;
	(void)kill(-h->pid, SIGKILL);
}

void helper_give_up(struct helper *h, struct waitset *wait)
{
	close_output(h, wait);
	h->pid = 0;
}

void helper_free(struct helper *h, struct waitset *wait)
{
	struct process_end end;
	struct error ignored = { 0 };

	if (h->pid != 0) {
		helper_kill(h);
		(void)process_reap(h->pid, &end, &ignored);
		error_clear(&ignored);
	}
	helper_give_up(h, wait);
	str_free(&h->output);
}
