/* Variables of a shell script, and what functions and subshells do to them. */
#include "shell/shell_values.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shell/shell_text.h"

#define MAX_VARIABLES 1000
#define MAX_BASIS 32   /* names and notes that a value keeps */
#define MAX_EARLIER 16 /* branches inside each other that set a variable */

/* A variable as it was.  Its value is NULL if it was not set. */
struct shell_saved {
	struct shell_variable variable;
	size_t level; /* subshells that were open */
};

bool shell_spend(struct shell_values *v, size_t n, size_t line)
{
	v->expanded += n;
	if (!v->too_long && v->expanded > MAX_SHELL_EXPANDED) {
		v->too_long = true;
		v->limit_line = line;
	}
	return !v->too_long;
}

void shell_add_once(struct words *w, const char *text)
{
	if (w->count < MAX_BASIS && !words_have(w, text))
		words_add(w, text);
}

void shell_add_missing(struct shell_basis *basis, const char *name, const char *problem)
{
	shell_add_unset(basis, name, problem);
	basis->is_unknown = true;
}

void shell_add_unset(struct shell_basis *basis, const char *name, const char *problem)
{
	if (basis->missing.count >= MAX_BASIS || words_have(&basis->missing, name))
		return;
	words_add(&basis->missing, name);
	words_add(&basis->problem, problem);
}

void shell_basis_append(struct shell_basis *basis, const struct shell_basis *more)
{
	for (size_t i = 0; i < more->missing.count; i++)
		shell_add_unset(basis, more->missing.item[i], more->problem.item[i]);
	basis->is_unknown = basis->is_unknown || more->is_unknown;
	for (size_t i = 0; i < more->note.count; i++)
		shell_add_once(&basis->note, more->note.item[i]);
}

static void free_parts(struct shell_variable *variable)
{
	free(variable->name);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what take() returned is not in the list */
	free(variable->value);
	shell_basis_free(&variable->basis);
	shell_basis_free(&variable->outside);
}

static void free_earlier(struct shell_variable *variable)
{
	while (variable->earlier != NULL) {
		struct shell_variable *earlier = variable->earlier;

		variable->earlier = earlier->earlier;
		free_parts(earlier);
		free(earlier);
	}
}

static void free_variable(struct shell_variable *variable)
{
	if (variable->kept != NULL)
		free_earlier(variable->kept);
	free_earlier(variable);
	if (variable->kept != NULL)
		free_parts(variable->kept);
	free(variable->kept);
	free_parts(variable);
}

void shell_earlier_free(struct shell_variable *earlier)
{
	if (earlier != NULL)
		free_variable(earlier);
	free(earlier);
}

/* Returns to what a variable was before an arm that has ended. */
static void end_arm(struct shell_variable *variable)
{
	struct shell_variable *kept = variable->kept;

	free_earlier(variable);
	free_parts(variable);
	*variable = *kept;
	free(kept);
}

/* Returns a variable of the list, which may be gone. */
static struct shell_variable *find_any(const struct shell_values *v, const char *name, size_t n)
{
	for (size_t i = 0; i < v->count; i++) {
		struct shell_variable *item = &v->item[i];

		if (strncmp(item->name, name, n) != 0 || item->name[n] != '\0')
			continue;
		if (item->kept != NULL && !shell_arms_have(&v->arms, item->arm))
			end_arm(item);
		return item;
	}
	return NULL;
}

struct shell_variable *shell_find(const struct shell_values *v, const char *name, size_t n)
{
	struct shell_variable *found = find_any(v, name, n);

	return found == NULL || found->is_gone ? NULL : found;
}

const struct shell_variable *shell_before(const struct shell_values *v, const char *name, size_t n)
{
	const struct shell_variable *found = find_any(v, name, n);

	return found != NULL && found->is_gone ? found->kept : found;
}

const struct shell_variable *shell_value(const struct shell_values *v, const char *name)
{
	return shell_find(v, name, strlen(name));
}

