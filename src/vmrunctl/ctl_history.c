/* The command history, and the last end of a VM for "status". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "cli/mask.h"
#include "vmrun/vmrun.h"
#include "vmrunctl/ctl_show.h"
#include "vmrunctl/past.h"

/* Splits the text into lines; a line that a crash has torn is left out. */
static void split(struct past *past)
{
	char *at = past->text, *end;

	for (; at != NULL && (end = strchr(at, '\n')) != NULL; at = end + 1) {
		*end = '\0';
		MEM_AUTO char *kind = json_member(at, "kind");

		if (kind == NULL)
			continue;
		past->line = mem_resize(past->line, past->count + 1, sizeof(*past->line));
		past->line[past->count++] = at;
	}
}

int past_read(const struct ctl *ctl, struct past *past)
{
	MEM_AUTO char *why = NULL;
	int status;

	memset(past, 0, sizeof(*past));
	status = vmrun_history(ctl->state_dir, ctl->vm, &past->text, &why);
	if (status != STATUS_OK)
		return ctl_error(ctl, status, "%s", why);
	split(past);
	return STATUS_OK;
}

void past_free(struct past *past)
{
	free(past->line);
	free(past->text);
	memset(past, 0, sizeof(*past));
}

bool past_is(const char *line, const char *kind)
{
	MEM_AUTO char *is = json_member(line, "kind");

	return is != NULL && strcmp(is, kind) == 0;
}

const char *past_last(const struct past *past, const char *kind)
{
	for (size_t i = past->count; i > 0; i--) {
		if (past_is(past->line[i - 1], kind))
			return past->line[i - 1];
	}
	return NULL;
}

char *past_text(const char *line, const char *key)
{
	char *text = json_member(line, key), *to = text;

	for (const char *p = text; p != NULL && *p != '\0'; p++) {
		if (*p != '\r')
			*to++ = *p;
	}
	if (text == NULL)
		return NULL;
	*to = '\0';
	mask_control(text, "\n\t", '?');
	return text;
}

/* Adds " (CAUSE, status N)". */
static void add_cause(struct str *s, const char *line)
{
	MEM_AUTO char *cause = show_member(line, "cause");
	MEM_AUTO char *status = json_member(line, "status");
	MEM_AUTO char *number = json_member(line, "signal");

	str_addf(s, " (%s", cause);
	if (number != NULL)
		str_addf(s, ", signal %s", number);
	else if (status != NULL)
		str_addf(s, ", status %s", status);
	str_add(s, ")");
}

/* Adds what followed the end of a boot. */
static void add_decision(struct str *s, const char *line)
{
	MEM_AUTO char *action = show_member(line, "action");
	MEM_AUTO char *next = show_member(line, "next");
	MEM_AUTO char *by = json_member(line, "by");

	if (strcmp(action, "boot") == 0)
		str_addf(s, "; next boot: target %s", next);
	else if (strcmp(action, "wait") == 0)
		str_add(s, "; waiting for a reset");
	else
		str_add(s, "; no further boot");
	if (by != NULL) {
		mask_control(by, "", '?');
		str_addf(s, " (%s)", by);
	}
}

char *past_sentence(const char *line)
{
	MEM_AUTO char *text = past_text(line, "text");
	MEM_AUTO char *target = show_member(line, "target");
	MEM_AUTO char *boot = show_member(line, "boot");
	struct str s = { 0 };

	if (text != NULL)
		text[strcspn(text, "\n")] = '\0';
	if (!past_is(line, "boot")) {
		str_add(&s, text != NULL ? text : "-");
		/* Such a line names itself where it is the line of a death. */
		MEM_AUTO char *sentence = str_take(&s);

		return str_after(sentence, "vmrun ") != NULL ? mem_copy(sentence)
							     : mem_format("vmrun %s", sentence);
	}
	str_addf(&s, "boot %s, target %s: %s", boot, target, text != NULL ? text : "-");
	add_cause(&s, line);
	add_decision(&s, line);
	return str_take(&s);
}

static void show_line(const char *line)
{
	MEM_AUTO char *time = show_member(line, "time");
	MEM_AUTO char *sentence = past_sentence(line);

	(void)printf("%s  %s\n", time, sentence);
}

int ctl_history(const struct ctl *ctl)
{
	struct past past;
	int status = past_read(ctl, &past);

	if (status == STATUS_OK && past.count == 0)
		status = ctl_error(ctl, CTL_REFUSED, "no history: no boot of this VM has ended");
	for (size_t i = 0; i < past.count; i++) {
		if (ctl->json)
			(void)puts(past.line[i]);
		else
			show_line(past.line[i]);
	}
	past_free(&past);
	return status;
}

/* Prints {"ok":false,"error":TEXT,"vm":NAME,"state":"ended","last":LINE}. */
static void show_end_json(const struct ctl *ctl, const char *line)
{
	STR_AUTO struct str json = { 0 };

	json_begin_object(&json, NULL);
	json_add_bool(&json, "ok", false);
	json_add_text(&json, "error", "not running");
	json_add_text(&json, "vm", ctl->vm);
	json_add_text(&json, "state", "ended");
	json_add_json(&json, "last", line);
	json_end_object(&json);
	(void)puts(json.text);
}

bool history_show_end(const struct ctl *ctl)
{
	MEM_AUTO char *why = NULL;
	struct past past = { 0 };
	const char *last, *boot;

	if (vmrun_history(ctl->state_dir, ctl->vm, &past.text, &why) == STATUS_OK)
		split(&past);
	if (past.count == 0) {
		past_free(&past);
		return false;
	}
	last = past.line[past.count - 1];
	boot = past_last(&past, "boot");
	if (ctl->json) {
		show_end_json(ctl, last);
	} else {
		(void)printf("%-10s %s\n%-10s ended\n", "vm", ctl->vm, "state");
		if (boot != NULL && boot != last)
			show_line(boot);
		show_line(last);
	}
	past_free(&past);
	return true;
}
