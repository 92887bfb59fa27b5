/* Keeps what was found: the words of a command, and what stood around it. */
#include "shell/command_finder.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shell/shell_assign.h"
#include "shell/shell_expand.h"
#include "shell/shell_list.h"
#include "shell/shell_output.h"

#define MAX_PLACES 100 /* notes of a command in several directories */
#define TYPED "left out; type it with vmrun.send in a hook"

/* Returns the words from the first on.  They are copies. */
static struct words words_from(const struct words *w, size_t first)
{
	struct words rest = { 0 };

	for (size_t i = first; w->item != NULL && i < w->count; i++)
		words_add(&rest, w->item[i]);
	return rest;
}

static void command_place_free(struct command_place *place)
{
	free(place->path);
	words_free(&place->problem);
	words_free(&place->note);
	place->path = NULL;
}

/* Keeps the directory in which a command runs, which it or its wrappers may have changed. */
static void take_place(struct finder *f, const struct place *p, const struct command_words *c,
    struct command_place *to)
{
	struct shell_inner inner;
	const struct shell_place *now;

	shell_directory_open(&f->directory, true, &inner);
	for (size_t i = 0; i < c->directories.count; i++)
		shell_directory_change(&f->directory, c->directories.item[i], p->command->line);
	now = shell_directory_now(&f->directory);
	command_place_free(to);
	to->path = mem_copy(now->path);
	words_append(&to->problem, &now->problem);
	words_append(&to->note, &now->note);
	if (now->doubt != NULL)
		words_add(&to->note, now->doubt);
	shell_directory_close(&f->directory, &inner, &f->nesting);
}

void finder_note_streams(struct finder *f, const struct place *p)
{
	const char *before = p->index == 0 ? "" : p->command[-1].end;

	for (size_t i = 0; i < p->command->redirects; i++) {
		const struct shell_redirect *r = &p->script->redirect[p->command->redirect + i];

		if (r->kind == SHELL_OUT && !shell_is(&r->target, "/dev/null"))
			finder_note(f, r->target.line,
			    "a file for bhyve's output: vmrun prints bhyve's messages; redirect "
			    "the output of vmrun");
		else if (r->kind == SHELL_IN && !shell_is(&r->target, "/dev/null"))
			finder_note(f, r->target.line, "a file as bhyve's input: " TYPED);
		else if (r->kind == SHELL_HERE)
			finder_note(f, r->target.line, "a text as bhyve's input: " TYPED);
	}
	if (strcmp(before, "|") == 0 || strcmp(before, ")|") == 0)
		finder_note(f, p->command->line, "a pipe as bhyve's input: " TYPED);
	if (strcmp(p->command->end, "|") == 0)
		finder_note(f, p->command->last_line,
		    "a pipe for bhyve's output: vmrun prints bhyve's messages; pipe the output of "
		    "vmrun");
}

/* Notes that the command that was found stands here, too, and runs in another directory. */
static void compare_place(struct finder *f, const struct place *p, const struct command_words *c)
{
	struct command_place here = { 0 };

	take_place(f, p, c, &here);
	if ((strcmp(here.path, f->out->place.path) != 0 ||
		here.problem.count > f->out->place.problem.count ||
		here.note.count > f->out->place.note.count) &&
	    f->out->place.note.count < MAX_PLACES)
		words_addf(&f->out->place.note,
		    "%s:%zu: this line runs the same command in another directory", f->name,
		    p->command->line);
	command_place_free(&here);
}

/* Refuses a command that goes on in the next line for people, but not for a shell. */
static void refuse_break(struct finder *f, const struct place *p)
{
	const struct shell_command *c = p->command;
	const struct shell_word *next = &p->script->word[c->word + c->words];

	if (c->line_break == BREAK_BLANK) {
		finder_fail(f, c->break_line,
		    "a blank after \"\\\": the next line is not part of the command: remove the "
		    "blanks at the end of this line");
	} else if (c->line_break == BREAK_DOUBLE) {
		finder_fail(f, c->break_line,
		    "\"\\\\\" at the end of the line: the next line is not part of the command: "
		    "write one \"\\\"");
	} else if (strcmp(c->end, "\n") == 0 && p->index + 1 < p->script->commands &&
	    c[1].words > 0 && c[1].word == c->word + c->words && next->length > 1 &&
	    *next->text == '-' && isalpha((unsigned char)next->text[1]) &&
	    next->line == c->last_line + 1) {
		finder_fail(f, next->line,
		    "this line begins with an option, but it is not part of the command before "
		    "it: end the line before it with \"\\\"");
	}
}

