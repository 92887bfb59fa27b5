/* Commands of hooks in the background. */
#include "hook/background.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "script/hook_request.h"

#define MAX_TERM_MS 5000 /* from SIGTERM to SIGKILL */

static void drop(struct backgrounds *b, struct background *item)
{
	hook_command_forget(&item->command, item->group);
	hook_command_free(&item->command);
	memset(item, 0, sizeof(*item));
	b->count--;
}

/*
 * Returns whether processes of a command are left after it has been reaped.  The kernel gives no
 * process the pid of a group that has members: a process of that pid is another's.
 */
static bool has_group(const struct background *item)
{
	return kill(item->group, 0) != 0 && errno == ESRCH && kill(-item->group, 0) == 0;
}

static bool is_there(const struct background *item)
{
	return item->command.job.pid != 0 || has_group(item);
}

/* Returns a free place, also that of a command whose group has ended since it was reaped. */
static struct background *free_place(struct backgrounds *b)
{
	for (size_t i = 0; i < MAX_BACKGROUND && b->count == MAX_BACKGROUND; i++) {
		if (!is_there(&b->item[i]))
			drop(b, &b->item[i]);
	}

	for (size_t i = 0; i < MAX_BACKGROUND; i++) {
		if (b->item[i].group == 0)
			return &b->item[i];
	}
	return NULL;
}

int background_start(struct backgrounds *b, const struct node *request,
    const struct hook_command_host *host, int64_t now_ms, struct error *err)
{
	struct background *item = free_place(b);
	struct hook_command_host mine = *host;

	if (item == NULL)
		return error_set(err, STATUS_OS,
		    "%d background commands are running already, which is the limit",
		    MAX_BACKGROUND);
	mine.first_tag += (uintptr_t)(item - b->item) * COMMAND_STREAMS;
	if (hook_command_start(&item->command, request, false, &mine, err) != 0) {
		hook_command_free(&item->command);
		return -1;
	}
	item->group = item->command.job.pid;
	item->until_ms = -1;
	if (node_get(request, "timeout") != NULL)
		item->until_ms = now_ms + item->command.what.limit_ms;
	b->count++;
	return 0;
}

void background_read(struct backgrounds *b, size_t place, int stream)
{
	(void)command_read(&b->item[place].command.job, stream);
}

bool background_ended(struct backgrounds *b, pid_t pid, char **trouble)
{
	struct background *item = NULL;
	COMMAND_RESULT_AUTO struct command_result result = { 0 };
	bool is_ours;

	*trouble = NULL;
	for (size_t i = 0; i < MAX_BACKGROUND && item == NULL; i++) {
		if (pid != 0 && b->item[i].command.job.pid == pid)
			item = &b->item[i];
	}
	if (item == NULL)
		return false;
	is_ours = item->ends;
	if (command_finish(&item->command.job, &result, NULL) == 0 && !is_ours) {
		if (item->late)
			result.fate = COMMAND_LATE;
		*trouble = command_trouble(&item->command.what, &result);
	}
	/* What it has started itself ends with the boot, too. */
	if (item->late || !has_group(item))
		drop(b, item);
	else if (!is_ours)
		item->until_ms = -1;
	return true;
}

void background_end(struct backgrounds *b, int64_t now_ms)
{
	for (size_t i = 0; i < MAX_BACKGROUND; i++) {
		struct background *item = &b->item[i];

		if (item->group == 0 || item->ends)
			continue;
		if (!is_there(item)) {
			drop(b, item);
			continue;
		}
		(void)kill(-item->group, SIGTERM);
		item->ends = true;
		item->until_ms = now_ms + MAX_TERM_MS;
	}
}

void background_limit(struct backgrounds *b, int64_t until_ms)
{
	for (size_t i = 0; i < MAX_BACKGROUND; i++) {
		struct background *item = &b->item[i];

		if (item->group != 0 && item->command.job.pid == 0 && !item->ends)
			item->until_ms = 0; /* what the command left does not hold up the end */
		else if (item->group != 0 && item->until_ms < 0)
			item->until_ms = until_ms;
	}
}

int64_t background_until_ms(const struct backgrounds *b)
{
	int64_t first = -1;

	for (size_t i = 0; i < MAX_BACKGROUND && b->count > 0; i++) {
		const struct background *item = &b->item[i];

		if (item->group != 0 && item->until_ms >= 0 &&
		    (first < 0 || item->until_ms < first))
			first = item->until_ms;
	}
	return first;
}

void background_wake(struct backgrounds *b, int64_t now_ms)
{
	for (size_t i = 0; i < MAX_BACKGROUND && b->count > 0; i++) {
		struct background *item = &b->item[i];

		if (item->group == 0 || item->until_ms < 0 || item->until_ms > now_ms)
			continue;
		if (is_there(item))
			(void)kill(-item->group, SIGKILL);
		if (item->command.job.pid == 0) {
			drop(b, item); /* only the group was left */
			continue;
		}
		item->late = true;
		item->until_ms = -1;
	}
}

void background_close(struct backgrounds *b)
{
	for (size_t i = 0; i < MAX_BACKGROUND && b->count > 0; i++) {
		struct background *item = &b->item[i];

		if (item->group == 0)
			continue;
		if (is_there(item))
			(void)kill(-item->group, SIGKILL);
		drop(b, item);
	}
}
