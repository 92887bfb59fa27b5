/* Events as JSON: a line of events.jsonl for each type, and anything at all in their strings. */
#include "../base/dice.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "event/event.h"
#include "vmrun/vmrun.h"

static const char *const words[] = { "bhyve", "-c", "1", "a \"b\"", NULL };

#define PROBLEMS                                                                   \
	"[{\"device\":\"virtio-net\",\"id\":\"virtio-net-0\",\"slot\":\"0:1:0\","  \
	"\"path\":\"emulations[0].name\",\"problem\":\"tap3: no such interface\"," \
	"\"fix\":\"ifconfig tap3 create up\"}]"

/* One of each type, in the order of events.jsonl; members that are not of the type are ignored. */
static const struct vmrun_event samples[] = {
	{ .type = VMRUN_STARTING, .target = "install", .text = "ignored", .argv = words },
	{ .type = VMRUN_POLICY,
	    .ended = "default",
	    .cause = "error",
	    .status = 4,
	    .action = "boot",
	    .target = "rescue",
	    .delay_ms = 5000,
	    .by = "on.error",
	    .text = "on_exit of vm.lua" },
	{ .type = VMRUN_POLICY,
	    .ended = "default",
	    .cause = "halt",
	    .status = -1,
	    .action = "stop",
	    .by = "default" },
	{ .type = VMRUN_CHECKED, .target = "install", .text = "[]" },
	{ .type = VMRUN_CHECKED, .target = "install", .problems = 1, .text = PROBLEMS },
	{ .type = VMRUN_FIXED, .target = "install", .text = "ifconfig tap3 create up" },
	{ .type = VMRUN_LOADING, .target = "install", .pid = 41, .argv = words },
	{ .type = VMRUN_SPAWNED,
	    .target = "install",
	    .pid = 42,
	    .argv = words,
	    .devices = "{\"virtio-net-0\":{\"bridge\":\"bridge0\",\"slot\":\"0:3:0\","
		       "\"tap\":\"tap0\"},\"com1\":{\"tty\":\"/dev/nmdm0B\"}}" },
	{ .type = VMRUN_OUTPUT, .text = "fwctl: \x1b[1m\xff\xc3\xa4\ttab" },
	{ .type = VMRUN_OUTPUT, .by = "swtpm", .text = "" },
	{ .type = VMRUN_STOPPING, .action = "acpi", .delay_ms = 60000, .cause = "stopped" },
	{ .type = VMRUN_EXITED,
	    .target = "install",
	    .cause = "triple_fault",
	    .status = 3,
	    .uptime_ms = 90500,
	    .text = "two\nlines\n",
	    .ended_by = "guest",
	    .ended_text = "ignored" },
	{ .type = VMRUN_EXITED,
	    .target = "install",
	    .cause = "killed",
	    .status = -1,
	    .signal = 9,
	    .uptime_ms = INT64_MAX,
	    .text = "" },
	{ .type = VMRUN_CLEANED, .target = "install" },
	{ .type = VMRUN_CLEANED, .target = "install", .text = "`bhyvectl` had no effect" },
	{ .type = VMRUN_DECIDED,
	    .boot = 2,
	    .ended = "install",
	    .cause = "reboot",
	    .action = "boot",
	    .target = "default",
	    .by = "next_target" },
	{ .type = VMRUN_DECIDED,
	    .boot = 3,
	    .ended = "default",
	    .cause = "poweroff",
	    .action = "stop",
	    .by = "default" },
	{ .type = VMRUN_GIVEN_UP,
	    .target = "default",
	    .cause = "given_up",
	    .by = "restart_limit",
	    .boot = 1,
	    .delay_ms = 30000,
	    .text = "1.0 s ago: target default: reboot\n0.0 s ago: target default: reboot" },
	{ .type = VMRUN_RELOADED },
	{ .type = VMRUN_RELOADED,
	    .problems = 2,
	    .text = "vm.json:1:2: cpu: no\nvm.json:1:9: mem: no" },
	{ .type = VMRUN_HOOK_FAILED, .by = "on_exit of vm.lua", .text = "vm.lua:1: no\nstack" },
	{ .type = VMRUN_HOOK_EVENT, .by = "on_start of vm.lua", .text = "{\"k\":[1,2.5,null]}" },
	{ .type = VMRUN_HOOK_EVENT, .text = "[]" },
	{ .type = VMRUN_LOG, .level = "error", .text = "a line" },
	{ .type = VMRUN_WARNING, .text = "a warning" },
	{ .type = VMRUN_NOTE, .text = "a note" },
	{ .type = VMRUN_LOST, .lost = 1700 },
	{ .type = VMRUN_READY,
	    .target = "default",
	    .uptime_ms = 1700,
	    .by = "console \"login: \"" },
	{ .type = VMRUN_UNHEALTHY,
	    .target = "default",
	    .failures = 3,
	    .text = "127.0.0.1:22: Connection refused" },
	{ .type = VMRUN_ENDED, .exit_status = 4, .cause = "error" },
	{ .type = VMRUN_EXITED,
	    .target = "install",
	    .cause = "check_failed",
	    .status = -1,
	    .uptime_ms = -1,
	    .text = "no disk" },
};

