/* The queue of events. */
#include "event/event.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_order_and_numbers(void **state)
{
	struct event_queue q = { .vm = "demo" };
	struct vmrun_event e;

	(void)state;
	assert_false(event_next(&q, &e));
	for (int type = 0; type <= VMRUN_UNHEALTHY; type++)
		(void)event_add(&q, (enum vmrun_event_type)type);
	for (int type = 0; type <= VMRUN_UNHEALTHY; type++) {
		assert_true(event_next(&q, &e));
		assert_int_equal(e.type, type);
		assert_int_equal(e.seq, type + 1);
		assert_string_equal(e.vm, "demo");
		assert_non_null(e.name);
		assert_true(*e.name != '\0');
	}
	assert_false(event_next(&q, &e));
	event_queue_clear(&q);
}

static void test_limit_of_waiting_output(void **state)
{
	enum { MAX = 8192 };
	struct event_queue q = { 0 };
	struct vmrun_event e;

	(void)state;
	for (int i = 0; i < MAX; i++)
		(void)event_add(&q, VMRUN_OUTPUT);
	assert_true(event_next(&q, &e));
	assert_int_equal(e.seq, 1);
	(void)event_add(&q, VMRUN_OUTPUT);
	event_text(event_add(&q, VMRUN_OUTPUT), "last");
	assert_true(event_next(&q, &e));
	assert_int_equal(e.type, VMRUN_LOST);
	assert_string_equal(e.name, "lost");
	assert_int_equal(e.seq, 2);
	assert_int_equal(e.lost, 1);
	assert_null(e.text);
	assert_true(event_next(&q, &e));
	assert_int_equal(e.seq, 3);
	event_queue_clear(&q);
}

/* An event that is lost leaves none of its texts. */
static void test_texts_of_lost_output(void **state)
{
	enum { MAX = 8192 };
	struct event_queue q = { 0 };
	struct event_record *r = event_add(&q, VMRUN_OUTPUT);
	struct vmrun_event e;

	(void)state;
	event_devices(r, "{}");
	event_ended_text(r, "text");
	event_cause_text(r, "text");
	for (int i = 0; i < MAX; i++)
		(void)event_add(&q, VMRUN_OUTPUT);
	assert_true(event_next(&q, &e));
	assert_int_equal(e.type, VMRUN_LOST);
	assert_null(e.devices);
	assert_null(e.ended_text);
	assert_null(e.cause_text);
	event_queue_clear(&q);
}

/* Programs depend on the names of events. */
static void test_names(void **state)
{
	static const char *const names[] = { "policy", "starting", "loading", "spawned", "output",
		"exit", "decided", "given_up", "reloaded", "stopping", "hook_failed", "log",
		"warning", "note", "checked", "fixed", "ended", "hook", "cleaned", "lost" };
	struct event_queue q = { 0 };
	struct vmrun_event e;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)event_add(&q, (enum vmrun_event_type)i);
		assert_true(event_next(&q, &e));
		assert_string_equal(e.name, names[i]);
	}
	event_queue_clear(&q);
}

/* The queue copies texts, and keeps them until the next event is taken. */
static void test_texts_are_owned(void **state)
{
	struct event_queue q = { 0 };
	struct vmrun_event e;
	char text[] = "text", word[] = "word";
	char *argv[] = { word, text, NULL };
	struct event_record *r = event_add(&q, VMRUN_SPAWNED);

	(void)state;
	event_text(r, "first");
	event_text(r, text);
	event_target(r, text);
	event_by(r, text);
	event_level(r, text);
	event_argv(r, argv);
	(void)event_add(&q, VMRUN_NOTE);
	memset(text, 'x', 4);
	memset(word, 'x', 4);
	assert_true(event_next(&q, &e));
	assert_string_equal(e.text, "text");
	assert_string_equal(e.target, "text");
	assert_string_equal(e.by, "text");
	assert_string_equal(e.level, "text");
	assert_string_equal(e.argv[0], "word");
	assert_string_equal(e.argv[1], "text");
	assert_null(e.argv[2]);
	assert_true(event_next(&q, &e));
	assert_null(e.text);
	assert_null(e.argv);
	event_text(event_add(&q, VMRUN_NOTE), NULL);
	assert_true(event_next(&q, &e));
	assert_null(e.text);
	event_queue_clear(&q);
}