/* Notes that a shell may skip the loader before this bhyve. */
static void note_loader(struct finder *f)
{
	if (f->out->loader.count > 0 && f->loader_arm != 0 &&
	    !shell_arms_have(&f->values.arms, f->loader_arm))
		finder_note(f, f->out->loader_line,
		    "a shell may skip the loader of this line, which the import uses: remove the "
		    "line if it does not apply");
}

/* Notes that the next round of a loop runs the command of this line with other words. */
static void note_round(struct finder *f, size_t line)
{
	MEM_AUTO char *note = mem_format(
	    "the loop of line %zu runs this command again with other words, and the import uses "
	    "those of its first round: if others apply, set their values before the loop",
	    f->loop_line);

	finder_note(f, line, note);
}

void finder_take_bhyve(struct finder *f, const struct place *p, const struct words *w,
    const struct command_words *c, const struct shell_basis *basis)
{
	struct words argv = words_from(w, c->first);

	if (f->out->argv.count > 0) {
		/* What is not known of the first one is told elsewhere. */
		bool is_same = words_equal(&argv, &f->out->argv) &&
		    (basis->missing.count == 0 || f->basis.missing.count > 0);
		bool is_here = p->index == f->index && p->command->line == f->out->line;

		/* A note is of a branch in the loop, which may set another word. */
		if (is_here && f->loop_line > 0 &&
		    (!is_same || basis->note.count > f->basis.note.count)) {
			note_round(f, f->out->line);
		} else if (!is_same && is_here) {
			finder_fail(f, f->out->line,
			    "the text runs this command several times, with other words each "
			    "time: keep one call of its function, or pass the bhyve command alone");
		} else if (!is_same && f->other_line == 0) {
			f->other_line = p->command->line;
			f->other_last_line = p->command->last_line;
		} else if (f->other_line == 0) {
			compare_place(f, p, c);
		}
		words_free(&argv);
		return;
	}
	refuse_break(f, p);
	f->out->argv = argv;
	f->out->line = p->command->line;
	f->out->last_line = p->command->last_line;
	f->index = p->index;
	take_place(f, p, c, &f->out->place);
	words_append(&f->out->prefix, &c->prefix);
	for (size_t i = 0; i < c->notes.count; i++)
		finder_note(f, p->command->line, c->notes.item[i]);
	finder_note_streams(f, p);
	note_loader(f);
	finder_add_basis(&f->basis, basis);
	finder_add_basis(&f->basis, p->outer);
}

static void note_input_file(struct finder *f, const struct shell_word *file)
{
	MEM_AUTO char *note = mem_format(
	    "the file %.*s as the loader's input: left out; add its lines to \"commands\" of "
	    "\"loader\"",
	    (int)file->length, file->text);

	finder_note(f, file->line, note);
}

/* Reads what the loader gets on stdin, by a redirection or from the command before it. */
static void read_loader_input(struct finder *f, const struct place *p)
{
	const char *before = p->index == 0 ? "" : p->command[-1].end;
	SHELL_BASIS_AUTO struct shell_basis printed = { 0 };
	bool has_input = false;

	for (size_t i = 0; i < p->command->redirects; i++) {
		const struct shell_redirect *r = &p->script->redirect[p->command->redirect + i];

		if (r->kind != SHELL_IN && r->kind != SHELL_HERE)
			continue;
		has_input = true;
		free(f->out->loader_input);
		f->out->loader_input = NULL;
		if (r->kind == SHELL_HERE)
			f->out->loader_input = shell_expand_here(&f->values, r, &f->loader_basis);
		else if (!shell_is(&r->target, "/dev/null"))
			note_input_file(f, &r->target);
	}
	if (has_input || (strcmp(before, "|") != 0 && strcmp(before, ")|") != 0))
		return;
	f->out->loader_input = shell_group_output(&f->values, p->script, p->index, &printed);
	if (f->out->loader_input != NULL)
		finder_add_basis(&f->loader_basis, &printed);
	else
		finder_note(f, p->command->line,
		    "a pipe as the loader's input: left out; add its lines to \"commands\" of "
		    "\"loader\"");
}