void shell_use(
    const struct shell_values *v, const struct shell_variable *used, struct shell_basis *basis)
{
	shell_basis_append(basis, &used->basis);
	if (used->arm != 0 && !shell_arms_have(&v->arms, used->arm))
		shell_basis_append(basis, &used->outside);
}

/* Takes a variable out of the list. */
static struct shell_variable take(struct shell_values *v, struct shell_variable *found)
{
	struct shell_variable taken = *found;

	*found = v->item[--v->count];
	return taken;
}

/* Takes a variable out of the list, and keeps it for the end of the subshell. */
static void remove_variable(struct shell_values *v, const char *name, size_t n)
{
	struct shell_variable *found = find_any(v, name, n);
	struct shell_variable old = { 0 };

	if (found != NULL)
		old = take(v, found);
	else if (v->levels > 0)
		old.name = mem_copy_n(name, n);
	if (v->levels == 0) {
		free_variable(&old);
		return;
	}
	v->undo = mem_grow(v->undo, v->undos, sizeof(*v->undo));
	v->undo[v->undos++] = (struct shell_saved){ old, v->levels };
}

/* Adds a new variable, or frees it and returns NULL if there are too many. */
static struct shell_variable *add(struct shell_values *v, struct shell_variable *variable)
{
	if (v->count == MAX_VARIABLES) {
		v->too_many = true;
		v->limit_line = variable->line;
		free_variable(variable);
		return NULL;
	}
	if (v->item == NULL)
		v->item = mem_resize(NULL, MAX_VARIABLES, sizeof(*v->item));
	v->item[v->count] = *variable;
	return &v->item[v->count++];
}

struct shell_variable *shell_set(struct shell_values *v, const char *name, size_t n, size_t line,
    struct shell_basis *basis, char *value)
{
	struct shell_variable new = { .name = mem_copy_n(name, n), .line = line, .basis = *basis };

	new.value = value;
	*basis = (struct shell_basis){ 0 };
	if (v->exports_all && shell_name_length(name, n) == n)
		shell_export(v, name, n, line);
	remove_variable(v, name, n);
	return add(v, &new);
}

/* Copies a variable, but not what it was before its arm. */
static struct shell_variable copy_one(const struct shell_variable *variable)
{
	struct shell_variable copy = { .name = mem_copy(variable->name),
		.value = mem_copy(variable->value),
		.line = variable->line,
		.arm = variable->arm,
		.branch = variable->branch,
		.covers = variable->covers,
		.time = variable->time,
		.is_gone = variable->is_gone };

	shell_basis_append(&copy.basis, &variable->basis);
	shell_basis_append(&copy.outside, &variable->outside);
	return copy;
}

/* Likewise with what other arms see.  Caller frees. */
static struct shell_variable copy_of(const struct shell_variable *variable)
{
	struct shell_variable copy = copy_one(variable);
	struct shell_variable **end = &copy.earlier;

	for (variable = variable->earlier; variable != NULL; variable = variable->earlier) {
		*end = mem_zero(sizeof(**end));
		**end = copy_one(variable);
		end = &(*end)->earlier;
	}
	return copy;
}

struct shell_variable *shell_earlier(
    struct shell_values *v, const char *name, size_t n, size_t line, size_t *time)
{
	const struct shell_variable *seen = find_any(v, name, n);
	struct shell_variable *earlier;
	size_t begin, spent = 0, depth = 0;

	*time = shell_arms_time(&v->arms, &begin);
	if (*time == 0)
		return NULL;
	if (seen != NULL && seen->kept != NULL)
		seen = seen->kept;
	while (seen != NULL && (seen->time >= begin || shell_arms_hide(&v->arms, seen->time)))
		seen = seen->earlier;
	for (const struct shell_variable *i = seen; i != NULL; i = i->earlier, depth++)
		spent += 64 + strlen(i->value);
	if (seen == NULL)
		return NULL;
	if (depth >= MAX_EARLIER || !shell_spend(v, spent, line)) {
		*time = 0;
		return NULL;
	}
	earlier = mem_zero(sizeof(*earlier));
	*earlier = copy_of(seen);
	return earlier;
}