/* A reader that does not read loses only output, the oldest first. */
static void test_flood(void **state)
{
	enum { LINES = 50000, MOST = 16384 };
	struct event_queue q = { 0 };
	struct vmrun_event e;
	uint64_t last = 0;
	size_t outputs = 0, others = 0, lost = 0;
	char text[32], first[32] = "";

	(void)state;
	for (int i = 0; i < LINES; i++) {
		if (i % 1000 == 0)
			(void)event_add(&q, i % 2000 == 0 ? VMRUN_WARNING : VMRUN_EXITED);
		(void)snprintf(text, sizeof(text), "%d", i);
		event_text(event_add(&q, i % 3 == 0 ? VMRUN_LOG : VMRUN_OUTPUT), text);
	}
	while (event_next(&q, &e)) {
		assert_int_equal(e.seq, last + (e.type == VMRUN_LOST ? (uint64_t)e.lost : 1));
		last = e.seq;
		if (e.type == VMRUN_LOST)
			lost += (size_t)e.lost;
		else if (e.type != VMRUN_LOG && e.type != VMRUN_OUTPUT)
			others++;
		else if (outputs++ == 0)
			(void)snprintf(first, sizeof(first), "%s", e.text);
	}
	assert_int_equal(others, LINES / 1000);
	assert_int_equal(last, LINES + LINES / 1000);
	assert_in_range(outputs, 256, MOST);
	assert_int_equal(lost + outputs, LINES);
	(void)snprintf(text, sizeof(text), "%zu", lost);
	assert_string_equal(first, text);
	event_queue_clear(&q);
	assert_false(event_next(&q, &e));
}

/* The queue drops output to make room; it keeps other events, however many they are. */
static void test_nothing_to_drop(void **state)
{
	enum { EXITS = 20000 };
	struct event_queue q = { 0 };
	struct vmrun_event e;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < EXITS; i++)
		(void)event_add(&q, VMRUN_EXITED);
	/* Each event drops the one before, so the queue's end is dropped and must stay valid. */
	(void)event_add(&q, VMRUN_OUTPUT);
	(void)event_add(&q, VMRUN_OUTPUT);
	(void)event_add(&q, VMRUN_ENDED);
	for (; n < EXITS; n++) {
		assert_true(event_next(&q, &e));
		assert_int_equal(e.type, VMRUN_EXITED);
	}
	assert_true(event_next(&q, &e));
	assert_int_equal(e.type, VMRUN_LOST);
	assert_int_equal(e.lost, 2);
	assert_true(event_next(&q, &e));
	assert_int_equal(e.type, VMRUN_ENDED);
	assert_false(event_next(&q, &e));
	event_queue_clear(&q);
}

static void hear(void *context, const struct vmrun_event *e)
{
	char *heard = context;

	(void)snprintf(
	    heard + strlen(heard), 64, "%llu:%s:%s ", (unsigned long long)e->seq, e->vm, e->text);
}

/* No more is dropped than what is added, although an event that stays is between all others. */
static void test_drops_one_by_one(void **state)
{
	enum { MAX = 8192 };
	struct event_queue q = { 0 };
	struct vmrun_event e;
	size_t lost = 0, outputs = 0;

	(void)state;
	for (int i = 0; i < MAX; i++)
		(void)event_add(&q, i % 2 == 0 ? VMRUN_EXITED : VMRUN_OUTPUT);
	(void)event_add(&q, VMRUN_OUTPUT);
	(void)event_add(&q, VMRUN_OUTPUT);
	while (event_next(&q, &e)) {
		lost += e.type == VMRUN_LOST ? (size_t)e.lost : 0;
		outputs += e.type == VMRUN_OUTPUT ? 1 : 0;
	}
	assert_int_equal(lost, 2);
	assert_int_equal(outputs, MAX / 2);
	event_queue_clear(&q);
}

