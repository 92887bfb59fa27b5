/* The forecast of a policy for each cause. */
#include "policy/forecast.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const struct policy_options no_options = { .reboot_count = -1 };

static struct spec usual(void)
{
	return (struct spec){ .restart_limit = { false, 5, 30000 },
		.backoff = { false, 1000, 60000, 60000, 2 } };
}

/* Returns the forecast, lines as "reboot: boot t 0 by default".  The caller frees it. */
static char *tell(const struct policy_options *options, const struct spec *spec)
{
	struct forecast o;
	struct str s = { 0 };

	forecast_make(options, spec, "t", &o);
	for (size_t i = 0; i < o.count; i++) {
		const struct forecast_row *p = &o.item[i];
		const struct decision *d = &p->decision;

		str_add(&s, cause_name(p->cause));
		if (p->status >= 0)
			str_addf(&s, " %d", p->status);
		str_addf(&s, ": %s", decision_action(d));
		if (d->boot)
			str_addf(&s, " %s %" PRId64, d->target, d->delay_ms);
		else
			assert_int_equal(d->delay_ms, 0);
		str_addf(&s, " by %s\n", d->by);
	}
	forecast_clear(&o);
	return str_take(&s);
}

static void is(const struct policy_options *options, const struct spec *spec, const char *wanted)
{
	MEM_AUTO char *got = tell(options, spec);

	assert_string_equal(got, wanted);
}

static void has(const struct policy_options *options, const struct spec *spec, const char *line)
{
	MEM_AUTO char *got = tell(options, spec);

	if (strstr(got, line) == NULL)
		fail_msg("no \"%s\" in\n%s", line, got);
}

static void lacks(const struct policy_options *options, const struct spec *spec, const char *text)
{
	MEM_AUTO char *got = tell(options, spec);

	if (strstr(got, text) != NULL)
		fail_msg("\"%s\" in\n%s", text, got);
}

static void test_default(void **state)
{
	struct spec spec = usual();
	char next[] = "n";

	(void)state;
	is(&no_options, &spec,
	    "reboot: boot t 0 by default\npoweroff: stop by default\nhalt: stop by default\n"
	    "triple_fault: stop by default\nerror: stop by default\nkilled: stop by default\n"
	    "start_failed: stop by default\ncheck_failed: stop by default\n"
	    "given_up: stop by restart_limit\n");
	spec.next_target = next;
	has(&no_options, &spec, "reboot: boot n 0 by next_target\n");
	spec.loader.type = LOADER_GRUB;
	has(&no_options, &spec, "loader_failed: stop by default\n");
	spec.restart_limit.off = true;
	lacks(&no_options, &spec, "given_up");
}

static void test_on(void **state)
{
	struct spec spec = usual();
	char rescue[] = "rescue", next[] = "n";

	(void)state;
	spec.next_target = next;
	spec.on[CAUSE_REBOOT] = (struct action){ .kind = ACTION_SAME };
	spec.on[CAUSE_HALT] = (struct action){ .kind = ACTION_BOOT };
	spec.on[CAUSE_ERROR] =
	    (struct action){ .kind = ACTION_TARGET, .target = rescue, .delay = { true, 5000 } };
	spec.on[CAUSE_KILLED] = (struct action){ .kind = ACTION_STOP };
	spec.on[CAUSE_GIVEN_UP] = (struct action){ .kind = ACTION_WAIT };
	has(&no_options, &spec, "reboot: boot t 0 by on.reboot\n");
	has(&no_options, &spec, "halt: boot n 1000 by on.halt\n");
	has(&no_options, &spec, "error: boot rescue 5000 by on.error\n");
	has(&no_options, &spec, "killed: stop by on.killed\n");
	has(&no_options, &spec, "given_up: wait by on.given_up\n");
	spec.backoff.off = true;
	has(&no_options, &spec, "halt: boot n 0 by on.halt\n");
	spec.on[CAUSE_GIVEN_UP] =
	    (struct action){ .kind = ACTION_TARGET, .target = rescue, .times = 1 };
	has(&no_options, &spec, "given_up: boot rescue 0 by on.given_up\n");
}

