/* Assignments in branches and loops. */
#include "shell/shell_assign.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "shell/shell_expand.h"
#include "shell/shell_list.h"

void shell_outside_free(struct shell_outside *outside)
{
	shell_basis_free(&outside->basis);
}

size_t shell_assignment(const struct shell_word *word)
{
	size_t n = shell_name_length(word->text, word->length);

	if (n == 0 || n == word->length)
		return 0;
	if (word->text[n] == '=' ||
	    (word->text[n] == '+' && word->length > n + 1 && word->text[n + 1] == '='))
		return n;
	return 0;
}

size_t shell_element(const struct shell_word *word)
{
	size_t n = shell_name_length(word->text, word->length);
	const char *close;

	if (n == 0 || n == word->length || word->text[n] != '[')
		return 0;
	close = memchr(word->text + n, ']', word->length - n);
	if (close == NULL || close + 1 == word->text + word->length)
		return 0;
	return close[1] == '=' || (close[1] == '+' && close[2] == '=') ? n : 0;
}

bool shell_refers(const struct shell_word *word, size_t n)
{
	return word->text[n] == '+' || memchr(word->text, '$', word->length) != NULL ||
	    memchr(word->text, '`', word->length) != NULL;
}

/* Fills what rests on a loop that runs again, and changes the value each time. */
static void fill_loop(const struct shell_values *v, const char *name, size_t n, size_t line,
    struct shell_outside *outside)
{
	MEM_AUTO char *dollar = mem_format("$%.*s", (int)n, name);
	MEM_AUTO char *problem =
	    mem_format("%s:%zu: a loop builds the value of %s, and vmrun runs no loops: write the "
		       "value that it has behind the loop",
		v->text_name, line, dollar);

	outside->arm = shell_arms_loop(&v->arms);
	shell_add_missing(&outside->basis, dollar, problem);
}

void shell_outside_list(struct shell_values *v, const char *name, size_t n, size_t line,
    bool refers, struct shell_outside *outside)
{
	size_t other = shell_list_other(v, name, n);
	MEM_AUTO char *rest = other == 0
	    ? mem_copy(": remove the line if it does not apply")
	    : mem_format(", and not those of line %zu: remove the line that does not apply", other);
	MEM_AUTO char *note =
	    mem_format("%s:%zu: $%.*s: the import uses the words of this line, which stands %s%s",
		v->text_name, line, (int)n, name, shell_arms_where(&v->arms), rest);

	outside->arm = shell_arms_now(&v->arms);
	outside->branch = shell_arms_branch(&v->arms).number;
	if (outside->arm == 0 && refers && shell_arms_loop(&v->arms) != 0) {
		fill_loop(v, name, n, line, outside);
		return;
	}
	outside->arm = outside->arm == 0 ? shell_arms_loop(&v->arms) : outside->arm;
	if (outside->arm != 0)
		shell_add_once(&outside->basis.note, note);
}

/* Notes that the variable has no value, or another one, where a shell skips this line. */
static void note_branch(const struct shell_values *v, const struct shell_variable *before,
    const struct shell_word *word, size_t n, const char *value, struct shell_basis *basis)
{
	STR_AUTO struct str used = { 0 }, other = { 0 };
	STR_AUTO struct str note = { 0 };
	bool is_unset = false;

	str_add_line(&used, value, MAX_SHELL_SHOWN);
	str_addf(&note, "%s:%zu: $%.*s: the import uses \"%s\" of this line, which stands %s",
	    v->text_name, word->line, (int)n, word->text, used.text == NULL ? "" : used.text,
	    shell_arms_where(&v->arms));
	if (before == NULL) {
		str_add(&note, ": remove the line if it does not apply");
	} else {
		/* What the text does not set is empty, unless a caller of the script sets it. */
		is_unset = before->basis.missing.count > 0 && !before->basis.is_unknown;
		str_add_line(&other, is_unset ? before->basis.missing.item[0] : before->value,
		    MAX_SHELL_SHOWN);
		str_addf(&note, ", and not \"%s\" of ", other.text == NULL ? "" : other.text);
		if (v->frames > 0 && before->line == word->line)
			str_add(&note,
			    "an earlier call: remove the call or the line that does not apply");
		else
			str_addf(
			    &note, "line %zu: remove the line that does not apply", before->line);
		for (size_t i = 0; is_unset && i < before->basis.note.count; i++)
			shell_add_once(&basis->note, before->basis.note.item[i]);
		if (!is_unset)
			shell_basis_append(basis, &before->basis);
		if (before->outside.missing.count > 0)
			shell_basis_append(basis, &before->outside);
	}
	shell_add_once(&basis->note, note.text);
}

