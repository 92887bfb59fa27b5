/* Arrays and positional parameters as variables. */
#include "shell/shell_list.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "shell/shell_assign.h"
#include "shell/shell_expand.h"

#define MAX_ITEMS 500

static bool is_positional(const char *name, size_t n)
{
	return n == 1 && *name == '@';
}

/* Returns the name of the variable that is an element.  Caller frees. */
static char *item_name(const char *name, size_t n, size_t index)
{
	if (is_positional(name, n))
		return mem_format("%zu", index + 1);
	return index == 0 ? mem_copy_n(name, n) : mem_format("%.*s[%zu]", (int)n, name, index);
}

static char *count_name(const char *name, size_t n)
{
	return is_positional(name, n) ? mem_copy("#") : mem_format("%.*s[#]", (int)n, name);
}

/*
 * Returns the number of a name that is an element, "3" or "a[2]", counted from 0, and its list; -1:
 * the name is none, as "a" is, the first element of an array.
 */
static long item_number(const char *name, size_t n, const char **list, size_t *length)
{
	const char *bracket = memchr(name, '[', n);

	*list = bracket == NULL ? "@" : name;
	*length = bracket == NULL ? 1 : (size_t)(bracket - name);
	if (bracket != NULL)
		return isdigit((unsigned char)bracket[1]) ? strtol(bracket + 1, NULL, 10) : -1;
	return n > 0 && isdigit((unsigned char)*name) ? strtol(name, NULL, 10) - 1 : -1;
}

const struct shell_variable *shell_seen(const struct shell_values *v, const char *name, size_t n)
{
	const struct shell_variable *found = shell_find(v, name, n);
	const char *list;
	size_t length;
	long number = item_number(name, n, &list, &length);

	while (found != NULL && shell_arms_hide(&v->arms, found->time))
		found = found->earlier;
	/* A branch that makes a list shorter leaves the other elements for its other arms. */
	if (found != NULL && number >= 0 && (size_t)number >= shell_list_length(v, list, length))
		return NULL;
	return found;
}

void shell_items_free(struct shell_items *items)
{
	for (size_t i = 0; i < items->text.count; i++)
		shell_basis_free(&items->basis[i]);
	free(items->basis);
	words_free(&items->text);
	shell_basis_free(&items->count);
	items->basis = NULL;
}

void shell_items_put(struct shell_items *items, const char *text, const struct shell_basis *basis)
{
	items->basis = mem_grow(items->basis, items->text.count, sizeof(*items->basis));
	items->basis[items->text.count] = (struct shell_basis){ 0 };
	shell_basis_append(&items->basis[items->text.count], basis);
	shell_basis_append(&items->basis[items->text.count], &items->count);
	words_add(&items->text, text);
}

void shell_items_add(
    struct shell_values *v, const struct shell_word *word, size_t words, struct shell_items *items)
{
	for (size_t i = 0; i < words && items->text.count < MAX_ITEMS; i++) {
		WORDS_AUTO struct words fields = { 0 };
		SHELL_BASIS_AUTO struct shell_basis basis = { 0 };

		shell_expand(v, &word[i], &fields, &basis);
		if (!shell_spend(v, 64 * (fields.count + basis.missing.count), word[i].line))
			return;
		/* Another value may be several words or none, but for one in quotes. */
		if (fields.count != 1 || *word[i].text != '"' ||
		    memchr(word[i].text, '@', word[i].length) != NULL)
			shell_basis_append(&items->count, &basis);
		for (size_t k = 0; k < fields.count && items->text.count < MAX_ITEMS; k++)
			shell_items_put(items, fields.item[k], &basis);
		if (basis.missing.count > 0 && fields.count == 0)
			shell_items_put(items, "", &basis);
	}
}

bool shell_list_count(
    const struct shell_values *v, const char *name, size_t n, const struct shell_variable **count)
{
	MEM_AUTO char *key = count_name(name, n);

	*count = shell_seen(v, key, strlen(key));
	return *count != NULL || (!is_positional(name, n) && shell_seen(v, name, n) != NULL);
}

const struct shell_variable *shell_list_item(
    const struct shell_values *v, const char *name, size_t n, size_t index)
{
	MEM_AUTO char *key = item_name(name, n, index);

	return shell_seen(v, key, strlen(key));
}

size_t shell_list_length(const struct shell_values *v, const char *name, size_t n)
{
	const struct shell_variable *count;

	if (!shell_list_count(v, name, n, &count))
		return 0;
	return count == NULL ? 1 : strtoul(count->value, NULL, 10);
}

