/* bhyve's tree of variables.  Facts: config.c and bhyverun.c of bhyve. */
#include "import/bhyve_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define MAX_KEY 2047		    /* a longer key aborts bhyve */
#define MAX_DEPTH 15		    /* of %(name) in the value of another */
#define MAX_VALUE ((size_t)1 << 16) /* of an expanded value: no path or name is longer */
#define MAX_NAMES 10000		    /* in an expanded value: they can call each other */

/* Returns whether one key names a node above the other. */
static bool is_below(const char *key, const char *node)
{
	const char *rest = str_after(key, node);

	return rest != NULL && *rest == '.';
}

/* Fails if the key has an empty part or is too long. */
static int check_key(const char *key, struct error *err)
{
	if (*key == '\0' || *key == '.' || strstr(key, "..") != NULL || key[strlen(key) - 1] == '.')
		return error_set(err, STATUS_SPEC,
		    "invalid variable \"%s\": expected names with one \".\" between them", key);
	if (strlen(key) > MAX_KEY)
		return error_set(err, STATUS_SPEC,
		    "the name of a variable has %zu bytes: bhyve takes at most %d", strlen(key),
		    MAX_KEY);
	return 0;
}

int tree_set(struct pairs *tree, const char *key, const char *value, struct error *err)
{
	struct pair *same = NULL;

	if (check_key(key, err) != 0)
		return -1;
	if (*value == '\0')
		return error_set(
		    err, STATUS_SPEC, "%s has an empty value, which bhyve refuses", key);
	for (size_t i = 0; i < tree->count; i++) {
		struct pair *p = &tree->item[i];

		if (strcmp(p->key, key) == 0)
			same = p;
		else if (is_below(p->key, key) || is_below(key, p->key))
			return error_set(err, STATUS_SPEC,
			    "%s and %s exclude each other: bhyve refuses a variable with a value "
			    "and others below it",
			    p->key, key);
	}
	if (same == NULL) {
		pairs_add(tree, key, value);
		return 0;
	}
	free(same->value);
	same->value = mem_copy(value);
	return 0;
}

int tree_set_option(struct pairs *tree, const char *setting, struct error *err)
{
	const char *equal = strchr(setting, '=');
	MEM_AUTO char *key = NULL;

	if (equal == NULL)
		return error_set(err, STATUS_SPEC, "\"%s\": expected KEY=VALUE", setting);
	key = mem_copy_n(setting, (size_t)(equal - setting));
	return tree_set(tree, key, equal + 1, err);
}

bool tree_has_node(const struct pairs *tree, const char *node)
{
	for (size_t i = 0; i < tree->count; i++) {
		if (is_below(tree->item[i].key, node))
			return true;
	}
	return false;
}

/* Reads one line.  Returns 0, or -1 with the reason. */
static int read_line(
    struct pairs *tree, struct pairs *seen, const char *line, size_t number, struct error *err)
{
	MEM_AUTO char *key = mem_copy_n(line, strcspn(line, "="));
	const char *first;

	if (*line == '\0' || *line == '#')
		return 0;
	if (line[strlen(line) - 1] == '\r')
		return error_set(err, STATUS_SPEC,
		    "the line ends with a carriage return, which bhyve takes for a part of the "
		    "value: convert the file to Unix line ends");
	first = pairs_get(seen, key);
	if (first != NULL)
		return error_set(err, STATUS_SPEC,
		    "duplicate key %s, also on line %s: bhyve takes the last; remove one", key,
		    first);
	pairs_addf(seen, key, "%zu", number);
	return tree_set_option(tree, line, err);
}

