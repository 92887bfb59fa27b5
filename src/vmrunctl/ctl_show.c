/* Answers and events of a vmrun as text. */
#include "vmrunctl/ctl_show.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_node.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/node_json.h"
#include "cli/mask.h"

void show_error_json(const char *text)
{
	STR_AUTO struct str json = { 0 };

	json_begin_object(&json, NULL);
	json_add_bool(&json, "ok", false);
	json_add_text(&json, "error", text);
	json_end_object(&json);
	(void)puts(json.text);
}

char *show_member(const char *answer, const char *key)
{
	char *value = json_member(answer, key);

	if (value == NULL)
		return mem_copy("-");
	mask_control(value, "", ' ');
	return value;
}

const char *show_duration(const char *digits, char text[DURATION_TEXT])
{
	return duration(strtoll(digits, NULL, 10), text);
}

static bool is_set(const char *digits)
{
	return digits != NULL && strcmp(digits, "0") != 0;
}

/* Prints what a start waits for, the step of a stop, and the time until the next step or boot. */
static void show_wait(const char *answer, const char *state)
{
	char *ms = json_member(answer, "wait_ms");
	char *what = json_member(answer, "waits_for");
	char *step = json_member(answer, "stop_step");
	bool stops = strcmp(state, "stopping") == 0 && is_set(step); /* else vmrun cleans up */
	char text[DURATION_TEXT];

	if (what != NULL && ms != NULL) {
		mask_control(what, "", '?'); /* a path */
		(void)printf(" for %s, %s left", what, show_duration(ms, text));
	}
	if (stops)
		(void)printf(", step %s", step);
	if (is_set(ms) && (stops || strcmp(state, "backoff") == 0))
		(void)printf(
		    ", %s in %s", stops ? "next step" : "next boot", show_duration(ms, text));
	free(ms);
	free(what);
	free(step);
}

/* Prints whether the guest is ready, if its spec says what that means. */
static void show_ready(const char *answer)
{
	MEM_AUTO char *ready = json_member(answer, "ready");

	if (ready != NULL)
		(void)printf("%-10s %s\n", "ready", strcmp(ready, "true") == 0 ? "yes" : "not yet");
}

/* Prints what the run has chosen for a device: "tap tap0, bridge bridge0", without its slot. */
static void show_device(const struct node *device)
{
	STR_AUTO struct str line = { 0 };

	for (const struct node *n = device->first; n != NULL; n = n->next) {
		if (strcmp(n->key, "slot") == 0)
			continue;
		str_addf(&line, "%s%s ", line.length > 0 ? ", " : "", n->key);
		if (n->kind == NODE_STRING)
			str_add(&line, n->text);
		else
			node_add_json(&line, n);
	}
	if (line.length == 0)
		return;
	mask_control(line.text, "", ' ');
	(void)printf("%-10s %s: %s\n", "device", device->key, line.text);
}

/* Prints how to reach the guest, and what the run has chosen, as far as there is something. */
static void show_ways(const char *answer)
{
	static const char *const keys[] = { "screen", "console", "accel" };
	MEM_AUTO char *json = json_member(answer, "devices");
	NODE_AUTO struct node *devices = json == NULL ? NULL : json_node(json);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		MEM_AUTO char *value = json_member(answer, keys[i]);

		if (value == NULL)
			continue;
		mask_control(value, "", ' ');
		(void)printf("%-10s %s\n", keys[i], value);
	}
	for (const struct node *n = devices == NULL ? NULL : devices->first; n != NULL; n = n->next)
		show_device(n);
}

void show_status(const char *answer)
{
	static const char *const plain[][2] = { { "target", "target" }, { "pid", "pid" },
		{ "boots", "boots" }, { "cause", "last exit" }, { "next_target", "next" } };
	char *vm = show_member(answer, "vm"), *state = show_member(answer, "state");
	char *supervisor = show_member(answer, "vmrun_pid");
	char *uptime = show_member(answer, "uptime_ms");
	char text[DURATION_TEXT];

	(void)printf("%-10s %s\n%-10s %s", "vm", vm, "state", state);
	show_wait(answer, state);
	(void)putchar('\n');
	show_ready(answer);
	(void)printf("%-10s %s\n", "uptime", show_duration(uptime, text));
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		char *value = show_member(answer, plain[i][0]);

		(void)printf("%-10s %s\n", plain[i][1], value);
		free(value);
	}
	show_ways(answer);
	(void)printf("%-10s %s\n", "vmrun", supervisor);
	free(vm);
	free(state);
	free(supervisor);
	free(uptime);
}

void show_event(const char *line)
{
	static const char *const keys[] = { "ended", "target", "cause", "status", "signal",
		"ended_by", "action", "step", "by", "pid", "uptime_ms", "delay_ms", "wait_ms",
		"exit_status", "count", "level", "text", "stderr", "left", "problems", "hooks",
		"data", "exits" };
	char *time = show_member(line, "time"), *event = show_member(line, "event");
	const char *between = "  ";

	/* The time is 2026-01-01T00:00:00.000Z. */
	(void)printf("%s  %-12s", time, event);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char *value = json_member(line, keys[i]);

		if (value != NULL && *value != '\0' && strcmp(value, "[]") != 0) {
			mask_control(value, "", ' '); /* a guest's or a script's text */
			(void)printf("%s%s %s", between, keys[i], value);
			between = ", ";
		}
		free(value);
	}
	(void)putchar('\n');
	free(time);
	free(event);
}