void shell_set_inside(struct shell_values *v, const struct shell_variable *before, size_t line,
    struct shell_basis *basis, char *value, const char *note)
{
	size_t arm = shell_arms_now(&v->arms);
	struct shell_variable copy = copy_of(before), *set;
	bool is_gone = value == NULL;

	shell_add_once(&copy.basis.note, note);
	copy.time = copy.covers = 0; /* the note is for all arms */
	set =
	    shell_set(v, copy.name, strlen(copy.name), line, basis, is_gone ? mem_copy("") : value);
	if (set == NULL) {
		free_variable(&copy);
		return;
	}
	set->arm = arm == 0 ? shell_arms_loop(&v->arms) : arm;
	set->is_gone = is_gone;
	set->kept = mem_zero(sizeof(*set->kept));
	*set->kept = copy;
}

void shell_note(struct shell_values *v, const char *name, size_t n, const char *note)
{
	struct shell_variable *found = shell_find(v, name, n);

	if (found == NULL)
		return;
	shell_add_once(&found->basis.note, note);
	found->time = found->covers = 0; /* the note is for all arms */
}

void shell_note_all(struct shell_values *v, size_t line)
{
	for (size_t i = 0; i < v->count && shell_spend(v, 64, line); i++) {
		const struct shell_variable *item = &v->item[i];
		MEM_AUTO char *name = mem_copy(item->name);
		MEM_AUTO char *note = mem_format(
		    "%s:%zu: this line may change $%s, because the text does not tell which "
		    "variable it names: the import uses the value of line %zu",
		    v->text_name, line, name, item->line);

		shell_note(v, name, strlen(name), note);
	}
}

void shell_unset(struct shell_values *v, const char *name)
{
	if (shell_value(v, name) != NULL)
		remove_variable(v, name, strlen(name));
}

/* Returns the name of the variable that tells of an export.  Caller frees. */
static char *export_name(const char *name, size_t n)
{
	return mem_format("export %.*s", (int)n, name);
}

const struct shell_variable *shell_exported(
    const struct shell_values *v, const char *name, size_t n)
{
	MEM_AUTO char *key = export_name(name, n);

	return shell_value(v, key);
}

void shell_export(struct shell_values *v, const char *name, size_t n, size_t line)
{
	MEM_AUTO char *key = export_name(name, n);
	struct shell_basis basis = { 0 };

	if (n == 0 || shell_exported(v, name, n) != NULL || !shell_spend(v, 64, line))
		return;
	if (shell_arms_now(&v->arms) != 0 || (v->exports_all && v->export_line != 0)) {
		bool is_all = v->exports_all && v->export_line != 0;
		MEM_AUTO char *note = mem_format(
		    "%s:%zu: a shell may skip this line, which %s $%.*s: put the line before "
		    "the branch, or remove it",
		    v->text_name, is_all ? v->export_line : line,
		    is_all ? "decides on the export of" : "exports", (int)n, name);

		shell_add_once(&basis.note, note);
	}
	(void)shell_set(v, key, strlen(key), line, &basis, mem_copy(""));
}

void shell_unexport(struct shell_values *v, const char *name, size_t n)
{
	MEM_AUTO char *key = export_name(name, n);

	shell_unset(v, key);
}

void shell_hide(struct shell_values *v, const char *name)
{
	if (v->hidden.count < MAX_VARIABLES && !words_have(&v->hidden, name))
		words_add(&v->hidden, name);
	remove_variable(v, name, strlen(name));
}

