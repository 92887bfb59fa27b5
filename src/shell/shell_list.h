/*
 * Lists of a shell: arrays, and the positional parameters, whose name is "@".  Their elements are
 * variables: "a" and "a[1]", or "1" and "2"; "a[#]" and "#" have their number.
 */
#ifndef SHELL_LIST_H
#define SHELL_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "shell/shell_text.h"
#include "shell/shell_values.h"

/*
 * Returns a variable as the current arm sees it: without what the other arms of a branch set, which
 * a shell does not run with this one, and without elements that a list no longer has.  Behind the
 * branch it is that of the last arm.
 */
const struct shell_variable *shell_seen(const struct shell_values *v, const char *name, size_t n);

/* What words expand to, with what each element rests on. */
struct shell_items {
	struct words text;
	struct shell_basis *basis; /* for each */
	struct shell_basis count;  /* what their number rests on */
};

void shell_items_free(struct shell_items *items);
#define SHELL_ITEMS_AUTO __attribute__((cleanup(shell_items_free)))

/* Adds an element. */
void shell_items_put(struct shell_items *items, const char *text, const struct shell_basis *basis);
/* Expands words and adds their fields. */
void shell_items_add(
    struct shell_values *v, const struct shell_word *word, size_t words, struct shell_items *items);

/* Returns whether the list is set, and the variable that has its length; NULL: there is none. */
bool shell_list_count(
    const struct shell_values *v, const char *name, size_t n, const struct shell_variable **count);
size_t shell_list_length(const struct shell_values *v, const char *name, size_t n);
/* Returns an element, or NULL. */
const struct shell_variable *shell_list_item(
    const struct shell_values *v, const char *name, size_t n, size_t index);
/* Returns the line in another arm of the branch that has set the list; 0: there is none. */
size_t shell_list_other(const struct shell_values *v, const char *name, size_t n);
/* Sets all elements.  `refers`: a loop that does so again does not set the same. */
void shell_list_set(struct shell_values *v, const char *name, size_t n, size_t line, bool refers,
    const struct shell_items *items);
/* Adds a note to all elements and their number. */
void shell_list_note(
    struct shell_values *v, const char *name, size_t n, size_t line, const char *note);
/* Unsets all elements in the arm of a branch or a loop, with a note behind it. */
void shell_list_hide(
    struct shell_values *v, const char *name, size_t n, size_t line, const char *note);
/* Forgets all elements, which are not set from here on. */
void shell_list_unset(struct shell_values *v, const char *name, size_t n);
/* Forgets their values, because the text does not tell them from here on. */
void shell_list_forget(struct shell_values *v, const char *name, size_t n, size_t line);
/* Returns whether the value of an assignment is an array, NAME=(a b), and sets it. */
bool shell_list_assign(struct shell_values *v, const struct shell_word *word, size_t n);
/* Keeps a list until the end of the function. */
void shell_list_local(struct shell_values *v, const char *name, size_t n, size_t line);
/*
 * Reads "shift", behind which the text tells nothing of the positional parameters where a shell may
 * run it otherwise.
 */
void shell_shift(struct shell_values *v, const struct shell_word *word, size_t words);

#endif
