/* Walks through the commands of a text and keeps the one that runs bhyve. */
#include "shell/command_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "shell/command_finder.h"
#include "shell/command_words.h"
#include "shell/shell_output.h"
#include "shell/shell_statement.h"
#include "shell/shell_text.h"

#define TYPED "left out; type it with vmrun.send in a hook"
#define MAX_DEPTH 8 /* texts in texts: sh -c, eval */

/* A command of the text and what stands around it. */
struct place {
	const struct shell_script *script;
	size_t index;
	const struct shell_command *command;
	struct shell_statement run;	 /* the words that run a program */
	const struct shell_basis *outer; /* of the text that this one is a part of; NULL: none */
	unsigned depth;
};

static void search(struct finder *f, const char *text, size_t length, size_t line,
    enum shell_comments comments, const struct shell_basis *outer, unsigned depth);

static bool is_word(const struct shell_word *word, const char *text)
{
	return word->length == strlen(text) && memcmp(word->text, text, word->length) == 0;
}

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

/* Returns whether words behind "bhyve" are those of a VM: options, or its name alone. */
static bool runs_vm(const struct words *w, size_t first, bool has_missing)
{
	size_t count = w->count - first;

	if (w->item == NULL || count < 2)
		return has_missing;
	if (*w->item[first + 1] != '-')
		return count == 2;
	return count > 2 || has_missing;
}

/* Notes where bhyve's input came from, and where the output went that vmrun passes on. */
static void note_streams(struct finder *f, const struct place *p)
{
	const char *before = p->index == 0 ? "" : p->command[-1].end;

	for (size_t i = 0; i < p->command->redirects; i++) {
		const struct shell_redirect *r = &p->script->redirect[p->command->redirect + i];

		if (r->kind == SHELL_OUT && !is_word(&r->target, "/dev/null"))
			finder_note(f, r->target.line,
			    "a file for bhyve's output: vmrun passes bhyve's messages on; redirect "
			    "vmrun's");
		else if (r->kind == SHELL_IN && !is_word(&r->target, "/dev/null"))
			finder_note(f, r->target.line, "a file as bhyve's input: " TYPED);
		else if (r->kind == SHELL_HERE)
			finder_note(f, r->target.line, "a text as bhyve's input: " TYPED);
	}
	if (strcmp(before, "|") == 0 || strcmp(before, ")|") == 0)
		finder_note(f, p->command->line, "a pipe as bhyve's input: " TYPED);
	if (strcmp(p->command->end, "|") == 0)
		finder_note(f, p->command->last_line,
		    "a pipe for bhyve's output: vmrun passes bhyve's messages on; pipe vmrun's");
}

