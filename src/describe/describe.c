/* What schema, types and table share: the type of a row, its default, the rows below it. */
#include "describe/describe.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct below describe_below(const struct field *f, const void *values)
{
	const char *place = (const char *)values + f->offset;
	struct below below = { NULL, place, NULL };

	if (f->type == FIELD_OBJECT)
		below.rows = f->rows;
	else if (f->type == FIELD_CUSTOM)
		below.rows = f->custom->rows;
	if (f->type != FIELD_LIST)
		return below;
	below.rows = f->rows;
	below.values = below.made = mem_zero(f->size);
	field_preset(f->rows, below.made);
	return below;
}

void describe_below_end(struct below *below)
{
	if (below->made != NULL)
		field_clear(below->rows, below->made);
	free(below->made);
}

char *describe_default(const struct field *f, const void *values)
{
	STR_AUTO struct str json = { 0 };

	/* The defaults of an object's keys are printed with the keys. */
	if (f->required || f->type == FIELD_OBJECT)
		return NULL;
	field_print_value(f, values, &json);
	if (strcmp(json.text, "null") == 0 || strcmp(json.text, "[]") == 0)
		return NULL;
	return str_take(&json);
}

static char *choices_type(const char *const *choices)
{
	struct str s = { 0 };

	for (size_t i = 0; choices[i] != NULL; i++) {
		if (*choices[i] == '\0') /* means not given */
			continue;
		str_add(&s, s.length > 0 ? "|" : "");
		str_add_json(&s, choices[i]);
	}
	return str_take(&s);
}

char *describe_type(const struct field *f, const char *object)
{
	switch (f->type) {
	case FIELD_STRING:
	case FIELD_PATH:
		return mem_copy("string");
	case FIELD_BOOL:
		return mem_copy("boolean");
	case FIELD_INT:
		return mem_copy("integer");
	case FIELD_CHOICE:
		return choices_type(f->choices);
	case FIELD_WORDS:
		return mem_copy("string|string[]");
	case FIELD_MAP:
		return mem_copy("{ [string]: string }");
	case FIELD_OBJECT:
		return mem_copy(object);
	case FIELD_LIST:
		return mem_format("%s[]", object);
	case FIELD_HOOK:
		return mem_format("(%s)", f->signature);
	case FIELD_CUSTOM:
		return f->custom->rows == NULL ? mem_copy(f->custom->type)
					       : mem_format("%s|%s", f->custom->type, object);
	case FIELD_ELSEWHERE:
		break;
	}
	return mem_copy("string");
}

char *describe_kind(const struct device_kind *kind)
{
	return mem_format("%s%s%s", kind->help, kind->single ? "; one in a VM" : "",
	    kind->amd64_only ? "; amd64 only" : "");
}

struct spec *describe_spec(void)
{
	REPORT_AUTO struct report report = { 0 };
	struct decoder d = { .report = &report, .directory = "/" };
	NODE_AUTO struct node *empty = node_new(NODE_OBJECT);
	struct spec *spec = spec_decode(empty, &d); /* the missing keys do not matter here */

	return spec;
}
