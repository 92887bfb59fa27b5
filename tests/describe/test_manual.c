/*
 * The table in vmrun.conf(5) of the keys that one hypervisor does not follow is made from the rows.
 * UPDATE=1 rewrites it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "device/device.h"
#include "spec/spec.h"

#define MANUAL SOURCE_DIR "/man/vmrun.conf.5"
#define BEGIN ".\\\" Made from the rows: UPDATE=1 ctest -R describe.manual\n"
#define END ".\\\" End of what is made from the rows.\n"
#define MAX_MANUAL (1 << 20)

static void add_rows(
    struct str *s, const char *device, const char *prefix, const struct field *rows)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		const struct field *below = f->type == FIELD_CUSTOM ? f->custom->rows : f->rows;
		MEM_AUTO char *inner =
		    mem_format("%s%s%s.", prefix, f->key, f->type == FIELD_LIST ? "[]" : "");

		if (f->bhyve != NULL || f->qemu != NULL)
			str_addf(s, ".It %s%sIc %s%s Ta %s Ta %s\n", device,
			    *device != '\0' ? " " : "", prefix, f->key,
			    f->bhyve != NULL ? f->bhyve : KEY_FOLLOWED,
			    f->qemu != NULL ? f->qemu : KEY_FOLLOWED);
		if (below != NULL)
			add_rows(s, device, inner, below);
	}
}

static char *table(void)
{
	struct str s = { 0 };

	add_rows(&s, "", "", spec_fields);
	add_rows(&s, "any", "", device_common_fields);
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		MEM_AUTO char *device = mem_format("Cm %s", device_kinds[i]->name);

		add_rows(&s, device, "", device_kinds[i]->fields);
	}
	return str_take(&s);
}

static char *manual(void)
{
	char *text = mem_zero(MAX_MANUAL);
	FILE *f = fopen(MANUAL, "r");

	assert_non_null(f);
	assert_in_range(fread(text, 1, MAX_MANUAL - 1, f), 1, MAX_MANUAL - 2);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void rewrite(const char *text, const char *begin, const char *made, const char *end)
{
	FILE *f = fopen(MANUAL, "w");

	assert_non_null(f);
	assert_true(fwrite(text, 1, (size_t)(begin - text), f) > 0);
	assert_true(fputs(made, f) >= 0 && fputs(end, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void test_table(void **state)
{
	MEM_AUTO char *text = manual(), *made = table(), *has = NULL;
	const char *begin = strstr(text, BEGIN), *end = strstr(text, END);

	(void)state;
	assert_non_null(begin);
	assert_non_null(end);
	begin += strlen(BEGIN);
	if (getenv("UPDATE") != NULL) {
		rewrite(text, begin, made, end);
		return;
	}
	has = mem_copy_n(begin, (size_t)(end - begin));
	assert_string_equal(has, made);
}

/* A word of the table is short, and says something other than that the key is followed. */
static void check_words(const struct field *rows)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		const struct field *below = f->type == FIELD_CUSTOM ? f->custom->rows : f->rows;
		const char *words[] = { f->bhyve, f->qemu };

		for (size_t i = 0; i < 2; i++) {
			if (words[i] == NULL)
				continue;
			assert_in_range(strlen(words[i]), 1, 20);
			assert_string_not_equal(words[i], KEY_FOLLOWED);
		}
		if (below != NULL)
			check_words(below);
	}
}

static void test_words(void **state)
{
	(void)state;
	check_words(spec_fields);
	check_words(device_common_fields);
	for (size_t i = 0; device_kinds[i] != NULL; i++)
		check_words(device_kinds[i]->fields);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
