/* The loop of a run. */
#include "supervise.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "cli/head.h"
#include "cli/mask.h"
#include "report.h"
#include "signals.h"
#include "status.h"

struct run {
	struct vmrun *vm;
	struct renderer *renderer;
	struct ready *ready;
	struct question question;
	int signals;
};

static void show(const struct vmrun_event *event, struct vmrun *vm, struct renderer *renderer)
{
	if (event->type == VMRUN_CHECKED && event->problems > 0)
		report_to_sink(vm, event, renderer);
	events_add(&renderer->events, event);
	render_event(event, renderer);
}

void supervise_show(struct vmrun *vm, struct renderer *renderer)
{
	const struct vmrun_event *event;

	while ((event = vmrun_next_event(vm)) != NULL)
		show(event, vm, renderer);
}

static void handle_events(struct run *run)
{
	const struct vmrun_event *event;

	while ((event = vmrun_next_event(run->vm)) != NULL) {
		if (event->type == VMRUN_EXITED || event->type == VMRUN_ENDED)
			report_close_question(&run->question, run->renderer);
		show(event, run->vm, run->renderer);
		if (event->asks)
			report_ask(&run->question, report_count_fixes(run->vm), run->renderer);
	}
}

/* Tells the parent process and the service manager how the VM stands. */
static void tell_state(struct run *run, const struct vmrun_state *state)
{
	const char *wrong = state->started ? ready_up(run->ready) : NULL;

	if (wrong != NULL)
		sink_say(&run->renderer->sink, LEVEL_WARNING, "%s: warning: --ready-fd: %s",
		    vmrun_name(run->vm), wrong);
	ready_update(run->ready, state);
}

static void reload(struct run *run)
{
	ready_reloading(run->ready);
	(void)vmrun_reload(run->vm);
}

/* Opens the files of the program and the library again, after a log rotation. */
static void reopen(struct run *run)
{
	vmrun_reopen_logs(run->vm);
	events_reopen(&run->renderer->events);
}

static void say_status(struct run *run)
{
	struct vmrun_state state;
	char text[STATUS_SIZE];

	state = *vmrun_get_state(run->vm);
	status_text(&state, true, text);
	render_status(run->renderer, vmrun_name(run->vm), text);
}

static void handle_signals(struct run *run)
{
	struct signals received;

	signals_fetch(run->signals, &received);
	if (received.status)
		say_status(run);
	if (received.reopen)
		reopen(run);
	if (received.stop)
		vmrun_stop(run->vm);
	else if (received.reload)
		reload(run);
}

/* Reads the answer to the open question; at any other time stdin belongs to the guest. */
static void read_answer(struct run *run)
{
	bool yes;

	if (report_read_answer(&run->question, &yes, run->renderer))
		vmrun_answer(run->vm, yes);
}

/*
 * Shows on the status line what a stop or a start waits for and the time left.  Returns the
 * milliseconds until the line must be rewritten, or -1.
 */
static int show_wait(struct run *run, const struct vmrun_state *state)
{
	struct status_line *status_line = &run->renderer->sink.status_line;
	char text[STATUS_SIZE];

	if ((state->stop_action == NULL && state->waits_for == NULL) ||
	    !sink_has_status_line(&run->renderer->sink)) {
		if (!run->question.is_open)
			status_line_end(status_line);
		return -1;
	}
	if (state->stop_action != NULL)
		status_stopping(state, isatty(STDIN_FILENO) != 0 && !run->renderer->terminal, text);
	else
		status_waiting(state, text);
	MEM_AUTO char *line = head_line("vmrun: ", vmrun_name(run->vm), text);

	mask_control(line, "", '?');
	status_line_set(status_line, line, run->renderer->sink.console);
	return status_tick_ms(state);
}

static int report_poll_error(struct run *run)
{
	sink_say(&run->renderer->sink, LEVEL_ERROR,
	    "%s: cannot wait for events: poll: %s: vmrun ends and kills the VM",
	    vmrun_name(run->vm), strerror(errno));
	return STATUS_OS;
}

/* Waits for events and handles them.  Returns 0, or the exit status of a failure. */
static int wait_and_dispatch(struct run *run, int ms)
{
	enum { VM, SIGNALS, ANSWER, EVENTS, SOURCES };
	struct pollfd p[SOURCES] = { [VM] = { .fd = vmrun_fd(run->vm), .events = POLLIN },
		[SIGNALS] = { .fd = run->signals, .events = POLLIN },
		[ANSWER] = { .fd = run->question.is_open ? STDIN_FILENO : -1, .events = POLLIN },
		[EVENTS] = { .fd = events_fd(&run->renderer->events), .events = POLLOUT } };

	if (poll(p, SOURCES, ms) < 0) {
		if (errno != EINTR)
			return report_poll_error(run);
		/* The handler of the signal has made its pipe readable. */
		for (int i = 0; i < SOURCES; i++)
			p[i].revents = i == SIGNALS ? POLLIN : 0;
	}
	if (p[EVENTS].revents != 0)
		events_flush(&run->renderer->events);
	if (p[SIGNALS].revents != 0)
		handle_signals(run);
	if (p[ANSWER].revents != 0)
		read_answer(run);
	return vmrun_dispatch(run->vm);
}

static int run_to_end(struct run *run)
{
	struct vmrun_state state;
	int status = 0, ms;

	while (status == 0) {
		handle_events(run);
		state = *vmrun_get_state(run->vm);
		ms = show_wait(run, &state);
		tell_state(run, &state);
		if (vmrun_ended(run->vm))
			return vmrun_status(run->vm);
		status = wait_and_dispatch(run, ms);
	}
	return status;
}

int supervise(struct vmrun *vm, struct renderer *renderer, struct ready *ready)
{
	struct run run = {
		.vm = vm, .renderer = renderer, .ready = ready, .signals = signals_open(vm)
	};
	int status;

	if (run.signals < 0) {
		sink_say(&renderer->sink, LEVEL_ERROR, "cannot catch signals: %s", strerror(errno));
		return STATUS_OS;
	}
	status = vmrun_start(vm);
	if (status == 0) {
		events_begin(&renderer->events);
		status = run_to_end(&run);
	} else {
		handle_events(&run);
	}
	status_line_end(&renderer->sink.status_line);
	signals_close(run.signals);
	return status;
}
