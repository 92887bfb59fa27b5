/* The library's public functions: a program that decides what follows a boot. */
#include "life.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

/* What the handler answers at each call, and what it was asked. */
struct script {
	const struct vmrun_decision *answer; /* ends with one that has no member set */
	int calls;
	char asked[512]; /* "default:reboot@90 " for each call */
};

static void decide(struct vmrun_decision *d, void *context)
{
	struct script *s = context;
	size_t used = strlen(s->asked);
	const struct vmrun_decision *a = &s->answer[s->calls++];

	assert_string_equal(d->vm, "demo");
	assert_int_equal(d->action, VMRUN_DECIDE_NOTHING);
	assert_null(d->target);
	assert_int_equal(d->delay_ms, -1);
	assert_int_equal(d->exit_status, -1);
	assert_int_equal(d->boots, s->calls);
	(void)snprintf(s->asked + used, sizeof(s->asked) - used, "%s:%s/%d:%d@%lld ", d->ended,
	    d->cause, (int)d->cause_code, d->status, (long long)d->uptime_ms / 1000);
	d->action = a->action;
	d->target = a->target;
	d->delay_ms = a->delay_ms;
	d->exit_status = a->exit_status;
}

static const char spec[] = "local vm = { name = 'demo', cpu = 1, mem = '64M', bootrom = '/rom',"
			   " restart_limit = { count = 2, within = 30 },"
			   " targets = { a = {}, b = { next_target = 'a' } } }\n"
			   "function vm.on_exit() print('hook') end return vm";

/* Simulates; returns "action:target:delay:by" of each decision, "hook" and warnings. */
static const char *simulate(struct script *s, const char *list, int status)
{
	static char said[2048];
	struct vmrun_options options = VMRUN_OPTIONS;
	struct vmrun *vm;
	const struct vmrun_event *e;

	options.text = spec;
	options.length = strlen(spec);
	options.format = "lua";
	options.hypervisor = "bhyve";
	options.dry_run = true;
	options.decide = decide;
	options.decide_context = s;
	said[0] = '\0';
	s->asked[0] = '\0';
	s->calls = 0;
	assert_int_equal(vmrun_open(&vm, &options), 0);
	assert_int_equal(vmrun_simulate(vm, list), 0);
	while ((e = vmrun_next_event(vm)) != NULL) {
		size_t used = strlen(said);

		if (e->type == VMRUN_DECIDED)
			(void)snprintf(said + used, sizeof(said) - used, "%s:%s:%lld:%s\n",
			    e->action, e->target == NULL ? "-" : e->target, (long long)e->delay_ms,
			    e->by);
		else if (e->type == VMRUN_LOG || e->type == VMRUN_WARNING)
			(void)snprintf(said + used, sizeof(said) - used, "%s\n", e->text);
	}
	assert_int_equal(vmrun_status(vm), status);
	vmrun_close(vm);
	return said;
}

static void test_answers(void **state)
{
	static const struct vmrun_decision answers[] = {
		{ .action = VMRUN_DECIDE_BOOT, .target = "b", .delay_ms = 2500 },
		{ .action = VMRUN_DECIDE_BOOT, .delay_ms = -1 },
		{ .action = VMRUN_DECIDE_NOTHING },
		{ .action = VMRUN_DECIDE_STOP, .exit_status = 7 },
	};
	struct script s = { .answer = answers };

	(void)state;
	/* With an answer no hook is called; without a target the policy's next one boots. */
	assert_string_equal(simulate(&s, "triple_fault@90,poweroff@100,reboot@200,reboot@300", 7),
	    "boot:b:2500:the program\nboot:a:1000:the program\nhook\nboot:a:0:default\n"
	    "stop:-:0:the program\n");
	assert_string_equal(s.asked,
	    "default:triple_fault/4:3@90 b:poweroff/2:1@100 a:reboot/1:0@200 a:reboot/1:0@300 ");
}

static void test_stop_by_cause(void **state)
{
	static const struct vmrun_decision stop = { .action = VMRUN_DECIDE_STOP,
		.exit_status = -1 };
	struct script s = { .answer = &stop };

	(void)state;
	assert_string_equal(simulate(&s, "triple_fault", 3), "stop:-:0:the program\n");
}

/* A delay of 0 is immediate, where the backoff would wait. */
static void test_no_delay(void **state)
{
	static const struct vmrun_decision boot[] = {
		{ .action = VMRUN_DECIDE_BOOT, .delay_ms = 0 },
		{ .action = VMRUN_DECIDE_NOTHING },
	};
	struct script s = { .answer = boot };

	(void)state;
	assert_string_equal(simulate(&s, "error,poweroff", 0),
	    "boot:default:0:the program\nhook\nstop:-:0:default\n");
}

/* The stop request decides; the program is not asked. */
static void test_stop_request(void **state)
{
	static const struct vmrun_decision none = { .action = VMRUN_DECIDE_NOTHING };
	struct script s = { .answer = &none };
	struct vmrun_options options = VMRUN_OPTIONS;
	struct vmrun *vm;

	(void)state;
	options.decide = decide;
	options.decide_context = &s;
	vm = life_open_with(&options, "demo", "");
	life_script("acpi on wait exit 1");
	assert_int_equal(vmrun_start(vm), 0);
	while (vmrun_get_state(vm)->pid == 0)
		life_step(vm, 10000);
	vmrun_stop(vm);
	(void)life_end(vm);
	assert_int_equal(s.calls, 0);
	vmrun_close(vm);
}

static void test_invalid_answers(void **state)
{
	static const struct vmrun_decision answers[] = {
		{ .action = VMRUN_DECIDE_BOOT, .target = "c", .delay_ms = -1 },
		{ .action = VMRUN_DECIDE_STOP, .exit_status = 256 },
	};
	struct script s = { .answer = answers };

	(void)state;
	assert_string_equal(simulate(&s, "reboot@90,poweroff", 0),
	    "the answer of the program is ignored: unknown target \"c\" (known: a, b, default); "
	    "hooks and the policy "
	    "decide\nhook\nboot:default:0:default\n"
	    "the answer of the program is ignored: the exit status 256 is out of range: expected 0 "
	    "to 255; hooks and the policy decide\nhook\nstop:-:0:default\n");
}

/* The rate limit applies to its boots, and on.given_up answers for given_up. */
static void test_rate_limit(void **state)
{
	static const struct vmrun_decision boot[] = {
		{ .action = VMRUN_DECIDE_BOOT, .delay_ms = 0 },
		{ .action = VMRUN_DECIDE_BOOT, .delay_ms = 0 },
		{ .action = VMRUN_DECIDE_BOOT, .delay_ms = 0 },
	};
	struct script s = { .answer = boot };

	(void)state;
	assert_string_equal(simulate(&s, "reboot,reboot,reboot", 10),
	    "boot:default:0:the program\nboot:default:0:the "
	    "program\nstop:-:0:restart_limit\nhook\n");
	assert_int_equal(s.calls, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_stop_by_cause),
		cmocka_unit_test(test_no_delay),
		cmocka_unit_test_setup_teardown(test_stop_request, life_enter, life_leave),
		cmocka_unit_test(test_invalid_answers),
		cmocka_unit_test(test_rate_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
