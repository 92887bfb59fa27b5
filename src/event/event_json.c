/* libvmrun: events as JSON. */
#include <string.h>

#include "base/date.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "event/kinds.h"
#include "platform/clock.h"
#include "vmrun/vmrun.h"

static void add_words(struct str *json, const char *key, const char *const *words)
{
	json_begin_list(json, key);
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		json_add_text(json, NULL, words[i]);
	json_end_list(json);
}

static void add_lines(struct str *json, const char *key, const char *text)
{
	const char *line = text;

	json_begin_list(json, key);
	while (line != NULL && *line != '\0') {
		size_t n = strcspn(line, "\n");
		MEM_AUTO char *one = mem_copy_n(line, n);

		json_add_text(json, NULL, one);
		line += n + (line[n] == '\n' ? 1 : 0);
	}
	json_end_list(json);
}

static void add_int(struct str *json, const char *key, int64_t number, bool is_null)
{
	if (is_null)
		json_add_null(json, key);
	else
		json_add_int(json, key, number);
}

static void add_member(struct str *json, const struct event_member *m, const void *at)
{
	switch (m->value) {
	case MEMBER_END:
		break;
	case MEMBER_TEXT:
		json_add_text(json, m->key, *(const char *const *)at);
		break;
	case MEMBER_LINES:
		add_lines(json, m->key, *(const char *const *)at);
		break;
	case MEMBER_WORDS:
		add_words(json, m->key, *(const char *const *const *)at);
		break;
	case MEMBER_JSON:
		json_add_json(json, m->key, *(const char *const *)at);
		break;
	case MEMBER_INT:
		json_add_int(json, m->key, *(const int *)at);
		break;
	case MEMBER_INT_OR_NULL:
		add_int(json, m->key, *(const int *)at, *(const int *)at < 0);
		break;
	case MEMBER_NONZERO_INT:
		add_int(json, m->key, *(const int *)at, *(const int *)at == 0);
		break;
	case MEMBER_INT64:
		json_add_int(json, m->key, *(const int64_t *)at);
		break;
	case MEMBER_INT64_OR_NULL:
		add_int(json, m->key, *(const int64_t *)at, *(const int64_t *)at < 0);
		break;
	}
}

static void add_time(struct str *json, int64_t ms)
{
	char text[DATE_TEXT];

	json_add_text(json, "time", date_text(ms, text));
}

/* Ends the object.  Output of guests and scripts may not be UTF-8, but it is only in strings. */
static char *finish(struct str *json)
{
	json_end_object(json);
	str_make_utf8(json);
	return str_take(json);
}

char *vmrun_event_json(const struct vmrun_event *e)
{
	const struct event_member *row = event_kind(e->type)->member;
	struct str json = { 0 };

	json_begin_object(&json, NULL);
	json_add_int(&json, "v", 1);
	json_add_int(&json, "seq", (int64_t)e->seq);
	add_time(&json, e->time_ms);
	json_add_text(&json, "vm", e->vm);
	json_add_text(&json, "event", e->name);
	for (size_t i = 0; i < MAX_EVENT_MEMBERS && row[i].value != MEMBER_END; i++)
		add_member(&json, &row[i], (const char *)e + row[i].offset);
	return finish(&json);
}

char *vmrun_message_json(const char *level, const char *place, const char *path, const char *text)
{
	struct str json = { 0 };

	json_begin_object(&json, NULL);
	json_add_int(&json, "v", 1);
	add_time(&json, clock_date_ms());
	json_add_text(&json, "level", level);
	json_add_text(&json, "place", place);
	json_add_text(&json, "path", path);
	json_add_text(&json, "text", text);
	return finish(&json);
}
