/* Commands of hooks in the background. */
#include "hook/background.h"

#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"
#include "platform/clock.h"

#define MAX_TERM_MS 5000 /* from SIGTERM to SIGKILL */

static void drop(struct backgrounds *b, size_t place)
{
	struct background *item = b->item[place];

	hook_command_forget(&item->command, item->group);
	hook_command_free(&item->command);
	free(item);
	b->item[place] = NULL;
	b->count--;
}

static bool is_there(const struct background *item)
{
	return item->command.job.pid != 0 || process_group_remains(item->group);
}

/*
 * Returns a free place, also that of a command whose group has ended since it was reaped;
 * MAX_BACKGROUND: there is none.
 */
static size_t free_place(struct backgrounds *b)
{
	size_t place = 0;

	for (size_t i = 0; i < MAX_BACKGROUND && b->count == MAX_BACKGROUND; i++) {
		if (!is_there(b->item[i]))
			drop(b, i);
	}
	while (place < MAX_BACKGROUND && b->item[place] != NULL)
		place++;
	return place;
}

int background_start(struct backgrounds *b, const struct node *request,
    const struct hook_command_host *host, int64_t now_ms, struct error *err)
{
	size_t place = free_place(b);
	struct hook_command_host mine = *host;
	struct background *item;

	if (place == MAX_BACKGROUND)
		return error_set(err, STATUS_OS,
		    "%d background commands are running already, which is the limit",
		    MAX_BACKGROUND);
	mine.first_tag += (uintptr_t)place * COMMAND_STREAMS;
	item = mem_zero(sizeof(*item));
	if (hook_command_start(&item->command, request, false, &mine, err) != 0) {
		hook_command_free(&item->command);
		free(item);
		return -1;
	}
	item->group = item->command.job.pid;
	item->until_ms = -1;
	if (node_get(request, "timeout") != NULL)
		item->until_ms = now_ms + item->command.what.limit_ms;
	b->item[place] = item;
	b->count++;
	return 0;
}

void background_read(struct backgrounds *b, size_t place, int stream)
{
	if (b->item[place] != NULL)
		(void)command_read(&b->item[place]->command.job, stream);
}

static bool runs_as(const struct background *item, pid_t pid)
{
	return item != NULL && pid != 0 && item->command.job.pid == pid;
}

bool background_ended(struct backgrounds *b, pid_t pid, char **trouble)
{
	COMMAND_RESULT_AUTO struct command_result result = { 0 };
	struct background *item;
	size_t place = 0;
	bool is_ours;

	*trouble = NULL;
	while (place < MAX_BACKGROUND && !runs_as(b->item[place], pid))
		place++;
	if (place == MAX_BACKGROUND)
		return false;
	item = b->item[place];
	is_ours = item->ends;
	if (command_finish(&item->command.job, &result, NULL) == 0 && !is_ours) {
		if (item->late)
			result.fate = COMMAND_LATE;
		*trouble = command_trouble(&item->command.what, &result);
	}
	/* What it has started itself ends with the boot, too. */
	if (item->late || !process_group_remains(item->group))
		drop(b, place);
	else if (!is_ours)
		item->until_ms = -1;
	return true;
}

void background_end(struct backgrounds *b, int64_t now_ms)
{
	for (size_t i = 0; i < MAX_BACKGROUND && b->count > 0; i++) {
		struct background *item = b->item[i];

		if (item == NULL || item->ends)
			continue;
		if (!is_there(item)) {
			drop(b, i);
			continue;
		}
		job_signal_group(&item->command.job, item->group, SIGTERM);
		item->ends = true;
		item->until_ms = now_ms + MAX_TERM_MS;
	}
}

void background_limit(struct backgrounds *b, int64_t until_ms)
{
	for (size_t i = 0; i < MAX_BACKGROUND && b->count > 0; i++) {
		struct background *item = b->item[i];

		if (item == NULL)
			continue;
		if (item->command.job.pid == 0 && !item->ends)
			item->until_ms = 0; /* what the command left does not hold up the end */
		else if (item->until_ms < 0)
			item->until_ms = until_ms;
	}
}

int64_t background_until_ms(const struct backgrounds *b)
{
	int64_t first = -1;

	for (size_t i = 0; i < MAX_BACKGROUND && b->count > 0; i++) {
		const struct background *item = b->item[i];

		if (item != NULL)
			first = clock_earlier(first, item->until_ms);
	}
	return first;
}

void background_wake(struct backgrounds *b, int64_t now_ms)
{
	for (size_t i = 0; i < MAX_BACKGROUND && b->count > 0; i++) {
		struct background *item = b->item[i];

		if (item == NULL || item->until_ms < 0 || item->until_ms > now_ms)
			continue;
		job_signal_group(&item->command.job, item->group, SIGKILL);
		if (item->command.job.pid == 0) {
			drop(b, i); /* only the group was left */
			continue;
		}
		item->late = true;
		item->until_ms = -1;
	}
}

void background_close(struct backgrounds *b)
{
	for (size_t i = 0; i < MAX_BACKGROUND && b->count > 0; i++) {
		struct background *item = b->item[i];

		if (item == NULL)
			continue;
		job_signal_group(&item->command.job, item->group, SIGKILL);
		drop(b, i);
	}
}