void finder_take_loader(struct finder *f, const struct place *p, const struct words *w,
    const struct command_words *c, const struct shell_basis *basis)
{
	struct words argv = words_from(w, c->first);

	if (f->out->argv.count > 0 || (argv.count < 2 && basis->missing.count == 0)) {
		if (f->loop_line > 0 && p->command->line == f->out->loader_line &&
		    (!words_equal(&argv, &f->out->loader) || basis->missing.count > 0))
			note_round(f, f->out->loader_line);
		words_free(&argv);
		return;
	}
	if (f->out->loader.count > 0 && !words_equal(&f->out->loader, &argv)) {
		MEM_AUTO char *text = mem_format("the import uses this loader, and not the one of "
						 "line %zu: remove the one that does not apply",
		    f->out->loader_line);

		finder_note(f, p->command->line, text);
	}
	refuse_break(f, p);
	words_free(&f->out->loader);
	free(f->out->loader_input);
	shell_basis_free(&f->loader_basis);
	f->out->loader_input = NULL;
	f->out->loader = argv;
	f->out->loader_line = p->command->line;
	f->loader_arm = shell_arms_now(&f->values.arms);
	take_place(f, p, c, &f->out->loader_place);
	finder_add_basis(&f->loader_basis, basis);
	finder_add_basis(&f->loader_basis, p->outer);
	read_loader_input(f, p);
}

void finder_add_environment(struct finder *f, const struct place *p, struct command_words *c)
{
	WORDS_AUTO struct words kept = { 0 };
	struct words prefix = { 0 };

	/* "A=1 sudo bhyve": sudo and env -i take the variable away. */
	for (size_t i = c->is_clean ? 0 : p->run.assignments; i > 0; i--) {
		const struct shell_word *word = p->run.word - i;
		SHELL_BASIS_AUTO struct shell_basis basis = { 0 };
		size_t n = shell_assignment(word);
		const struct shell_word value = { word->text + n + 1, word->length - n - 1,
			word->line };
		MEM_AUTO char *text =
		    word->text[n] == '=' ? shell_expand_one(&f->values, &value, &basis) : NULL;

		if (text != NULL && basis.missing.count == 0)
			words_addf(&kept, "%.*s=%s", (int)n, word->text, text);
		else
			words_addf(&c->notes,
			    "%.*s: the text does not tell the value of this variable: left out; "
			    "add it to \"prefix\": [\"env\", \"NAME=VALUE\"] if bhyve needs it",
			    (int)word->length, word->text);
	}
	if (kept.count == 0)
		return;
	words_add(&prefix, "env");
	words_append(&prefix, &kept);
	words_append(&prefix, &c->prefix);
	words_free(&c->prefix);
	c->prefix = prefix;
}

void finder_enter_program(struct finder *f, const struct place *p, const struct words *w,
    const struct command_words *c, const struct shell_basis *basis)
{
	SHELL_ITEMS_AUTO struct shell_items items = { 0 };

	shell_values_hide(&f->values, p->command->line, c->is_clean);
	for (size_t i = 0; i < c->unset.count; i++)
		shell_hide(&f->values, c->unset.item[i]);
	for (size_t i = 0; i < c->prefix.count; i++) {
		const char *word = c->prefix.item[i];
		size_t n = shell_name_length(word, strlen(word));
		struct shell_basis none = { 0 };

		if (n == 0 || word[n] != '=')
			continue;
		(void)shell_set(
		    &f->values, word, n, p->command->line, &none, mem_copy(word + n + 1));
		shell_export(&f->values, word, n, p->command->line);
	}
	shell_list_unset(&f->values, "@", 1);
	for (size_t i = c->first + 2; i < w->count; i++)
		shell_items_put(&items, w->item[i], basis);
	if (w->count > c->first + 2)
		shell_list_set(&f->values, "@", 1, p->command->line, false, &items);
}

void command_text_free(struct command_text *c)
{
	command_place_free(&c->place);
	command_place_free(&c->loader_place);
	words_free(&c->argv);
	words_free(&c->prefix);
	words_free(&c->loader);
	words_free(&c->notes);
	free(c->loader_input);
	c->loader_input = NULL;
}
