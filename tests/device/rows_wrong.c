/* Rows that do not match the type of their member; rows_wrong.sh compiles them one by one. */
#include "device/device.h"

struct inner {
	char *text;
};

struct other {
	char *text;
};

struct thing {
	char *text;
	const char *lent;
	bool flag;
	int64_t number;
	int choice;
	unsigned size;
	struct words words;
	struct pairs map;
	struct inner inner;
	struct field_list list;
};

static const char *const choices[] = { "a", "b", NULL };

DESCRIBES(inner_fields, struct inner);
static const struct field inner_fields[] = {
	ROW_STRING("text", struct inner, text, .help = "a text"),
	{ 0 },
};

DESCRIBES(number_custom, int64_t);
static const struct field_custom number_custom = { .type = "integer" };

DESCRIBES(text_custom, char *);
static const struct field_custom text_custom = {
	.type = "string",
#if WRONG == 1
	.rows = ROWS_FOR(text_custom, inner_fields),
#endif
};

DESCRIBES(thing_fields, struct thing);
static const struct field thing_fields[] = {
#if WRONG == 0
	ROW_STRING("text", struct thing, text, .help = "h"),
	ROW_BOOL("flag", struct thing, flag, .help = "h"),
	ROW_INT("number", struct thing, number, .help = "h"),
	ROW_CHOICE("choice", struct thing, choice, choices, .help = "h"),
	ROW_WORDS("words", struct thing, words, .help = "h"),
	ROW_MAP("map", struct thing, map, .help = "h"),
	ROW_HOOK("hook", struct thing, flag, "fun()", .help = "h"),
	ROW_OBJECT("inner", struct thing, inner, inner_fields, .help = "h"),
	ROW_GROUP("group", struct inner, inner_fields, .help = "h"),
	ROW_LIST("list", struct thing, list, inner_fields, .help = "h"),
	ROW_CUSTOM("custom", struct thing, number, number_custom, .help = "h"),
#elif WRONG == 2
	ROW_STRING("text", struct thing, number, .help = "h"),
#elif WRONG == 3
	ROW_STRING("text", struct thing, lent, .help = "h"),
#elif WRONG == 4
	ROW_PATH("path", struct thing, missing, .help = "h"),
#elif WRONG == 5
	ROW_BOOL("flag", struct thing, choice, .help = "h"),
#elif WRONG == 6
	ROW_INT("number", struct thing, choice, .help = "h"),
#elif WRONG == 7
	ROW_CHOICE("choice", struct thing, size, choices, .help = "h"),
#elif WRONG == 8
	ROW_WORDS("words", struct thing, map, .help = "h"),
#elif WRONG == 9
	ROW_MAP("map", struct thing, words, .help = "h"),
#elif WRONG == 10
	ROW_HOOK("hook", struct thing, choice, "fun()", .help = "h"),
#elif WRONG == 11
	ROW_OBJECT("inner", struct thing, words, inner_fields, .help = "h"),
#elif WRONG == 12
	ROW_GROUP("group", struct other, inner_fields, .help = "h"),
#elif WRONG == 13
	ROW_LIST("list", struct thing, words, inner_fields, .help = "h"),
#elif WRONG == 14
	ROW_CUSTOM("custom", struct thing, text, number_custom, .help = "h"),
#elif WRONG == 15
	ROW_CUSTOM("custom", struct thing, number, text_custom, .help = "h"),
#endif
	{ 0 },
};

static const struct device_kind kind = {
	.name = "thing",
#if WRONG == 16
	DEVICE_CONFIG(struct other, thing_fields),
#else
	DEVICE_CONFIG(struct thing, thing_fields),
#endif
};

const void *used[] = { &number_custom, &text_custom, choices, inner_fields, thing_fields, &kind };
