/* Random JSON documents. */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/where.h"

static void put(struct maker *m, const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		m->column = *p == '\n' ? 1 : m->column + 1;
		m->line += *p == '\n' ? 1 : 0;
	}
	str_add(&m->text, text);
}

static void put_blanks(struct maker *m)
{
	static const char *const blanks[] = { "", "", "", " ", "\n", "\t", "\r\n", "  \n\n  " };

	put(m, blanks[dice_roll(&m->dice, 8)]);
}

static void record(struct maker *m, const struct where *at)
{
	struct made_place *p;

	m->place = mem_resize(m->place, m->count + 1, sizeof(*m->place));
	p = &m->place[m->count++];
	p->keys = where_keys(at);
	p->line = m->line;
	p->column = m->column;
}

static void put_value(struct maker *m, const struct where *at, int depth);

static void put_list(struct maker *m, const struct where *at, int depth)
{
	unsigned n = dice_roll(&m->dice, 4);

	put(m, "[");
	for (unsigned i = 0; i < n; i++) {
		struct where entry = { at, NULL, i };

		put(m, i > 0 ? "," : "");
		put_blanks(m);
		record(m, &entry);
		put_value(m, &entry, depth + 1);
		put_blanks(m);
	}
	put(m, "]");
}

/* Adds an object.  Its keys differ, but are the same as in other objects; some have escapes. */
static void put_object(struct maker *m, const struct where *at, int depth)
{
	static const char *const names[] = { "a", "b c", "\xc3\xa4", "a.b", "" };
	static const char *const forms[][5] = {
		{ "\"a\"", "\"b c\"", "\"\xc3\xa4\"", "\"a.b\"", "\"\"" },
		{ "\"\\u0061\"", "\"b\\u0020c\"", "\"\\u00e4\"", "\"\\u0061.b\"", "\"\"" },
	};
	unsigned first = dice_roll(&m->dice, 5), n = dice_roll(&m->dice, 5);

	put(m, "{");
	for (unsigned i = 0; i < n; i++) {
		struct where member = { at, names[(first + i) % 5], 0 };

		put(m, i > 0 ? "," : "");
		put_blanks(m);
		record(m, &member);
		put(m, forms[dice_roll(&m->dice, 2)][(first + i) % 5]);
		put_blanks(m);
		put(m, ":");
		put_blanks(m);
		put_value(m, &member, depth + 1);
		put_blanks(m);
	}
	put(m, "}");
}

static void put_value(struct maker *m, const struct where *at, int depth)
{
	static const char *const scalars[] = { "0", "-1.5e3", "9007199254740993", "\"\"",
		"\"{\\\"a\\\": [\\n\"", "\"\xc3\xa4\\ud834\\udd1e\"", "true", "false", "null" };
	unsigned kind = dice_roll(&m->dice, depth < 5 ? 3 : 1);

	if (kind == 0)
		put(m, scalars[dice_roll(&m->dice, 9)]);
	else if (kind == 1)
		put_list(m, at, depth);
	else
		put_object(m, at, depth);
}

void maker_run(struct maker *m, unsigned seed)
{
	memset(m, 0, sizeof(*m));
	dice_start(&m->dice, seed);
	m->line = m->column = 1;
	put_blanks(m);
	put_object(m, NULL, 0);
	put_blanks(m);
}

void maker_clear(struct maker *m)
{
	for (size_t i = 0; i < m->count; i++)
		node_free(m->place[i].keys);
	free(m->place);
	str_free(&m->text);
	memset(m, 0, sizeof(*m));
}