static void take_bhyve(struct finder *f, const struct place *p, const struct words *w,
    const struct command_words *c, const struct shell_basis *basis)
{
	struct words argv = words_from(w, c->first);

	if (f->out->argv.count > 0) {
		if (!words_equal(&argv, &f->out->argv) && f->other_line == 0) {
			f->other_line = p->command->line;
			f->other_last_line = p->command->last_line;
		}
		words_free(&argv);
		return;
	}
	f->out->argv = argv;
	f->out->line = p->command->line;
	f->last_line = p->command->last_line;
	take_place(f, p, c, &f->out->place);
	words_append(&f->out->prefix, &c->prefix);
	for (size_t i = 0; i < c->notes.count; i++)
		finder_note(f, p->command->line, c->notes.item[i]);
	note_streams(f, p);
	finder_add_basis(&f->basis, basis);
	finder_add_basis(&f->basis, p->outer);
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
		else if (!is_word(&r->target, "/dev/null"))
			finder_note(f, r->target.line,
			    "a file as the loader's input: left out; add its lines to "
			    "\"commands\" of \"loader\"");
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

/* Takes a loader that stands before bhyve; the last one counts. */
static void take_loader(struct finder *f, const struct place *p, const struct words *w,
    const struct command_words *c, const struct shell_basis *basis)
{
	struct words argv = words_from(w, c->first);

	if (f->out->argv.count > 0 || (argv.count < 2 && basis->missing.count == 0)) {
		words_free(&argv);
		return;
	}
	if (f->out->loader.count > 0 && !words_equal(&f->out->loader, &argv)) {
		MEM_AUTO char *text = mem_format("the import uses this loader, and not the one of "
						 "line %zu: remove the one that does not apply",
		    f->out->loader_line);

		finder_note(f, p->command->line, text);
	}
	words_free(&f->out->loader);
	free(f->out->loader_input);
	shell_basis_free(&f->loader_basis);
	f->out->loader_input = NULL;
	f->out->loader = argv;
	f->out->loader_line = p->command->line;
	take_place(f, p, c, &f->out->loader_place);
	finder_add_basis(&f->loader_basis, basis);
	finder_add_basis(&f->loader_basis, p->outer);
	read_loader_input(f, p);
}

/* Searches a text that the current command runs, in its directory. */
static void search_text(struct finder *f, const struct place *p, const struct command_words *c,
    const struct str *text, const struct shell_basis *outer)
{
	struct shell_inner inner;

	shell_directory_open(&f->directory, !c->has_joined, &inner);
	for (size_t i = 0; i < c->directories.count; i++)
		shell_directory_change(&f->directory, c->directories.item[i], p->command->line);
	search(f, text->text, text->length, p->command->line, SHELL_COMMENTS, outer, p->depth + 1);
	shell_directory_close(&f->directory, &inner, &f->nesting);
}

/* Searches the text that a shell, su or eval runs. */
static void search_inside(struct finder *f, const struct place *p, const struct words *w,
    const struct command_words *c, const struct shell_basis *basis)
{
	SHELL_BASIS_AUTO struct shell_basis all = { 0 };
	size_t end = c->has_joined ? w->count : c->first + 1;
	STR_AUTO struct str text = { 0 };

	for (size_t i = c->first; w->item != NULL && i < end; i++)
		str_addf(&text, "%s%s", i > c->first ? " " : "", w->item[i]);
	if (text.length == 0 || (p->depth == MAX_DEPTH && strstr(text.text, "bhyve") == NULL))
		return;
	if (p->depth == MAX_DEPTH) {
		finder_fail(f, p->command->line,
		    "commands in commands: more than " STR_LITERAL(
			MAX_DEPTH) " levels: pass the "
				   "bhyve command alone");
		return;
	}
	finder_add_basis(&all, basis);
	finder_add_basis(&all, p->outer);
	if (f->out->argv.count > 0) {
		search_text(f, p, c, &text, &all);
		return;
	}
	/* The prefix of the shell stands before that of the command in its text. */
	words_append(&f->out->prefix, &c->prefix);
	search_text(f, p, c, &text, &all);
	if (f->out->argv.count == 0) {
		words_truncate(&f->out->prefix, f->out->prefix.count - c->prefix.count);
		return;
	}
	for (size_t i = 0; i < c->notes.count; i++)
		finder_note(f, p->command->line, c->notes.item[i]);
	note_streams(f, p);
}

/* Puts the variables that are set for the command alone in front of its prefix: "A=1 bhyve ...". */
static void add_environment(struct finder *f, const struct place *p, struct command_words *c)
{
	WORDS_AUTO struct words kept = { 0 };
	struct words prefix = { 0 };

	for (size_t i = p->run.assignments; i > 0; i--) {
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

/* Looks at one command: expands its words and finds what they run. */
static void look_at(struct finder *f, const struct place *p)
{
	WORDS_AUTO struct words w = { 0 };
	SHELL_BASIS_AUTO struct shell_basis basis = { 0 };
	struct command_words c;

	for (size_t i = 0; i < p->run.words; i++)
		shell_expand(&f->values, &p->run.word[i], &w, &basis);
	command_words_find(&w, &c);
	if (c.kind == COMMAND_BHYVE || c.kind == COMMAND_TEXT)
		add_environment(f, p, &c);
	if (c.kind == COMMAND_BHYVE && runs_vm(&w, c.first, basis.missing.count > 0))
		take_bhyve(f, p, &w, &c, &basis);
	else if (c.kind == COMMAND_LOADER)
		take_loader(f, p, &w, &c, &basis);
	else if (c.kind == COMMAND_TEXT)
		search_inside(f, p, &w, &c, &basis);
	else if (c.kind == COMMAND_TITLE && f->title_line == 0)
		f->title_line = p->command->line;
	else
		finder_note_program(f, &w, &basis);
	command_words_free(&c);
}

static void walk(
    struct finder *f, struct shell_script *script, const struct shell_basis *outer, unsigned depth)
{
	for (size_t i = 0; i < script->commands && !f->has_failed; i++) {
		struct place p = { .script = script, .index = i, .outer = outer, .depth = depth };

		p.command = &script->command[i];
		bool runs = shell_statement_read(&f->values, &f->nesting, script, i, &p.run);

		shell_directory_enter(&f->directory, script, i, &f->nesting);
		if (runs && !shell_directory_read(&f->directory, &f->values, script, i, &p.run))
			look_at(f, &p);
		if (f->values.too_long)
			finder_fail(f, f->values.limit_line,
			    "variables expand to more than 1 MiB: pass the bhyve command alone");
		if (f->directory.is_lost)
			finder_fail(f, p.command->line,
			    "more than 1000 changes of the directory, or a path of more than 1024 "
			    "bytes: pass the bhyve command alone");
		if (f->values.too_many)
			finder_fail(f, f->values.limit_line,
			    "more than 1000 variables: pass the bhyve command alone");
	}
}

static void search(struct finder *f, const char *text, size_t length, size_t line,
    enum shell_comments comments, const struct shell_basis *outer, unsigned depth)
{
	struct shell_script script;
	ERROR_AUTO struct error err = { 0 };

	if (shell_read(text, length, line, comments, &script, &err) == 0) {
		walk(f, &script, outer, depth);
	} else if (!f->has_failed && (depth == 0 || strstr(text, "bhyve") != NULL)) {
		report_add(f->report, STATUS_SPEC, NULL, "%s:%s", f->name, err.text);
		f->has_failed = true;
	}
	shell_free(&script);
}

/* Begins where the text begins. */
static void start_directory(struct finder *f)
{
	shell_directory_free(&f->directory);
	shell_directory_init(&f->directory, f->name);
	f->nesting = (struct shell_nesting){ 0 };
}

/* Runs the command of a script of rc.d, which rc.subr(8) makes of two variables. */
static void search_rc(struct finder *f)
{
	const struct shell_variable *program = shell_value(&f->values, "command");
	const struct shell_variable *name = shell_value(&f->values, "name");
	static const char line[] = "eval \"$command $command_args\"";

	if (program == NULL || shell_value(&f->values, "command_args") == NULL)
		return;
	start_directory(f);
	if (name != NULL) {
		MEM_AUTO char *key = mem_format("%s_chdir", name->value);
		const struct shell_variable *directory = shell_value(&f->values, key);

		if (directory != NULL)
			shell_directory_change(&f->directory, directory->value, directory->line);
	}
	search(f, line, sizeof(line) - 1, program->line, SHELL_COMMENTS, NULL, 0);
}

int command_text_read(const char *text, size_t length, const char *name, struct command_text *out,
    struct report *report)
{
	struct finder f = { .name = name, .out = out, .report = report };
	const char *nul = memchr(text, '\0', length);
	int rc;

	*out = (struct command_text){ 0 };
	f.values.text_name = name;
	start_directory(&f);
	if (nul != NULL) {
		size_t line = 1;

		for (const char *p = text; p < nul; p++)
			line += *p == '\n' ? 1 : 0;
		finder_fail(&f, line, "a NUL byte: expected a text");
		return -1;
	}
	search(&f, text, length, 1, SHELL_COMMENTS, NULL, 0);
	if (!f.has_failed && out->argv.count == 0)
		search_rc(&f);
	if (!f.has_failed && out->argv.count == 0) {
		shell_values_free(&f.values);
		start_directory(&f);
		search(&f, text, length, 1, SHELL_ROOT_PROMPTS, NULL, 0);
	}
	rc = finder_judge(&f);
	shell_values_free(&f.values);
	shell_directory_free(&f.directory);
	shell_basis_free(&f.basis);
	shell_basis_free(&f.loader_basis);
	words_free(&f.program_problem);
	return rc;
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
