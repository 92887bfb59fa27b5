/* Walks rows for what their values name on the host. */
#include "device/host_use.h"

void host_found(
    struct host_visit *visit, enum host_kind kind, const char *what, const struct where *at)
{
	visit->found(visit, kind, what, at);
}

const struct host_use *host_use_of(const struct field *f)
{
	static const struct host_use none = { .kind = HOST_NONE }, rows = { .kind = HOST_ROWS };

	if (f->host.kind != HOST_UNSAID)
		return &f->host;
	switch (f->type) {
	case FIELD_BOOL:
	case FIELD_INT:
	case FIELD_CHOICE:
	case FIELD_HOOK:
	case FIELD_ELSEWHERE:
		return &none;
	case FIELD_OBJECT:
	case FIELD_LIST:
		return &rows;
	case FIELD_CUSTOM:
		if (f->custom->host.kind == HOST_UNSAID && f->custom->rows != NULL)
			return &rows;
		return &f->custom->host;
	case FIELD_STRING:
	case FIELD_PATH:
	case FIELD_WORDS:
	case FIELD_MAP:
		break;
	}
	return &f->host;
}

/* Returns whether the key has a value that would be printed and is not false. */
static bool is_given(const struct field *f, const void *from)
{
	struct field rows[2] = { *f };
	STR_AUTO struct str printed = { 0 };
	bool given;

	rows[0].hidden = false;
	rows[0].quiet = true;
	field_print(rows, from, &printed);
	given = printed.length > 0;
	return given;
}

static void visit_words(const struct words *words, enum host_kind kind, const struct where *at,
    struct host_visit *visit)
{
	for (size_t i = 0; i < words->count; i++) {
		struct where here = { at, NULL, i };

		host_found(visit, kind, words->item[i], &here);
	}
}

static void visit_below(
    const struct field *f, const void *value, const struct where *at, struct host_visit *visit)
{
	const struct field_list *list = value;

	if (f->type == FIELD_OBJECT) {
		host_use_visit(f->rows, value, at, visit);
	} else if (f->type == FIELD_CUSTOM) {
		host_use_visit(f->custom->rows, value, at, visit);
	} else {
		for (size_t i = 0; i < list->count; i++) {
			struct where here = { at, NULL, i };

			host_use_visit(
			    f->rows, (const char *)list->item + i * f->size, &here, visit);
		}
	}
}

static void visit_one(
    const struct field *f, const void *from, const struct where *at, struct host_visit *visit)
{
	const struct host_use *use = host_use_of(f);
	const void *value = (const char *)from + f->offset;

	switch (use->kind) {
	case HOST_NONE:
		break;
	case HOST_ROWS:
		visit_below(f, value, at, visit);
		break;
	case HOST_BY_VALUE:
		use->names(value, at, visit);
		break;
	case HOST_UNSAID:
	case HOST_FORBIDDEN:
		if (is_given(f, from))
			host_found(visit, use->kind,
			    use->reaches != NULL ? use->reaches : "can name anything of the host",
			    at);
		break;
	default:
		if (f->type == FIELD_WORDS)
			visit_words(value, use->kind, at, visit);
		else if (*(char *const *)value != NULL && **(char *const *)value != '\0')
			host_found(visit, use->kind, *(char *const *)value, at);
	}
}

void host_use_visit(
    const struct field *rows, const void *from, const struct where *at, struct host_visit *visit)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		struct where here = { at, f->key, 0 };

		visit_one(f, from, &here, visit);
	}
}