/* A listener that comes late hears the events that are left, with their numbers. */
static void test_hearing_after_a_loss(void **state)
{
	enum { MAX = 8192 };
	struct event_queue q = { .vm = "demo" };
	char *heard = calloc(MAX, 64);

	(void)state;
	assert_non_null(heard);
	event_text(event_add(&q, VMRUN_NOTE), "a");
	for (int i = 0; i < MAX; i++)
		event_text(event_add(&q, VMRUN_LOG), "l");
	event_listen(&q, hear, heard);
	assert_ptr_equal(strstr(heard, "1:demo:a 3:demo:l 4:"), heard);
	free(heard);
	event_queue_clear(&q);
}

/* The listener hears each event once, when the queue is flushed, even if it is not taken. */
static void test_hearing(void **state)
{
	struct event_queue q = { .vm = "demo" };
	struct vmrun_event e;
	char heard[512] = "";

	(void)state;
	event_text(event_add(&q, VMRUN_NOTE), "a");
	event_text(event_add(&q, VMRUN_NOTE), "b");
	assert_true(event_next(&q, &e));
	event_listen(&q, hear, heard);
	assert_string_equal(heard, "2:demo:b ");
	event_text(event_add(&q, VMRUN_NOTE), "c");
	event_text(event_add(&q, VMRUN_NOTE), "d");
	assert_string_equal(heard, "2:demo:b ");
	event_flush(&q);
	event_flush(&q);
	assert_string_equal(heard, "2:demo:b 3:demo:c 4:demo:d ");
	event_text(event_add(&q, VMRUN_NOTE), "e");
	for (int i = 0; i < 4; i++)
		assert_true(event_next(&q, &e));
	assert_string_equal(e.text, "e");
	assert_string_equal(heard, "2:demo:b 3:demo:c 4:demo:d 5:demo:e ");
	event_listen(&q, NULL, NULL);
	event_text(event_add(&q, VMRUN_NOTE), "f");
	event_flush(&q);
	assert_string_equal(heard, "2:demo:b 3:demo:c 4:demo:d 5:demo:e ");
	event_queue_clear(&q);
}

/* The listener hears what the queue drops, because it is full, before anybody has taken it. */
static void test_hearing_before_a_loss(void **state)
{
	enum { MAX = 8192 };
	struct event_queue q = { .vm = "demo" };
	char *heard = calloc(MAX, 64);

	(void)state;
	assert_non_null(heard);
	event_listen(&q, hear, heard);
	for (int i = 0; i < MAX; i++)
		event_text(event_add(&q, VMRUN_LOG), "l");
	assert_string_equal(heard, "");
	event_text(event_add(&q, VMRUN_LOG), "m");
	assert_ptr_equal(strstr(heard, "1:demo:l 2:demo:l "), heard);
	assert_null(strstr(heard, "m "));
	event_flush(&q);
	assert_string_equal(heard + strlen(heard) - 12, "8193:demo:m ");
	free(heard);
	event_queue_clear(&q);
}

static const char *level(enum vmrun_event_type type, const char *cause, int problems)
{
	const struct vmrun_event e = { .type = type, .cause = cause, .problems = problems };

	return vmrun_event_level(&e);
}

