/* The timeout of "wait", against a vmrun and a clock of the test. */
#include "../base/dice.h"

#include <errno.h>
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
static char sent[256];	    /* the request */
static int64_t limit_ms;    /* for its answer */

int64_t connection_now_ms(void)
{
	return now_ms;
}

int64_t connection_deadline_ms(int64_t from_now_ms)
{
	return from_now_ms < 0 ? -1 : now_ms + from_now_ms;
}

char *connection_read_line(struct connection *c, int64_t until_ms)
{
	(void)c;
	(void)until_ms;
	return NULL;
}

void connection_close(struct connection *c)
{
	(void)c;
}

int ctl_open(const struct ctl *ctl, struct connection *connection, bool say)
{
	(void)ctl;
	(void)connection;
	(void)say;
	if (failed_attempts == 0)
		return STATUS_OK;
	failed_attempts--;
	now_ms += open_ms;
	return CTL_NOT_RUNNING;
}

bool ctl_is_gone(int why)
{
	return why == ENOENT;
}

int ctl_ping(const struct ctl *ctl, struct connection *connection)
{
	(void)ctl;
	(void)connection;
	return STATUS_OK;
}

int ctl_connect(const struct ctl *ctl, struct connection *connection)
{
	return ctl_open(ctl, connection, true);
}

int ctl_send(const struct ctl *ctl, struct connection *connection, const char *request,
    int64_t limit, char **answer)
{
	(void)ctl;
	(void)connection;
	(void)snprintf(sent, sizeof(sent), "%s", request);
	limit_ms = limit;
	assert_null(answer);
	return STATUS_OK;
}

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
	sent[0] = '\0';
	return ctl_wait(&ctl);
}

static void test_time_left(void **state)
{
	(void)state;
	assert_int_equal(wait_for_vm(3000, 0, 0), STATUS_OK);
	assert_non_null(strstr(sent, "\"timeout\":3.000"));
	assert_int_equal(limit_ms, 3000 + CTL_ANSWER_MS);
	assert_int_equal(wait_for_vm(3000, 2, 1000), STATUS_OK);
	assert_non_null(strstr(sent, "\"timeout\":1.000"));
	assert_int_equal(limit_ms, 1000 + CTL_ANSWER_MS);
	assert_int_equal(wait_for_vm(3000, 4, 1000), CTL_NOT_RUNNING);
	assert_string_equal(sent, "");
}

/* The last attempt succeeds after the timeout: the wait must not last for ever. */
static void test_no_time_left(void **state)
{
	(void)state;
	for (int64_t late = 0; late <= 1000; late += 500) {
		assert_int_equal(wait_for_vm(3000, 1, 3000 + late), STATUS_OK);
		assert_non_null(strstr(sent, "\"timeout\":0.000"));
		assert_int_equal(limit_ms, CTL_ANSWER_MS);
	}
}

static void test_no_timeout(void **state)
{
	(void)state;
	assert_int_equal(wait_for_vm(-1, 0, 0), STATUS_OK);
	assert_null(strstr(sent, "timeout"));
	assert_int_equal(limit_ms, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time_left),
		cmocka_unit_test(test_no_time_left),
		cmocka_unit_test(test_no_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
