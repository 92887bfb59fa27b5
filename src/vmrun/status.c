/* The state of a VM as one line of text. */
#include "status.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add(char text[STATUS_SIZE], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends formatted text, and cuts it if the buffer is full. */
static void add(char text[STATUS_SIZE], const char *fmt, ...)
{
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text + n, STATUS_SIZE - n, fmt, ap);
	va_end(ap);
}

/* Returns the seconds, rounded up, so that 0 means that the wait is over. */
static int64_t seconds_left(int64_t ms)
{
	return (ms + 999) / 1000;
}

static void add_time(char text[STATUS_SIZE], int64_t s)
{
	if (s < 60)
		add(text, "%" PRId64 " s", s);
	else if (s < 3600)
		add(text, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
	else if (s < 86400)
		add(text, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
	else
		add(text, "%" PRId64 " d %" PRId64 " h", s / 86400, s / 3600 % 24);
}

static void add_process(char text[STATUS_SIZE], const struct vmrun_state *state, bool times)
{
	add(text, ", pid %d", state->pid);
	if (!times)
		return;
	add(text, ", up ");
	add_time(text, state->uptime_ms / 1000);
}

/* Appends what the VM waits for, and the time left. */
static void add_wait(char text[STATUS_SIZE], const struct vmrun_state *state, bool times)
{
	if (strcmp(state->state, "backoff") == 0) {
		add(text, ", next boot");
		if (state->next_target != NULL)
			add(text, " of %s", state->next_target);
		if (times) {
			add(text, " in ");
			add_time(text, seconds_left(state->wait_ms));
		}
	} else if (state->waits_for != NULL) {
		add(text, ", for %s", state->waits_for);
		if (times) {
			add(text, ", ");
			add_time(text, seconds_left(state->wait_ms));
			add(text, " left");
		}
	} else if (state->stop_action != NULL) {
		add(text, ", step %d (%s)", state->stop_step, state->stop_action);
		if (times) {
			add(text, ", next one in ");
			add_time(text, seconds_left(state->wait_ms));
		}
	} else if (strcmp(state->state, "given_up") == 0) {
		add(text, ", until a reset or a stop");
	}
}

void status_text(const struct vmrun_state *state, bool times, char text[STATUS_SIZE])
{
	text[0] = '\0';
	add(text, "%s", state->state);
	if (state->target != NULL)
		add(text, ", target %s", state->target);
	if (state->pid != 0)
		add_process(text, state, times);
	if (state->pid != 0 && state->ready == 0)
		add(text, ", not ready yet");
	if (state->boots > 0)
		add(text, ", boot %" PRId64, state->boots);
	if (state->cause != NULL)
		add(text, ", last exit %s", state->cause);
	add_wait(text, state, times);
}

void status_stopping(const struct vmrun_state *state, bool by_key, char text[STATUS_SIZE])
{
	text[0] = '\0';
	add(text, "stopping: %s ", state->stop_action);
	add_time(text, seconds_left(state->wait_ms));
	/* The first stop request need not start the next step: vmrun may have begun the ladder. */
	if (state->stop_requested)
		add(text, "; %s: next step", by_key ? "^C" : "another SIGTERM");
	else
		add(text, "; %s: stop", by_key ? "^C" : "SIGTERM");
}

void status_waiting(const struct vmrun_state *state, char text[STATUS_SIZE])
{
	text[0] = '\0';
	add(text, "waiting ");
	add_time(text, seconds_left(state->wait_ms));
	add(text, " for %s",
	    state->waits_for); /* last, because a narrow terminal cuts a long path */
}

int status_tick_ms(const struct vmrun_state *state)
{
	return (int)(state->wait_ms - (seconds_left(state->wait_ms) - 1) * 1000);
}
