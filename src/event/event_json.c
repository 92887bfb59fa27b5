/* libvmrun: events as JSON. */
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "event/kinds.h"
#include "platform/clock.h"
#include "vmrun/vmrun.h"

static void add_text(struct str *json, const char *text)
{
	if (text == NULL)
		str_add(json, "null");
	else
		str_add_json(json, text);
}

static void add_words(struct str *json, const char *const *words)
{
	str_add(json, "[");
	for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
		str_add(json, i == 0 ? "" : ",");
		str_add_json(json, words[i]);
	}
	str_add(json, "]");
}

static void add_lines(struct str *json, const char *text)
{
	const char *line = text;

	str_add(json, "[");
	while (line != NULL && *line != '\0') {
		size_t n = strcspn(line, "\n");
		MEM_AUTO char *one = mem_copy_n(line, n);

		str_add(json, line == text ? "" : ",");
		str_add_json(json, one);
		line += n + (line[n] == '\n' ? 1 : 0);
	}
	str_add(json, "]");
}

static void add_int(struct str *json, int64_t number, bool is_null)
{
	if (is_null)
		str_add(json, "null");
	else
		str_addf(json, "%lld", (long long)number);
}

static void add_value(struct str *json, enum event_value kind, const void *at)
{
	const char *text;

	switch (kind) {
	case EVENT_END:
		break;
	case EVENT_TEXT:
		add_text(json, *(const char *const *)at);
		break;
	case EVENT_LINES:
		add_lines(json, *(const char *const *)at);
		break;
	case EVENT_WORDS:
		add_words(json, *(const char *const *const *)at);
		break;
	case EVENT_JSON:
		text = *(const char *const *)at;
		str_add(json, text == NULL ? "null" : text);
		break;
	case EVENT_INT:
		add_int(json, *(const int *)at, false);
		break;
	case EVENT_INT_OR_NO:
		add_int(json, *(const int *)at, *(const int *)at < 0);
		break;
	case EVENT_SOME_INT:
		add_int(json, *(const int *)at, *(const int *)at == 0);
		break;
	case EVENT_INT64:
		add_int(json, *(const int64_t *)at, false);
		break;
	}
}

static void add_time(struct str *json, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm utc = { 0 };
	char text[64] = "";

	(void)gmtime_r(&seconds, &utc);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	str_addf(json, ",\"time\":\"%s.%03dZ\"", text, (int)(ms % 1000));
}

/* What guests and scripts say stands inside strings, and so does all that is not ASCII. */
static char *finish(struct str *json)
{
	struct str valid = { 0 };

	str_add(json, "}");
	str_add_utf8(&valid, json->text);
	str_free(json);
	return str_take(&valid);
}

char *vmrun_event_json(const struct vmrun_event *e)
{
	const struct event_member *row = event_kind(e->type)->member;
	struct str json = { 0 };

	str_addf(&json, "{\"v\":1,\"seq\":%llu", (unsigned long long)e->seq);
	add_time(&json, e->time_ms);
	str_add(&json, ",\"vm\":");
	add_text(&json, e->vm);
	str_addf(&json, ",\"event\":\"%s\"", e->name);
	for (size_t i = 0; i < EVENT_MAX_MEMBERS && row[i].value != EVENT_END; i++) {
		str_addf(&json, ",\"%s\":", row[i].key);
		add_value(&json, row[i].value, (const char *)e + row[i].offset);
	}
	return finish(&json);
}

char *vmrun_problem_json(const struct vmrun_problem *p, const char *level)
{
	struct str json = { 0 };

	str_add(&json, "{\"v\":1");
	add_time(&json, clock_date_ms());
	str_add(&json, ",\"level\":");
	str_add_json(&json, level);
	str_add(&json, ",\"place\":");
	add_text(&json, p->place);
	str_add(&json, ",\"path\":");
	add_text(&json, p->path);
	str_add(&json, ",\"text\":");
	add_text(&json, p->text);
	return finish(&json);
}
