/* The timeout of "wait", against a vmrun and a clock of the test. */
#include "../base/dice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "vmrunctl/ctl.h"
#include "vmrunctl/ctl_show.h"
#include "vmrunctl/past.h"

static int64_t now_ms;	    /* the clock */
static int64_t open_ms;	    /* the time that a failed attempt to connect takes */
static int failed_attempts; /* before one succeeds */
static char awaited[64];    /* by the wait; "": none was made */
static int64_t limit_ms;    /* of the wait */

int64_t ctl_now_ms(void)
{
	return now_ms;
}

int ctl_try(const struct ctl *ctl, struct vmrun_client **client)
{
	(void)ctl;
	(void)vmrun_client_open(client, "", "", 0);
	if (failed_attempts == 0)
		return VMRUN_CLIENT_OK;
	failed_attempts--;
	now_ms += open_ms;
	return VMRUN_CLIENT_NOT_RUNNING;
}

int ctl_open(const struct ctl *ctl, struct vmrun_client **client)
{
	return ctl_try(ctl, client);
}

int ctl_connect(const struct ctl *ctl, struct vmrun_client **client)
{
	return ctl_try(ctl, client);
}

void ctl_close(struct vmrun_client **client)
{
	vmrun_client_close(*client);
	*client = NULL;
}

int ctl_fail(const struct ctl *ctl, const struct vmrun_client *client, int status)
{
	(void)ctl;
	(void)client;
	return status;
}

int ctl_ask(const struct ctl *ctl, struct vmrun_client *client, const char *request, int64_t limit,
    char **answer)
{
	(void)ctl;
	(void)client;
	(void)request;
	(void)limit;
	(void)answer;
	fail_msg("a wait asks by the library");
	return STATUS_BUG;
}

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
int __wrap_vmrun_client_ask(
    struct vmrun_client *client, const char *request, int64_t limit, const char **answer);
int __wrap_vmrun_client_wait(struct vmrun_client *client, const char *what, int64_t limit);

/* vmrun ends between the connection and this request. */
int __wrap_vmrun_client_ask(
    struct vmrun_client *client, const char *request, int64_t limit, const char **answer)
{
	(void)client;
	(void)limit;
	(void)answer;
	assert_string_equal(request, "{\"cmd\":\"status\"}");
	return VMRUN_CLIENT_NOT_RUNNING;
}

int __wrap_vmrun_client_wait(struct vmrun_client *client, const char *what, int64_t limit)
{
	assert_non_null(client);
	(void)snprintf(awaited, sizeof(awaited), "%s", what);
	limit_ms = limit;
	return VMRUN_CLIENT_OK;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

char *ctl_request_json(const char *cmd, const char *key, const char *text)
{
	(void)cmd;
	(void)key;
	(void)text;
	return mem_copy("{}");
}

int ctl_error(const struct ctl *ctl, int status, const char *fmt, ...)
{
	(void)ctl;
	(void)fmt;
	return status;
}

void show_status(const char *answer)
{
	(void)answer;
}

bool history_show_end(const struct ctl *ctl)
{
	(void)ctl;
	return false;
}

/* Returns the status of "wait" with a timeout, while `failures` attempts of `ms` fail. */
static int wait_for_vm(int64_t timeout_ms, int failures, int64_t ms)
{
	const struct ctl ctl = {
		.run_dir = "run", .vm = "demo", .command = "wait", .timeout_ms = timeout_ms
	};

	now_ms = 1000;
	open_ms = ms;
	failed_attempts = failures;
	awaited[0] = '\0';
	return ctl_wait(&ctl);
}

static void test_time_left(void **state)
{
	(void)state;
	assert_int_equal(wait_for_vm(3000, 0, 0), STATUS_OK);
	assert_string_equal(awaited, "running");
	assert_int_equal(limit_ms, 3000);
	assert_int_equal(wait_for_vm(3000, 2, 1000), STATUS_OK);
	assert_string_equal(awaited, "running");
	assert_int_equal(limit_ms, 1000);
	assert_int_equal(wait_for_vm(3000, 4, 1000), CTL_NOT_RUNNING);
	assert_string_equal(awaited, "");
}

/* A timeout that passes while an attempt fails ends the wait: a negative rest is no limit. */
static void test_no_time_left(void **state)
{
	(void)state;
	for (int64_t late = 0; late <= 1000; late += 500) {
		assert_int_equal(wait_for_vm(3000, 1, 3000 + late), CTL_NOT_RUNNING);
		assert_string_equal(awaited, "");
	}
}

static void test_no_timeout(void **state)
{
	(void)state;
	assert_int_equal(wait_for_vm(-1, 0, 0), STATUS_OK);
	assert_string_equal(awaited, "running");
	assert_int_equal(limit_ms, -1);
}

/* A vmrun that was killed may have left a hypervisor, for which the library waits. */
static void test_gone_before_the_wait(void **state)
{
	const struct ctl ctl = {
		.run_dir = "run", .vm = "demo", .command = "wait", .gone = true, .timeout_ms = -1
	};

	(void)state;
	awaited[0] = '\0';
	failed_attempts = 1;
	assert_int_equal(ctl_wait(&ctl), STATUS_OK);
	assert_string_equal(awaited, "gone");
	awaited[0] = '\0';
	failed_attempts = 0;
	assert_int_equal(ctl_wait(&ctl), STATUS_OK);
	assert_string_equal(awaited, "gone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time_left),
		cmocka_unit_test(test_no_time_left),
		cmocka_unit_test(test_no_timeout),
		cmocka_unit_test(test_gone_before_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