/* Returns whether a blank stands in front of a variable, or between it and its "=". */
static bool has_blank(const char *line)
{
	size_t n = strcspn(line, "=");

	return *line == ' ' || *line == '\t' ||
	    (line[n] == '=' && n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'));
}

/* Reports blanks once: a file has them in all its lines, or in none. */
static void tell_blanks(const char *name, size_t first, size_t lines, struct report *report)
{
	STR_AUTO struct str quoted = { 0 };
	MEM_AUTO char *count = lines > 1 ? mem_format(" (%zu such lines)", lines) : mem_copy("");

	if (lines == 0)
		return;
	str_add_quoted(&quoted, *name == '<' ? "FILE" : name); /* <stdin> */
	report_add(report, STATUS_SPEC, NULL,
	    "%s:%zu: a blank before or behind the name of a variable is a part of that name to "
	    "bhyve, which then reads nothing of the line%s: remove these blanks: sed "
	    "'s/^[[:blank:]]*//; s/[[:blank:]]*=[[:blank:]]*/=/' %s",
	    name, first, count, quoted.text);
}

void tree_read_file(
    struct pairs *tree, const char *text, size_t length, const char *name, struct report *report)
{
	PAIRS_AUTO struct pairs seen = { 0 };
	size_t number = 0, blanks = 0, first_blank = 0;

	for (const char *line = text, *end = text + length; line < end; number++) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t n = (size_t)((stop == NULL ? end : stop) - line);
		MEM_AUTO char *copy = mem_copy_n(line, n);
		struct error err = { 0 };

		if (strlen(copy) != n)
			(void)error_set(&err, STATUS_SPEC, "the line contains a NUL byte");
		else if (has_blank(copy))
			first_blank = blanks++ == 0 ? number + 1 : first_blank;
		else
			(void)read_line(tree, &seen, copy, number + 1, &err);
		if (err.text != NULL) {
			(void)error_prefix(&err, "%s:%zu", name, number + 1);
			report_take(report, NULL, &err);
		}
		line += n + 1;
	}
	tell_blanks(name, first_blank, blanks, report);
}

/* Where an expansion is. */
struct expansion {
	const struct pairs *tree;
	struct words *notes;
	int depth;
	size_t names; /* that it has met */
};

static bool expand(struct expansion *e, const char *value, struct str *out);

static void note_unknown(struct words *notes, const char *name)
{
	MEM_AUTO char *note = mem_format(
	    "%%(%s): the text does not set this variable, so bhyve reads an empty text", name);

	if (!words_have(notes, note))
		words_add(notes, note);
}

/* Adds the value of the variable in "(name)..."; returns what follows it, NULL: it is too long. */
static const char *expand_name(struct expansion *e, const char *open, struct str *out)
{
	const char *close = strchr(open, ')');
	MEM_AUTO char *name = mem_copy_n(open + 1, (size_t)(close - open - 1));
	const char *value = pairs_get(e->tree, name);

	if (++e->names > MAX_NAMES)
		return NULL;
	if (value == NULL)
		note_unknown(e->notes, name);
	/* bhyve reads an empty text at that depth, too. */
	if (value == NULL || e->depth == MAX_DEPTH)
		return close + 1;
	e->depth++;
	if (!expand(e, value, out))
		return NULL;
	e->depth--;
	return close + 1;
}

/* Adds what bhyve makes of a value; false: it is beyond the limits. */
static bool expand(struct expansion *e, const char *value, struct str *out)
{
	if (strchr(value, '%') == NULL) {
		str_add(out, value);
		return out->length <= MAX_VALUE;
	}
	for (const char *p = value; p != NULL && *p != '\0';) {
		if (out->length > MAX_VALUE)
			return false;
		if (*p == '%' && p[1] == '(' && strchr(p, ')') != NULL) {
			p = expand_name(e, p + 1, out);
			if (p == NULL)
				return false;
			continue;
		}
		if (*p == '\\' && p[1] != '\0')
			p++;
		str_add_n(out, p, 1);
		p++;
	}
	return true;
}

void tree_expand(struct pairs *tree, struct words *notes, struct report *report)
{
	PAIRS_AUTO struct pairs expanded = { 0 };
	struct pairs raw;

	for (size_t i = 0; i < tree->count; i++) {
		struct expansion e = { .tree = tree, .notes = notes };
		STR_AUTO struct str value = { 0 };

		if (!expand(&e, tree->item[i].value, &value))
			report_add(report, STATUS_SPEC, NULL,
			    "%s: its value with all variables in it is longer than %zu bytes",
			    tree->item[i].key, MAX_VALUE);
		pairs_add(&expanded, tree->item[i].key, value.text == NULL ? "" : value.text);
	}
	raw = *tree;
	*tree = expanded;
	expanded = raw;
}
