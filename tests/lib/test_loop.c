/* One dispatch of a VM: how much it does before it returns to the caller. */
#include "life.h"
#include "talk.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/handle.h"

#define MAX_WAKES 64	/* per dispatch */
#define MAX_EVENTS 1024 /* queued when a dispatch stops */

static int timer_faults; /* calls that fail before one works */

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
int __real_waitset_set_deadline(struct waitset *ws, int64_t at_ms, struct error *err);
int __wrap_waitset_set_deadline(struct waitset *ws, int64_t at_ms, struct error *err);

int __wrap_waitset_set_deadline(struct waitset *ws, int64_t at_ms, struct error *err)
{
	if (timer_faults <= 0)
		return __real_waitset_set_deadline(ws, at_ms, err);
	timer_faults--;
	return error_set(err, STATUS_OS, "cannot set a deadline: Cannot allocate memory");
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static int client[MAX_WAKES + 1];

/* Dispatches until nothing is left to do. */
static void drain(struct vmrun *vm)
{
	struct pollfd p = { .fd = vmrun_fd(vm), .events = POLLIN };

	while (poll(&p, 1, 0) > 0)
		assert_int_equal(vmrun_dispatch(vm), 0);
}

static struct vmrun *begin(void)
{
	struct vmrun *vm = talk_begin("ready up hang", "");

	life_wait_for(vm, "up");
	for (size_t i = 0; i < MAX_WAKES + 1; i++) {
		client[i] = talk_client(vm);
		drain(vm);
	}
	return vm;
}

/* Sends a request from each of the first clients, dispatches once and returns how many have their
 * answer. */
static size_t count_answers(struct vmrun *vm, size_t requests)
{
	size_t answers = 0;
	char byte;

	drain(vm);
	for (size_t i = 0; i < requests; i++)
		talk_say(client[i], STATUS);
	assert_int_equal(vmrun_dispatch(vm), 0);
	for (size_t i = 0; i < requests; i++)
		answers += recv(client[i], &byte, 1, MSG_PEEK) == 1 ? 1 : 0;
	for (size_t i = 0; i < requests; i++)
		talk_expect(vm, client[i], "\"vm\":\"demo\"");
	return answers;
}

static void end(struct vmrun *vm)
{
	for (size_t i = 0; i < MAX_WAKES + 1; i++)
		(void)close(client[i]);
	(void)life_events(vm);
	talk_finish(vm);
}

static void test_wakes(void **state)
{
	struct vmrun *vm = begin();

	(void)state;
	assert_int_equal(count_answers(vm, MAX_WAKES), MAX_WAKES);
	assert_int_equal(count_answers(vm, MAX_WAKES + 1), MAX_WAKES);
	end(vm);
}

/* A timer that fails a few times is set; one that fails always ends the dispatch. */
static void test_timer(void **state)
{
	struct vmrun *vm = talk_begin("ready up hang", "");

	(void)state;
	life_wait_for(vm, "up");
	timer_faults = 9;
	vmrun_stop(vm); /* the ladder has a deadline */
	assert_int_equal(timer_faults, 0);
	assert_int_equal(vmrun_dispatch(vm), 0);
	vm->deadline_ms = 0; /* so that it is set again */
	timer_faults = 1000;
	assert_int_equal(vmrun_dispatch(vm), STATUS_OS);
	timer_faults = 0;
	assert_int_equal(vmrun_dispatch(vm), 0);
	vmrun_close(vm);
}

/* Fills the queue up to this number of events. */
static void queue_events(struct vmrun *vm, size_t count)
{
	while (vm->events.count < count)
		event_text(event_add(&vm->events, VMRUN_NOTE), "note");
}

static void test_events(void **state)
{
	struct vmrun *vm = begin();

	(void)state;
	queue_events(vm, MAX_EVENTS - 1);
	assert_int_equal(count_answers(vm, 3), 3);
	queue_events(vm, MAX_EVENTS);
	assert_int_equal(count_answers(vm, 3), 1);
	end(vm);
}

/* A dispatch ends with a slice of a hook, in which the hook cannot say more than this. */
#define MAX_SLICE_EVENTS 400
#define MAX_WAIT_MS 60000

/* Kills the VM and takes the events of each dispatch, of which the hook makes many. */
static void kill_and_drain(struct vmrun *vm)
{
	struct pollfd p = { .fd = vmrun_fd(vm), .events = POLLIN };
	bool is_told = false;

	while (!is_told) {
		/* The hook has its time to see the end of its boot, unless asked for again. */
		vmrun_kill(vm);
		is_told = strstr(life_events(vm), "ended:stopped") != NULL;
		if (vmrun_ended(vm))
			continue;
		assert_int_equal(poll(&p, 1, MAX_WAIT_MS), 1);
		assert_int_equal(vmrun_dispatch(vm), 0);
	}
	assert_true(vmrun_ended(vm));
	vmrun_close(vm);
}

static void test_slices(void **state)
{
	struct vmrun *vm;
	FILE *hook = fopen("hook.lua", "w");

	(void)state;
	assert_non_null(hook);
	assert_true(fputs("return { on_started = function()\n"
			  "while true do vmrun.event { a = 1 } end end }",
			hook) > 0);
	assert_int_equal(fclose(hook), 0);
	vm = talk_begin("ready up hang", ",\"hooks\":[\"./hook.lua\"],\"hook_timeout\":600");
	life_wait_for(vm, "up");
	for (int i = 0; i < 5; i++) {
		struct pollfd p = { .fd = vmrun_fd(vm), .events = POLLIN };

		(void)life_events(vm);
		assert_int_equal(poll(&p, 1, 0), 1);
		assert_int_equal(vmrun_dispatch(vm), 0);
		assert_in_range(vm->events.count, 0, MAX_SLICE_EVENTS);
	}
	talk_expect_alive(vm);
	kill_and_drain(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_wakes, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_timer, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_events, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_slices, life_enter, life_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