/*
 * Returns how many arms of the branch, from the first one on, all set this value: `before` is what
 * the arm before this one left.
 */
static size_t covered(
    const struct shell_branch *branch, const struct shell_variable *before, const char *value)
{
	bool is_equal =
	    before != NULL && !before->basis.is_unknown && strcmp(before->value, value) == 0;

	if (branch->number == 0)
		return 0;
	if (branch->arm > 1 &&
	    !(is_equal && before->branch == branch->number && before->covers + 1 == branch->arm))
		return 0;
	return branch->arm;
}

/*
 * Fills what a value that is set in a branch rests on behind the branch.  What an earlier arm noted
 * holds on, unless every arm, with an "else" or "*)", sets the same value, and a shell may skip
 * nothing around the branch.
 */
static void fill_branch(const struct shell_values *v, const struct shell_variable *before,
    const struct shell_word *word, size_t n, const char *value, struct shell_outside *outside)
{
	const struct shell_branch branch = shell_arms_branch(&v->arms);
	bool is_told, rests;
	bool is_equal =
	    before != NULL && strcmp(before->value, value) == 0 && !before->basis.is_unknown;

	outside->arm = shell_arms_now(&v->arms);
	outside->arm = outside->arm == 0 ? shell_arms_loop(&v->arms) : outside->arm;
	outside->branch = branch.number;
	if (before != NULL && before->kept != NULL && before->arm == outside->arm)
		before = before->kept; /* that of this arm is set again */
	outside->covers = covered(&branch, before, value);
	is_told = before != NULL && before->arm != 0 && before->outside.note.count > 0;
	rests = is_told ||
	    (before != NULL && before->arm != 0 && shell_arms_now(&v->arms) != 0 &&
		before->outside.missing.count > 0);
	if (before == NULL ? *value != '\0' : is_told && before->arm == outside->arm) {
		note_branch(v, NULL, word, n, value, &outside->basis);
	} else if (before != NULL && !is_equal) {
		note_branch(v, before, word, n, value, &outside->basis);
	} else if (rests && !(branch.is_last && branch.is_alone && outside->covers > 0)) {
		shell_basis_append(&outside->basis, &before->outside);
		shell_basis_append(&outside->basis, &before->basis);
	}
}

/*
 * Returns the note that a branch may set a variable to a value that the text does not tell.  Caller
 * frees.
 */
static char *kept_note(
    const struct shell_values *v, const struct shell_variable *before, size_t line)
{
	STR_AUTO struct str kept = { 0 };
	struct str note = { 0 };

	str_add_line(&kept, before->value, MAX_SHELL_SHOWN);
	str_addf(&note,
	    "%s:%zu: $%s: the import uses \"%s\" of line %zu, because the value that this "
	    "line may set is not in the text: change line %zu if it does not apply",
	    v->text_name, line, before->name, kept.text == NULL ? "" : kept.text, before->line,
	    before->line);
	return str_take(&note);
}

/* Fills what a value rests on that the text does not tell. */
static void fill_forgotten(const struct shell_values *v, const char *name, size_t n, size_t line,
    struct shell_basis *basis)
{
	MEM_AUTO char *dollar = mem_format("$%.*s", (int)n, name);
	MEM_AUTO char *problem = mem_format(
	    "%s:%zu: the text does not tell the value that %s has behind this line: write the "
	    "value in its place",
	    v->text_name, line, dollar);

	shell_add_missing(basis, dollar, problem);
}

void shell_forget(struct shell_values *v, const char *name, size_t n, size_t line)
{
	const struct shell_variable *before = shell_find(v, name, n);
	struct shell_basis basis = { 0 };

	if (!shell_spend(v, 64 + (before == NULL ? 0 : strlen(before->value)), line))
		return;
	fill_forgotten(v, name, n, line, &basis);
	(void)shell_set(v, name, n, line, &basis, mem_copy(before == NULL ? "" : before->value));
}

