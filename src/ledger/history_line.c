/* Writes a line of the history of a VM. */
#include "ledger/history_line.h"

#include <string.h>

#include "base/date.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "platform/clock.h"

/* Adds a number, or null. */
static void add_int(struct str *json, const char *key, int64_t number, int64_t none)
{
	if (number == none)
		json_add_null(json, key);
	else
		json_add_int(json, key, number);
}

/* Adds the beginning of a text, or null. */
static void add_text(struct str *json, const char *key, const char *text)
{
	size_t n = text == NULL ? 0 : strnlen(text, MAX_HISTORY_TEXT);

	while (text != NULL && n > 0 && str_is_continuation(text[n]))
		n--;
	MEM_AUTO char *copy = text == NULL ? NULL : mem_copy_n(text, n);

	json_add_text(json, key, copy);
}

struct history_line *history_line_copy(const struct history_line *l)
{
	static const size_t texts[] = {
#define TEXT(member) offsetof(struct history_line, member)
		TEXT(kind), TEXT(target), TEXT(cause), TEXT(ended_by), TEXT(errors), TEXT(console),
		TEXT(action), TEXT(next), TEXT(by), TEXT(text)
#undef TEXT
	};
	size_t length[sizeof(texts) / sizeof(texts[0])], all = 0;
	struct history_line *copy;
	char *to;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *text = *(const char *const *)((const char *)l + texts[i]);

		length[i] = text == NULL ? 0 : strlen(text) + 1;
		all += length[i];
	}
	copy = mem_zero(sizeof(*copy) + all);
	*copy = *l;
	to = (char *)(copy + 1);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char **text = (const char **)((char *)copy + texts[i]);

		if (*text == NULL)
			continue;
		memcpy(to, *text, length[i]);
		*text = to;
		to += length[i];
	}
	return copy;
}

char *history_line_json(const struct history_line *l)
{
	struct str json = { 0 };
	char time[DATE_TEXT];

	json_begin_object(&json, NULL);
	json_add_int(&json, "v", 1);
	json_add_text(&json, "time", date_text(l->time_ms, time));
	json_add_text(&json, "kind", l->kind);
	add_int(&json, "boot", l->boot, 0);
	json_add_text(&json, "target", l->target);
	json_add_text(&json, "cause", l->cause);
	add_int(&json, "status", l->status, -1);
	add_int(&json, "signal", l->signal, 0);
	add_int(&json, "uptime_ms", l->uptime_ms, -1);
	json_add_text(&json, "ended_by", l->ended_by);
	json_add_text(&json, "stderr", l->errors);
	json_add_text(&json, "console", l->console);
	json_add_text(&json, "action", l->action);
	json_add_text(&json, "next", l->next);
	json_add_text(&json, "by", l->by);
	add_int(&json, "exit_status", l->exit_status, -1);
	add_text(&json, "text", l->text);
	json_end_object(&json);
	str_make_utf8(&json);
	return str_take(&json);
}

char *history_line_of_death(pid_t pid)
{
	MEM_AUTO char *text =
	    mem_format("vmrun pid %ld died: kill -9, out of memory or a power cut", (long)pid);
	struct history_line line = HISTORY_LINE;

	line.kind = "vmrun";
	line.time_ms = clock_date_ms();
	line.text = text;
	return history_line_json(&line);
}

char *history_line_output(const char *bytes, size_t n)
{
	size_t skip = n > MAX_HISTORY_TEXT ? n - MAX_HISTORY_TEXT : 0;
	MEM_AUTO char *copy = mem_zero(n - skip + 1);
	STR_AUTO struct str valid = { 0 };
	size_t length = 0;

	for (size_t i = skip; i < n; i++) {
		if (bytes[i] != '\0' && (length > 0 || skip == 0 || !str_is_continuation(bytes[i])))
			copy[length++] = bytes[i];
	}
	str_add_utf8(&valid, copy);
	/* The replacement of an invalid byte is longer than the byte. */
	skip = valid.length > MAX_HISTORY_TEXT ? valid.length - MAX_HISTORY_TEXT : 0;
	while (skip > 0 && str_is_continuation(valid.text[skip]))
		skip++;
	return mem_copy(valid.text == NULL ? "" : valid.text + skip);
}