size_t shell_list_other(const struct shell_values *v, const char *name, size_t n)
{
	MEM_AUTO char *key = count_name(name, n);
	const struct shell_variable *count = shell_value(v, key);

	return count == NULL || shell_seen(v, key, strlen(key)) == count ? 0 : count->line;
}

void shell_list_unset(struct shell_values *v, const char *name, size_t n)
{
	MEM_AUTO char *count = count_name(name, n);

	for (size_t i = shell_list_length(v, name, n); i > 0; i--) {
		MEM_AUTO char *item = item_name(name, n, i - 1);

		shell_unset(v, item);
	}
	shell_unset(v, count);
}

void shell_list_forget(struct shell_values *v, const char *name, size_t n, size_t line)
{
	MEM_AUTO char *count = count_name(name, n);

	for (size_t i = shell_list_length(v, name, n); i > 0 && !v->too_long; i--) {
		MEM_AUTO char *item = item_name(name, n, i - 1);

		shell_forget(v, item, strlen(item), line);
	}
	if (shell_value(v, count) != NULL)
		shell_forget(v, count, strlen(count), line);
}

void shell_list_note(
    struct shell_values *v, const char *name, size_t n, size_t line, const char *note)
{
	MEM_AUTO char *count = count_name(name, n);

	for (size_t i = shell_list_length(v, name, n); i > 0 && shell_spend(v, 64, line); i--) {
		MEM_AUTO char *item = item_name(name, n, i - 1);

		shell_note(v, item, strlen(item), note);
	}
	shell_note(v, count, strlen(count), note);
}

/* Unsets one variable, likewise. */
static void hide(struct shell_values *v, const char *name, size_t line, const char *note)
{
	const struct shell_variable *before = shell_value(v, name);
	struct shell_basis none = { 0 };

	if (before != NULL && before->kept != NULL)
		shell_forget(v, name, strlen(name), line);
	else if (before != NULL && shell_spend(v, 64 + strlen(before->value), line))
		shell_set_inside(v, before, line, &none, NULL, note);
}

void shell_list_hide(
    struct shell_values *v, const char *name, size_t n, size_t line, const char *note)
{
	MEM_AUTO char *count = count_name(name, n);

	for (size_t i = shell_list_length(v, name, n); i > 0 && !v->too_long; i--) {
		MEM_AUTO char *item = item_name(name, n, i - 1);

		hide(v, item, line, note);
	}
	hide(v, count, line, note);
}

/* Returns whether the list has these elements. */
static bool has_items(
    const struct shell_values *v, const char *name, size_t n, const struct shell_items *items)
{
	if (shell_list_length(v, name, n) != items->text.count)
		return false;
	for (size_t i = 0; i < items->text.count; i++) {
		const struct shell_variable *item = shell_list_item(v, name, n, i);

		if (item == NULL || strcmp(item->value, items->text.item[i]) != 0)
			return false;
	}
	return true;
}

/* Sets an element or the number of them, with what it rests on behind a branch or loop. */
static void set_part(struct shell_values *v, const char *name, const struct shell_outside *outside,
    size_t line, const struct shell_basis *basis, char *value)
{
	struct shell_basis copy = { 0 };
	size_t time;
	struct shell_variable *earlier = shell_earlier(v, name, strlen(name), line, &time), *set;

	shell_basis_append(&copy, basis);
	set = shell_set(v, name, strlen(name), line, &copy, value);
	if (set == NULL) {
		shell_earlier_free(earlier);
		return;
	}
	set->time = time;
	set->earlier = earlier;
	shell_basis_append(&set->outside, &outside->basis);
	set->arm = outside->arm;
	set->branch = outside->branch;
}

void shell_list_set(struct shell_values *v, const char *name, size_t n, size_t line, bool refers,
    const struct shell_items *items)
{
	MEM_AUTO char *count = count_name(name, n);
	SHELL_OUTSIDE_AUTO struct shell_outside outside = { 0 };

	if (!has_items(v, name, n, items) || shell_list_other(v, name, n) != 0)
		shell_outside_list(v, name, n, line, refers, &outside);
	else if (shell_arms_now(&v->arms) != 0)
		return; /* with the notes that it has */
	if (shell_arms_now(&v->arms) == 0)
		shell_list_unset(v, name, n);
	for (size_t i = 0; i < items->text.count && !v->too_many; i++) {
		MEM_AUTO char *item = item_name(name, n, i);

		if (!shell_spend(v, strlen(items->text.item[i]), line))
			return;
		set_part(v, item, &outside, line, &items->basis[i], mem_copy(items->text.item[i]));
	}
	set_part(v, count, &outside, line, &items->count, mem_format("%zu", items->text.count));
}