static void test_levels(void **state)
{
	static const int fixed[][2] = {
		{ VMRUN_POLICY, 'i' },
		{ VMRUN_STARTING, 'i' },
		{ VMRUN_LOADING, 'i' },
		{ VMRUN_SPAWNED, 'i' },
		{ VMRUN_OUTPUT, 'i' },
		{ VMRUN_CLEANED, 'd' },
		{ VMRUN_DECIDED, 'i' },
		{ VMRUN_GIVEN_UP, 'e' },
		{ VMRUN_HOOK_FAILED, 'e' },
		{ VMRUN_WARNING, 'w' },
		{ VMRUN_NOTE, 'i' },
		{ VMRUN_FIXED, 'i' },
		{ VMRUN_HOOK_EVENT, 'i' },
		{ VMRUN_LOST, 'w' },
		{ VMRUN_READY, 'i' },
		{ VMRUN_UNHEALTHY, 'e' },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		assert_int_equal(*level((enum vmrun_event_type)fixed[i][0], NULL, 0), fixed[i][1]);
		assert_int_equal(
		    *level((enum vmrun_event_type)fixed[i][0], "triple_fault", 1), fixed[i][1]);
	}
	assert_string_equal(level(VMRUN_EXITED, "poweroff", 0), "info");
	assert_string_equal(level(VMRUN_EXITED, "triple_fault", 0), "error");
	assert_string_equal(level(VMRUN_ENDED, "stopped", 0), "info");
	assert_string_equal(level(VMRUN_ENDED, "error", 0), "error");
	assert_string_equal(level(VMRUN_STOPPING, "stopped", 0), "info");
	assert_string_equal(level(VMRUN_STOPPING, "not_ready", 0), "warning");
	assert_string_equal(level(VMRUN_RELOADED, NULL, 0), "info");
	assert_string_equal(level(VMRUN_RELOADED, NULL, 1), "error");
	assert_string_equal(level(VMRUN_CHECKED, NULL, 0), "debug");
	assert_string_equal(level(VMRUN_CHECKED, NULL, 1), "error");
}

/* A script sets the level of its messages; an unknown level leaves that of the type. */
static void test_level_of_log(void **state)
{
	static const char *const words[][2] = { { "error", "error" }, { "warning", "warning" },
		{ "info", "info" }, { "debug", "debug" }, { "loud", "info" } };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const struct vmrun_event e = { .type = VMRUN_LOG, .level = words[i][0] };

		assert_string_equal(vmrun_event_level(&e), words[i][1]);
	}
}

struct event_findings {
	int found, freed;
};

static void find(void *context, struct event_record *r)
{
	r->findings = context;
	r->findings->found++;
}

static void free_findings(struct event_findings *findings)
{
	findings->freed++;
}

/* Findings belong to an event until the queue's owner takes them, and are freed with it. */
static void test_findings(void **state)
{
	struct event_findings findings = { 0 };
	struct event_queue q = {
		.find = find, .find_context = &findings, .free_findings = free_findings
	};
	struct vmrun_event e;

	(void)state;
	for (int i = 0; i < 3; i++)
		event_findings(&q, event_add(&q, VMRUN_CHECKED));
	assert_int_equal(findings.found, 3);
	assert_true(event_next(&q, &e));
	assert_ptr_equal(q.lent->findings, &findings);
	q.lent->findings = NULL; /* taken */
	assert_true(event_next(&q, &e));
	assert_int_equal(findings.freed, 0);
	event_queue_clear(&q);
	assert_int_equal(findings.freed, 2);
	event_findings(&q, event_add(&q, VMRUN_CHECKED)); /* there are none */
	event_queue_clear(&q);
	assert_int_equal(findings.found, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_numbers),
		cmocka_unit_test(test_texts_of_lost_output),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_texts_are_owned),
		cmocka_unit_test(test_limit_of_waiting_output),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_nothing_to_drop),
		cmocka_unit_test(test_hearing),
		cmocka_unit_test(test_hearing_before_a_loss),
		cmocka_unit_test(test_hearing_after_a_loss),
		cmocka_unit_test(test_drops_one_by_one),
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_level_of_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