#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

/* Returns the event as the queue returns it. */
static struct vmrun_event finished(const struct vmrun_event *sample, uint64_t seq)
{
	struct event_queue names = { 0 };
	struct vmrun_event e = *sample;

	e.name = event_add(&names, e.type)->event.name;
	e.seq = seq;
	e.vm = "demo";
	e.time_ms = 1767225600000 + (int64_t)seq * 1001;
	event_queue_clear(&names);
	return e;
}

static void test_lines(void **state)
{
	FILE *wanted = fopen(SOURCE_DIR "/tests/event/events.jsonl", "r");
	bool seen[VMRUN_UNHEALTHY + 1] = { false };
	char line[1024];

	(void)state;
	assert_non_null(wanted);
	for (size_t i = 0; i < SAMPLES; i++) {
		struct vmrun_event e = finished(&samples[i], i + 1);
		MEM_AUTO char *json = vmrun_event_json(&e);

		assert_non_null(fgets(line, sizeof(line), wanted));
		line[strcspn(line, "\n")] = '\0';
		assert_string_equal(json, line);
		seen[e.type] = true;
	}
	assert_null(fgets(line, sizeof(line), wanted));
	(void)fclose(wanted);
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		assert_true(seen[i]);
}

/* A message during the reading of a spec has no VM. */
static void test_no_vm(void **state)
{
	struct vmrun_event e = finished(&(struct vmrun_event){ .type = VMRUN_NOTE }, 1);
	MEM_AUTO char *json = NULL;

	(void)state;
	e.vm = NULL;
	e.text = NULL;
	e.time_ms = 951868799999; /* the last millisecond of a leap day */
	json = vmrun_event_json(&e);
	assert_string_equal(json,
	    "{\"v\":1,\"seq\":1,\"time\":\"2000-02-29T23:59:59.999Z\",\"vm\":null,"
	    "\"event\":\"note\",\"text\":null}");
}

static void random_text(struct dice *d, char *text, size_t size)
{
	static const char *const pieces[] = { "\xe2\x82", "\xf0\x9f\x98\x80", "\\", "\"", "\\u",
		"\n", "\xed\xa0\x80", "\xc0", "}", "," };
	size_t n = dice_roll(d, (unsigned)size - 8);

	*text = '\0';
	while (strlen(text) < n) {
		char byte[2] = { (char)(1 + dice_roll(d, 255)), '\0' };

		(void)strcat(text, dice_roll(d, 2) == 0 ? byte : pieces[dice_roll(d, 10)]);
	}
}

static void check_json(const struct dice *d, const char *json)
{
	struct json_token token = { .type = JSON_NULL };
	struct str again = { 0 };
	struct json j;

	json_start(&j, json, strlen(json));
	while (token.type != JSON_END && token.type != JSON_ERROR)
		(void)json_next(&j, &token);
	dice_check(d, token.type == JSON_END, json);
	str_add_utf8(&again, json);
	dice_check(d, strcmp(again.text, json) == 0, "it is UTF-8");
	str_free(&again);
	for (const char *p = json; *p != '\0'; p++)
		dice_check(d, (unsigned char)*p >= 0x20 && *p != 0x7f, "no control characters");
}

static void test_any_text(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 3000; seed++) {
		struct dice d;
		char text[5][200];
		const char *argv[] = { text[0], text[1], NULL };
		struct str data = { 0 };

		dice_start(&d, seed);
		for (size_t i = 0; i < 5; i++)
			random_text(&d, text[i], sizeof(text[i]));
		struct vmrun_event e = finished(&samples[dice_roll(&d, SAMPLES)], seed);

		e.vm = text[4];
		e.by = text[1];
		e.target = text[2];
		e.level = text[3];
		e.argv = argv;
		e.text = text[0];
		if (e.type == VMRUN_HOOK_EVENT || e.type == VMRUN_CHECKED) {
			str_add_json(&data, text[0]);
			e.text = data.text;
		}
		MEM_AUTO char *json = vmrun_event_json(&e);

		check_json(&d, json);
		str_free(&data);
	}
}

static void test_problem(void **state)
{
	MEM_AUTO char *json =
	    vmrun_message_json("error", "vm.json:7:15", "targets.a\xff.mem", "not a \"size\"");
	MEM_AUTO char *short_json = vmrun_message_json("info", NULL, NULL, "said");

	(void)state;
	assert_int_equal(strncmp(json, "{\"v\":1,\"time\":\"20", 17), 0);
	assert_string_equal(json + 15 + 24,
	    "\",\"level\":\"error\",\"place\":\"vm.json:7:15\","
	    "\"path\":\"targets.a\xef\xbf\xbd.mem\",\"text\":\"not a \\\"size\\\"\"}");
	assert_string_equal(short_json + 15 + 24,
	    "\",\"level\":\"info\",\"place\":null,\"path\":null,\"text\":\"said\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_no_vm),
		cmocka_unit_test(test_any_text),
		cmocka_unit_test(test_problem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
