/* libvmrun: events as JSON: one row a type, which names its members. */
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "platform/clock.h"
#include "vmrun/vmrun.h"

enum kind {
	END,
	TEXT,	   /* a string, or null */
	LINES,	   /* the lines of a text, as a list of strings */
	WORDS,	   /* a list of strings */
	JSON,	   /* a text that is JSON already, or null */
	INT,	   /* an int */
	INT_OR_NO, /* null where it is negative: no status */
	SOME_INT,  /* null where it is 0: no signal */
	INT64,
};

struct member {
	const char *key;
	enum kind kind;
	size_t offset;
};

#define MEMBERS_MOST 8
#define AT(member) offsetof(struct vmrun_event, member)
#define TARGET                             \
	{                                  \
		"target", TEXT, AT(target) \
	}
#define CAUSE                            \
	{                                \
		"cause", TEXT, AT(cause) \
	}
#define STATUS                                  \
	{                                       \
		"status", INT_OR_NO, AT(status) \
	}
#define ACTION                             \
	{                                  \
		"action", TEXT, AT(action) \
	}
#define DELAY                                   \
	{                                       \
		"delay_ms", INT64, AT(delay_ms) \
	}
#define BY                         \
	{                          \
		"by", TEXT, AT(by) \
	}
#define PROCESS                         \
	{ "pid", INT, AT(pid) },        \
	{                               \
		"argv", WORDS, AT(argv) \
	}
#define SAID                           \
	{                              \
		"text", TEXT, AT(text) \
	}

/* Keys and their order are part of the contract: vmrun(8), schema/event.schema.json. */
static const struct member rows[][MEMBERS_MOST] = {
	[VMRUN_POLICY] = { { "ended", TEXT, AT(ended) }, CAUSE, STATUS, ACTION, TARGET, DELAY, BY,
	    { "hooks", TEXT, AT(text) } },
	[VMRUN_STARTING] = { TARGET },
	[VMRUN_LOADING] = { TARGET, PROCESS },
	[VMRUN_SPAWNED] = { TARGET, PROCESS },
	[VMRUN_OUTPUT] = { BY, SAID },
	[VMRUN_EXITED] = { TARGET, CAUSE, STATUS, { "signal", SOME_INT, AT(signal) },
	    { "uptime_ms", INT64, AT(uptime_ms) }, { "stderr", TEXT, AT(text) } },
	[VMRUN_CLEANED] = { TARGET, { "left", TEXT, AT(text) } },
	[VMRUN_DECIDED] = { { "boot", INT64, AT(boot) }, { "ended", TEXT, AT(ended) }, CAUSE,
	    ACTION, TARGET, DELAY, BY },
	[VMRUN_GIVEN_UP] = { TARGET, CAUSE, BY, { "exits", LINES, AT(text) } },
	[VMRUN_RELOADED] = { { "problems", LINES, AT(text) } },
	[VMRUN_STOPPING] = { { "step", TEXT, AT(action) }, { "wait_ms", INT64, AT(delay_ms) } },
	[VMRUN_HOOK_FAILED] = { BY, SAID },
	[VMRUN_LOG] = { { "level", TEXT, AT(level) }, SAID },
	[VMRUN_WARNING] = { SAID },
	[VMRUN_NOTE] = { SAID },
	[VMRUN_CHECKED] = { TARGET, { "problems", JSON, AT(text) } },
	[VMRUN_FIXED] = { TARGET, SAID },
	[VMRUN_ENDED] = { { "exit_status", INT, AT(exit_status) }, CAUSE },
	[VMRUN_HOOK_EVENT] = { BY, { "data", JSON, AT(text) } },
	[VMRUN_LOST] = { { "count", INT64, AT(lost) } },
};

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

static void add_value(struct str *json, enum kind kind, const void *at)
{
	const char *text;

	switch (kind) {
	case END:
		break;
	case TEXT:
		add_text(json, *(const char *const *)at);
		break;
	case LINES:
		add_lines(json, *(const char *const *)at);
		break;
	case WORDS:
		add_words(json, *(const char *const *const *)at);
		break;
	case JSON:
		text = *(const char *const *)at;
		str_add(json, text == NULL ? "null" : text);
		break;
	case INT:
		add_int(json, *(const int *)at, false);
		break;
	case INT_OR_NO:
		add_int(json, *(const int *)at, *(const int *)at < 0);
		break;
	case SOME_INT:
		add_int(json, *(const int *)at, *(const int *)at == 0);
		break;
	case INT64:
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
	const struct member *row = rows[e->type];
	struct str json = { 0 };

	str_addf(&json, "{\"v\":1,\"seq\":%llu", (unsigned long long)e->seq);
	add_time(&json, e->time_ms);
	str_add(&json, ",\"vm\":");
	add_text(&json, e->vm);
	str_addf(&json, ",\"event\":\"%s\"", e->name);
	for (size_t i = 0; i < MEMBERS_MOST && row[i].kind != END; i++) {
		str_addf(&json, ",\"%s\":", row[i].key);
		add_value(&json, row[i].kind, (const char *)e + row[i].offset);
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