void shell_lose(struct shell_values *v, const char *name, size_t n, size_t line)
{
	const struct shell_variable *before, *count;
	struct shell_basis basis = { 0 };
	MEM_AUTO char *note = NULL;

	if (!shell_spend(v, 64, line))
		return;
	before = shell_find(v, name, n);
	if (shell_arms_now(&v->arms) == 0 || before == NULL ||
	    (before->kept == NULL && before->basis.missing.count > 0)) {
		shell_list_forget(v, name, n, line);
		if (before == NULL)
			shell_forget(v, name, n, line);
		return;
	}
	if (before->kept != NULL || !shell_spend(v, strlen(before->value), line))
		return; /* it is not known in this arm, or in one around it */
	note = kept_note(v, before, line);
	if (shell_list_count(v, name, n, &count) && count != NULL) {
		shell_list_hide(v, name, n, line, note);
		return;
	}
	fill_forgotten(v, name, n, line, &basis);
	shell_set_inside(v, before, line, &basis, mem_copy(before->value), note);
}

/* Returns whether arithmetic assigns to the name before these bytes: "= 2", "+=2". */
static bool is_assigned(const char *p, const char *end)
{
	while (p < end && strchr(" \t", *p) != NULL)
		p++;
	while (p < end && strchr("+-*/%&|^", *p) != NULL)
		p++;
	return p < end && *p == '=' && (p + 1 == end || p[1] != '=');
}

void shell_lose_names(struct shell_values *v, const char *text, size_t n, size_t line)
{
	for (size_t i = 0; i < n;) {
		size_t length = shell_name_length(text + i, n - i);

		if (length > 0 && !shell_spend(v, 16, line))
			return;
		if (length > 0 &&
		    (shell_find(v, text + i, length) != NULL ||
			is_assigned(text + i + length, text + n)))
			shell_lose(v, text + i, length, line);
		i += length > 0 ? length : 1;
	}
}

void shell_unset_list(struct shell_values *v, const char *name, size_t n, size_t line)
{
	const struct shell_variable *before;
	MEM_AUTO char *note = NULL;

	if (!shell_spend(v, 64, line))
		return;
	if (!shell_list_count(v, name, n, &before) || before == NULL)
		before = shell_find(v, name, n);
	if (before == NULL || (before->basis.missing.count > 0 && !before->basis.is_unknown) ||
	    (shell_arms_now(&v->arms) == 0 && shell_arms_loop(&v->arms) == 0)) {
		shell_list_unset(v, name, n);
		shell_unexport(v, name, n);
		return;
	}
	note = mem_format("%s:%zu: $%.*s: the import uses the value of line %zu, and this line, "
			  "which stands %s, unsets it: remove the line that does not apply",
	    v->text_name, line, (int)n, name, before->line, shell_arms_where(&v->arms));
	shell_list_hide(v, name, n, line, note);
}

/* Returns the value of an assignment, and adds what it rests on.  Caller frees. */
static char *value_of(
    struct shell_values *v, const struct shell_word *word, size_t n, struct shell_basis *basis)
{
	size_t begin = n + (word->text[n] == '+' ? 2 : 1);
	const struct shell_word rest = { word->text + begin, word->length - begin, word->line };
	char *added = shell_expand_one(v, &rest, basis);
	const struct shell_variable *before = shell_seen(v, word->text, n);
	char *value;

	if (word->text[n] != '+' || before == NULL ||
	    !shell_spend(v, strlen(before->value), word->line))
		return added;
	shell_use(v, before, basis);
	value = mem_format("%s%s", before->value, added);
	free(added);
	return value;
}

void shell_put(struct shell_values *v, const struct shell_word *word, size_t n,
    struct shell_basis *basis, char *value)
{
	struct shell_outside outside = { 0 };
	bool in_branch = shell_arms_now(&v->arms) != 0;
	bool in_loop = shell_arms_loop(&v->arms) != 0;
	size_t time;
	struct shell_variable *earlier = shell_earlier(v, word->text, n, word->line, &time);
	struct shell_variable *set;

	if (!in_branch && in_loop && n < word->length && shell_refers(word, n))
		fill_loop(v, word->text, n, word->line, &outside);
	else if (in_branch || in_loop)
		fill_branch(v, shell_before(v, word->text, n), word, n, value, &outside);
	set = shell_set(v, word->text, n, word->line, basis, value);
	if (set == NULL) {
		shell_outside_free(&outside);
		shell_earlier_free(earlier);
		return;
	}
	set->time = time;
	set->earlier = earlier;
	set->outside = outside.basis;
	set->arm = outside.arm;
	set->branch = outside.branch;
	set->covers = outside.covers;
}

/* Sets a variable to the value of an assignment, which this function takes with its basis. */
static void assign_value(
    struct shell_values *v, const struct shell_word *word, struct shell_basis *basis, char *value)
{
	size_t n = shell_assignment(word);
	struct shell_variable *before = shell_find(v, word->text, n);
	MEM_AUTO char *note = NULL;