/* The causes of `ready`, `alive` and `time_limit` need these keys. */
static void test_unfit(void **state)
{
	struct spec spec = usual();

	(void)state;
	spec.ready.kind = PROBE_CONSOLE;
	lacks(&no_options, &spec, "not_ready");
	spec.ready.within_ms = 1;
	has(&no_options, &spec, "not_ready: stop by default\n");
	lacks(&no_options, &spec, "unhealthy");
	spec.alive.kind = PROBE_EXEC;
	spec.on[CAUSE_UNHEALTHY] = (struct action){ .kind = ACTION_SAME };
	has(&no_options, &spec, "unhealthy: boot t 1000 by on.unhealthy\n");
	lacks(&no_options, &spec, "timed_out");
	spec.time_limit_ms = 1;
	has(&no_options, &spec, "timed_out: stop by default\n");
}

static void test_command_line(void **state)
{
	struct policy_options options = no_options;
	struct spec spec = usual();
	struct error err = { 0 };

	(void)state;
	options.no_reboot = true;
	has(&options, &spec, "reboot: stop by --no-reboot\n");
	has(&options, &spec, "poweroff: stop by default\n");
	lacks(&options, &spec, "given_up");
	options = no_options;
	options.reboot_count = 0;
	has(&options, &spec, "reboot: stop by --reboot-count 0\n");
	lacks(&options, &spec, "given_up");
	options.reboot_count = 1;
	has(&options, &spec, "reboot: boot t 0 by default\n");
	assert_int_equal(reboot_list_parse("halt,1", &options.reboot_on, &err), 0);
	spec.on[CAUSE_KILLED] = (struct action){ .kind = ACTION_SAME };
	has(&options, &spec, "halt: boot t 1000 by --reboot-on\n");
	has(&options, &spec, "poweroff: boot t 1000 by --reboot-on\n");
	has(&options, &spec, "reboot: stop by --reboot-on\n");
	has(&options, &spec, "killed: stop by --reboot-on\n");
	reboot_list_free(&options.reboot_on);
}

/* A rule of a list for one status is reported, and only for that status. */
static void test_single_statuses(void **state)
{
	struct spec spec = usual();
	struct error err = { 0 };

	(void)state;
	assert_int_equal(reboot_list_parse("4,71,error", &spec.reboot_on, &err), 0);
	has(&no_options, &spec, "error: boot t 1000 by reboot_on\n");
	lacks(&no_options, &spec, "error 71");
	reboot_list_free(&spec.reboot_on);
	assert_int_equal(reboot_list_parse("71,4,3", &spec.reboot_on, &err), 0);
	has(&no_options, &spec,
	    "triple_fault: boot t 1000 by reboot_on\nerror: stop by reboot_on\n"
	    "error 4: boot t 1000 by reboot_on\nerror 71: boot t 1000 by reboot_on\nkilled");
	spec.on[CAUSE_ERROR] = (struct action){ .kind = ACTION_STOP };
	lacks(&no_options, &spec, "error 71");
	reboot_list_free(&spec.reboot_on);
}

/* When lists name each status, the row of errors is that of one of them. */
static void test_all_statuses(void **state)
{
	struct spec spec = usual();
	STR_AUTO struct str list = { 0 };
	struct error err = { 0 };

	(void)state;
	for (int status = cause_status(CAUSE_ERROR); status <= MAX_STATUS; status++)
		str_addf(&list, "%s%d", list.length > 0 ? "," : "", status);
	assert_int_equal(reboot_list_parse(list.text, &spec.reboot_on, &err), 0);
	has(&no_options, &spec, "error: boot t 1000 by reboot_on\nkilled");
	reboot_list_free(&spec.reboot_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_on),
		cmocka_unit_test(test_unfit),
		cmocka_unit_test(test_command_line),
		cmocka_unit_test(test_single_statuses),
		cmocka_unit_test(test_all_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
