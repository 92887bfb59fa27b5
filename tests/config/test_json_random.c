/* Random documents: the places of their keys, and what is read of texts with faults. */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/where.h"
#include "base/node_json.h"
#include "config/json_places.h"
#include "config/json_read.h"

static void test_places(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 500; seed++) {
		struct maker m;

		struct json_places *places;

		maker_run(&m, seed);
		places = json_places_new(m.text.text, m.text.length);
		for (size_t i = 0; i < m.count; i++) {
			const struct made_place *p = &m.place[i];
			MEM_AUTO char *path = where_keys_path(p->keys);
			size_t line, column;

			dice_check(&m.dice, json_place(places, p->keys, &line, &column), path);
			dice_check(&m.dice, line == p->line && column == p->column, path);
			/* The place of a missing value is that of its container. */
			node_append(p->keys, node_string("none"));
			node_append(p->keys, node_int(1));
			dice_check(&m.dice, json_place(places, p->keys, &line, &column), path);
			dice_check(&m.dice, line == p->line && column == p->column, path);
		}
		json_places_free(places);
		maker_clear(&m);
	}
}

/* Returns whether the text is accepted; then what is written of it is read as the same again. */
static bool try_text(const struct str *text, const struct dice *d)
{
	struct report report = { 0 };
	struct node *root = json_read("x", text->text, text->length, SIZE_MAX, &report);
	bool good = root != NULL;

	dice_check(d, good == (report.count == 0), "a problem, or none");
	if (good) {
		struct str again = { 0 };
		struct node *same;

		node_add_json(&again, root);
		same = json_read("x", again.text, again.length, SIZE_MAX, &report);
		if (same == NULL || !node_equal(root, same))
			fail_msg("seed %u: %s became %s", d->seed, text->text, again.text);
		node_free(same);
		str_free(&again);
	} else {
		dice_check(d, report.item[0].place != NULL && report.item[0].line > 0, "place");
	}
	node_free(root);
	report_free(&report);
	return good;
}

static void mutate(struct dice *d, struct str *text)
{
	static const char bytes[] = " \n{}[]\"\",,::\\u00e4d8eE+-.0129tfn/x\0\x01\x1f\x7f\xc3\xff";
	size_t at = dice_roll(d, (unsigned)text->length);
	char c = bytes[dice_roll(d, sizeof(bytes))];
	size_t n;

	switch (dice_roll(d, 4)) {
	case 0:
		text->text[at] = c;
		break;
	case 1: /* remove a piece */
		n = 1 + dice_roll(d, 4);
		n = n > text->length - at ? text->length - at : n;
		memmove(text->text + at, text->text + at + n, text->length - at - n + 1);
		text->length -= n;
		break;
	case 2: /* insert a byte */
		str_add_n(text, " ", 1);
		memmove(text->text + at + 1, text->text + at, text->length - at - 1);
		text->text[at] = c;
		break;
	default: /* remove the end */
		if (dice_roll(d, 8) == 0)
			text->text[text->length = at] = '\0';
		break;
	}
}

static void test_faults(void **state)
{
	unsigned accepted = 0;

	(void)state;
	for (unsigned seed = 0; seed < 1000; seed++) {
		struct maker m;

		maker_run(&m, seed);
		dice_check(&m.dice, try_text(&m.text, &m.dice), "a good document");
		for (int i = 0; i < 8 && m.text.length > 0; i++) {
			mutate(&m.dice, &m.text);
			accepted += try_text(&m.text, &m.dice) ? 1 : 0;
		}
		maker_clear(&m);
	}
	assert_true(accepted > 500);
}

/* Random bytes. */
static void test_noise(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 2000; seed++) {
		struct str text = { 0 };
		struct dice d;

		dice_start(&d, seed);
		for (unsigned n = 1 + dice_roll(&d, 30); n > 0; n--) {
			char c = dice_roll(&d, 2) == 0 ? "{}[]\",:\\u01e-.tn"[dice_roll(&d, 16)]
						       : (char)dice_roll(&d, 256);

			str_add_n(&text, &c, 1);
		}
		(void)try_text(&text, &d);
		str_free(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