	if (shell_arms_now(&v->arms) == 0 || before == NULL || basis->missing.count == 0 ||
	    before->basis.missing.count > 0) {
		shell_put(v, word, n, basis, value);
		return;
	}
	note = kept_note(v, before, word->line);
	if (shell_arms_fork(&v->arms)) {
		shell_note(v, word->text, n, note);
		shell_basis_free(basis);
		free(value);
	} else if (shell_spend(v, 64 + strlen(before->value), word->line)) {
		shell_set_inside(v, before, word->line, basis, value, note);
	} else {
		shell_basis_free(basis);
		free(value);
	}
}

/* Returns the first assignment whose variable a word uses; NULL: there is none. */
static const struct shell_word *find_used(struct shell_values *v,
    const struct shell_word *assignment, size_t count, const struct shell_word *word)
{
	const char *end = word->text + word->length;
	bool is_number = false; /* $((N * 2)) */

	for (const char *p = word->text; count > 0 && p < end;) {
		size_t n = shell_name_length(p, (size_t)(end - p));
		bool is_used = is_number ||
		    (p > word->text && (p[-1] == '$' || (p[-1] == '{' && p[-2] == '$')));

		is_number = is_number || (end - p > 2 && memcmp(p, "$((", 3) == 0);
		is_used = is_used && n > 0;
		if (is_used && !shell_spend(v, count, word->line))
			return NULL;
		for (size_t i = 0; i < count && is_used; i++) {
			const struct shell_word *w = &assignment[i];

			if (w->length > n && memcmp(w->text, p, n) == 0 && shell_assignment(w) == n)
				return w;
		}
		p += n > 0 ? n : 1;
	}
	return NULL;
}

/* Notes that shells do not agree on the value of B in "A=1 B=$A". */
static void miss_order(const struct shell_values *v, const struct shell_word *used,
    const struct shell_word *word, struct shell_basis *basis)
{
	MEM_AUTO char *name = mem_format("$%.*s", (int)shell_assignment(word), word->text);
	MEM_AUTO char *problem = mem_format(
	    "%s:%zu: %s uses $%.*s, which this command sets, too: the sh of FreeBSD takes the "
	    "value "
	    "from before it, and other shells the new one: write each assignment on its own line",
	    v->text_name, word->line, name, (int)shell_assignment(used), used->text);

	shell_add_missing(basis, name, problem);
}

void shell_assign_line(struct shell_values *v, const struct shell_word *word, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t n = shell_assignment(&word[i]);
		const struct shell_word *used = find_used(v, word, i, &word[i]);
		struct shell_basis basis = { 0 };
		char *value;

		if (n == 0) {
			n = shell_element(&word[i]);
			shell_list_forget(v, word[i].text, n, word[i].line);
		} else if (!shell_list_assign(v, &word[i], n)) {
			value = value_of(v, &word[i], n, &basis);
			if (used != NULL)
				miss_order(v, used, &word[i], &basis);
			assign_value(v, &word[i], &basis, value);
		}
	}
}

void shell_assign_all(struct shell_values *v, const struct shell_word *word, size_t count)
{
	struct shell_basis *basis = mem_zero((count + 1) * sizeof(*basis));
	WORDS_AUTO struct words values = { 0 };

	for (size_t i = 0; i < count; i++) {
		size_t n = shell_assignment(&word[i]);

		words_take(&values, n > 0 ? value_of(v, &word[i], n, &basis[i]) : mem_copy(""));
	}
	for (size_t i = 0; i < count; i++) {
		size_t n = shell_assignment(&word[i]);

		if (n > 0 && !shell_list_assign(v, &word[i], n))
			assign_value(v, &word[i], &basis[i], mem_copy(values.item[i]));
		shell_basis_free(&basis[i]);
	}
	free(basis);
}

void shell_read_exports(struct shell_values *v, const struct shell_word *word, size_t words)
{
	bool exports = shell_is(word, "export"), ends = false;

	for (size_t i = 1; i < words; i++) {
		const char *text = word[i].text;
		size_t n = shell_name_length(text, word[i].length);
		bool has_x = memchr(text, 'x', word[i].length) != NULL;

		exports = exports || (*text == '-' && has_x);
		ends = ends || (*text == '+' && has_x) || shell_is(&word[i], "-n");
		if (ends)
			shell_unexport(v, text, n);
		else if (exports)
			shell_export(v, text, n, word->line);
	}
}
