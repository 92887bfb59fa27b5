/* vmrun kills the command of a probe that does not end in time. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "guest/attempt.h"
#include "life.h"

#define MAX_ATTEMPT_MS 10000 /* as in guest/attempt.c */

/* The linker sets these names. */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
void __real_attempt_begin(
    struct attempt *a, const struct probe *p, const struct attempt_loop *l, int64_t now_ms);
void __wrap_attempt_begin(
    struct attempt *a, const struct probe *p, const struct attempt_loop *l, int64_t now_ms);

void __wrap_attempt_begin(
    struct attempt *a, const struct probe *p, const struct attempt_loop *l, int64_t now_ms)
{
	/* The limit of the second try is now: failures count only after a success. */
	__real_attempt_begin(a, p, l, now_ms - (life_file_exists("once") ? MAX_ATTEMPT_MS : 0));
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* Returns whether an event of the VM says that its guest is unhealthy because of a late command. */
static bool says_late(struct vmrun *vm)
{
	const struct vmrun_event *e;
	bool says = false;

	while ((e = vmrun_next_event(vm)) != NULL)
		says = says ||
		    (e->type == VMRUN_UNHEALTHY &&
			strstr(e->text, "sh did not end within 10 s and was killed") != NULL);
	return says;
}

static void test_killed_when_its_time_is_over(void **state)
{
	struct vmrun *vm = life_open("late",
	    ",\"alive\":{\"exec\":[\"sh\",\"-c\",\"[ -e once ] && exec sleep 1000; touch "
	    "once\"],\"every\":0.05,\"failures\":1},"
	    "\"stop\":[{\"do\":\"kill\",\"wait\":5}],\"on\":{\"unhealthy\":\"stop\"}");
	bool late = false;

	(void)state;
	life_script("hang\n");
	assert_int_equal(vmrun_start(vm), 0);
	while (!vmrun_ended(vm)) {
		life_step(vm, 60000);
		late = says_late(vm) || late;
	}
	assert_true(late);
	assert_int_equal(vmrun_status(vm), 5);
	vmrun_close(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_killed_when_its_time_is_over, life_enter, life_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