void shell_values_hide(struct shell_values *v, size_t line, bool hides_all)
{
	v->is_clean = hides_all;
	for (size_t i = v->count; i > 0 && shell_spend(v, 16, line); i--) {
		MEM_AUTO char *name = mem_copy(v->item[i - 1].name);

		const struct shell_variable *exported = shell_exported(v, name, strlen(name));

		if (!hides_all && strchr(name, ' ') != NULL)
			continue; /* an export */
		if (hides_all || exported == NULL)
			shell_hide(v, name);
		else if (exported->basis.note.count > 0)
			shell_note(v, name, strlen(name), exported->basis.note.item[0]);
	}
}

/* Returns to a value, which this function frees or hands on. */
static void restore(struct shell_values *v, struct shell_saved *saved)
{
	struct shell_variable *found =
	    find_any(v, saved->variable.name, strlen(saved->variable.name));

	if (found != NULL) {
		struct shell_variable now = take(v, found);

		free_variable(&now);
	}
	if (saved->variable.value == NULL)
		free_variable(&saved->variable);
	else
		(void)add(v, &saved->variable);
}

void shell_values_enter(struct shell_values *v, size_t levels)
{
	if (v->levels < levels)
		v->levels = levels;
}

void shell_values_leave(struct shell_values *v, size_t levels)
{
	while (v->undos > 0 && v->undo[v->undos - 1].level > levels)
		restore(v, &v->undo[--v->undos]);
	while (v->locals > 0 && v->local[v->locals - 1].level > levels)
		free_variable(&v->local[--v->locals].variable);
	if (v->levels > levels)
		v->levels = levels;
}

size_t shell_values_call(struct shell_values *v)
{
	v->frames++;
	return v->locals;
}

/* Forgets the elements that a function added to an array of its own: name is "a[#]". */
static void remove_elements(struct shell_values *v, const char *name)
{
	const char *mark = strstr(name, "[#]");
	size_t n = mark == NULL ? 0 : (size_t)(mark + 1 - name);

	for (size_t i = n > 0 ? v->count : 0; i > 0; i--) {
		const struct shell_variable *item = &v->item[i - 1];

		if (strncmp(item->name, name, n) == 0)
			remove_variable(v, item->name, strlen(item->name));
	}
}

void shell_values_return(struct shell_values *v, size_t locals)
{
	v->frames--;
	while (v->locals > locals) {
		struct shell_saved *saved = &v->local[--v->locals];

		remove_elements(v, saved->variable.name);
		restore(v, saved);
	}
}

static void save_local(struct shell_values *v, const char *name, size_t n, size_t line)
{
	const struct shell_variable *found = find_any(v, name, n);
	struct shell_variable copy = { 0 };

	if (v->frames == 0 || !shell_spend(v, 32, line))
		return;
	if (found != NULL && shell_spend(v, strlen(found->value), line))
		copy = copy_of(found);
	else
		copy.name = mem_copy_n(name, n);
	if (found != NULL && found->kept != NULL && copy.value != NULL) {
		copy.kept = mem_zero(sizeof(*copy.kept));
		*copy.kept = copy_of(found->kept);
	}
	v->local = mem_grow(v->local, v->locals, sizeof(*v->local));
	v->local[v->locals++] = (struct shell_saved){ copy, v->levels };
}

void shell_local(struct shell_values *v, const char *name, size_t n, size_t line)
{
	MEM_AUTO char *key = export_name(name, n);

	save_local(v, name, n, line);
	save_local(v, key, strlen(key), line);
}

void shell_basis_free(struct shell_basis *basis)
{
	words_free(&basis->missing);
	words_free(&basis->problem);
	words_free(&basis->note);
}

void shell_values_free(struct shell_values *v)
{
	shell_values_leave(v, 0);
	shell_values_return(v, 0);
	for (size_t i = 0; i < v->count; i++)
		free_variable(&v->item[i]);
	free(v->item);
	free(v->undo);
	free(v->local);
	free(v->source);
	words_free(&v->hidden);
	shell_arms_free(&v->arms);
	*v = (struct shell_values){ .text_name = v->text_name };
}