/* Adds the words of the text between the parentheses. */
static void add_words(
    struct shell_values *v, const struct shell_word *inside, struct shell_items *items)
{
	struct shell_script script;
	ERROR_AUTO struct error err = { 0 };

	if (shell_read(inside->text, inside->length, inside->line, SHELL_COMMENTS, &script, &err) ==
	    0)
		shell_items_add(v, script.word, script.words, items);
	shell_free(&script);
}

/*
 * Keeps the list as it is, with a note, where a branch may set it to words that the text does not
 * tell; returns whether it does.
 */
static bool keeps_list(struct shell_values *v, const struct shell_word *word, size_t n,
    const struct shell_items *items)
{
	MEM_AUTO char *count = count_name(word->text, n);
	const struct shell_variable *before = shell_value(v, count);
	bool is_unknown = false;

	for (size_t i = 0; i < items->text.count; i++)
		is_unknown = is_unknown || items->basis[i].missing.count > 0;
	if (!is_unknown || before == NULL || !shell_arms_fork(&v->arms))
		return false;
	MEM_AUTO char *note = mem_format(
	    "%s:%zu: $%.*s: the import uses the words of line %zu, because those that this line "
	    "may set are not in the text: change line %zu if they do not apply",
	    v->text_name, word->line, (int)n, word->text, before->line, before->line);
	shell_list_note(v, word->text, n, word->line, note);
	return true;
}

/* Adds the elements that a list has from the first on. */
static void add_elements(struct shell_values *v, const char *name, size_t n, size_t first,
    size_t line, struct shell_items *items)
{
	const struct shell_variable *count;

	if (shell_list_count(v, name, n, &count) && count != NULL)
		shell_use(v, count, &items->count);
	for (size_t i = first; i < shell_list_length(v, name, n); i++) {
		const struct shell_variable *item = shell_list_item(v, name, n, i);
		SHELL_BASIS_AUTO struct shell_basis basis = { 0 };

		if (item == NULL || !shell_spend(v, 64 + strlen(item->value), line))
			continue;
		shell_use(v, item, &basis);
		shell_items_put(items, item->value, &basis);
	}
}

bool shell_list_assign(struct shell_values *v, const struct shell_word *word, size_t n)
{
	bool appends = word->text[n] == '+';
	size_t begin = n + (appends ? 2 : 1);
	const struct shell_word inside = { word->text + begin + 1, word->length - begin - 2,
		word->line };
	SHELL_ITEMS_AUTO struct shell_items items = { 0 };

	if (word->length < begin + 2 || word->text[begin] != '(')
		return false;
	if (appends)
		add_elements(v, word->text, n, 0, word->line, &items);
	add_words(v, &inside, &items);
	if (keeps_list(v, word, n, &items))
		return true;
	shell_list_set(v, word->text, n, word->line, shell_refers(word, n), &items);
	return true;
}

void shell_list_local(struct shell_values *v, const char *name, size_t n, size_t line)
{
	MEM_AUTO char *count = count_name(name, n);

	for (size_t i = 0; i < shell_list_length(v, name, n); i++) {
		MEM_AUTO char *item = item_name(name, n, i);

		shell_local(v, item, strlen(item), line);
	}
	shell_local(v, count, strlen(count), line);
}

/* Removes the first elements of the positional parameters. */
static void shift(struct shell_values *v, size_t count, size_t line)
{
	SHELL_ITEMS_AUTO struct shell_items items = { 0 };

	if (shell_value(v, "#") == NULL)
		return;
	add_elements(v, "@", 1, count, line, &items);
	shell_list_set(v, "@", 1, line, true, &items);
}

void shell_shift(struct shell_values *v, const struct shell_word *word, size_t words)
{
	bool is_one = words == 1 ||
	    (words == 2 && word[1].length == 1 && *word[1].text >= '0' && *word[1].text <= '9');

	if (!is_one || shell_arms_fork(&v->arms) || shell_arms_loop(&v->arms) != 0)
		shell_list_forget(v, "@", 1, word->line);
	else
		shift(v, words == 1 ? 1 : (size_t)(*word[1].text - '0'), word->line);
}
