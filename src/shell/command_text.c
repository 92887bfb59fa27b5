/* Walks through the commands of a text and keeps the one that runs bhyve. */
#include "shell/command_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "shell/command_words.h"
#include "shell/shell_output.h"
#include "shell/shell_statement.h"
#include "shell/shell_text.h"
#include "shell/shell_values.h"
#include "platform/find.h"

#define MAX_NOTES 100
#define MAX_DEPTH 8 /* texts in texts: sh -c, eval */

/* A search in one text. */
struct finder {
	const char *name;
	struct command_text *out;
	struct report *report;
	struct shell_values values;
	struct shell_basis basis, loader_basis; /* of the commands that were found */
	size_t branches;			/* "if" and "case" around the current command */
	bool has_failed;
	size_t last_line;		    /* of the bhyve command */
	size_t other_line, other_last_line; /* of one that differs; 0: none */
	size_t title_line;		    /* of a process title; 0: none */
	struct words program_problem;	    /* a variable such as $BHYVE is not set */
};

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

static void fail(struct finder *f, size_t line, const char *what)
{
	if (!f->has_failed)
		report_add(f->report, STATUS_SPEC, NULL, "%s:%zu: %s", f->name, line, what);
	f->has_failed = true;
}

static void note(struct finder *f, size_t line, const char *text)
{
	MEM_AUTO char *whole = mem_format("%s:%zu: %s", f->name, line, text);

	if (f->out->notes.count < MAX_NOTES && !words_have(&f->out->notes, whole))
		words_add(&f->out->notes, whole);
}

static bool is_word(const struct shell_word *word, const char *text)
{
	return word->length == strlen(text) && memcmp(word->text, text, word->length) == 0;
}

static void basis_add(struct shell_basis *basis, const struct shell_basis *more)
{
	if (more == NULL)
		return;
	words_append(&basis->missing, &more->missing);
	words_append(&basis->problem, &more->problem);
	words_append(&basis->note, &more->note);
}

/* Returns the words from the first on.  They are copies. */
static struct words words_from(const struct words *w, size_t first)
{
	struct words rest = { 0 };

	for (size_t i = first; w->item != NULL && i < w->count; i++)
		words_add(&rest, w->item[i]);
	return rest;
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

/* Notes where output of bhyve went that vmrun passes on. */
static void note_output(struct finder *f, const struct place *p)
{
	for (size_t i = 0; i < p->command->redirects; i++) {
		const struct shell_redirect *r = &p->script->redirect[p->command->redirect + i];

		if (r->kind == SHELL_OUT && !is_word(&r->target, "/dev/null"))
			note(f, r->target.line,
			    "a file for bhyve's output: vmrun passes bhyve's messages on; redirect "
			    "vmrun's");
		else if (r->kind == SHELL_IN && !is_word(&r->target, "/dev/null"))
			note(f, r->target.line,
			    "a file as bhyve's input: left out; type it with vmrun.send in a hook");
	}
	if (strcmp(p->command->end, "|") == 0)
		note(f, p->command->last_line,
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
	words_append(&f->out->prefix, &c->prefix);
	for (size_t i = 0; i < c->notes.count; i++)
		note(f, p->command->line, c->notes.item[i]);
	note_output(f, p);
	basis_add(&f->basis, basis);
	basis_add(&f->basis, p->outer);
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
			note(f, r->target.line,
			    "a file as the loader's input: left out; add its lines to "
			    "\"commands\" of \"loader\"");
	}
	if (has_input || (strcmp(before, "|") != 0 && strcmp(before, ")|") != 0))
		return;
	f->out->loader_input = shell_group_output(&f->values, p->script, p->index, &printed);
	if (f->out->loader_input != NULL)
		basis_add(&f->loader_basis, &printed);
	else
		note(f, p->command->line,
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

		note(f, p->command->line, text);
	}
	words_free(&f->out->loader);
	free(f->out->loader_input);
	shell_basis_free(&f->loader_basis);
	f->out->loader_input = NULL;
	f->out->loader = argv;
	f->out->loader_line = p->command->line;
	basis_add(&f->loader_basis, basis);
	basis_add(&f->loader_basis, p->outer);
	read_loader_input(f, p);
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
		fail(f, p->command->line,
		    "commands in commands: more than " STR_LITERAL(
			MAX_DEPTH) " levels: pass the "
				   "bhyve command alone");
		return;
	}
	basis_add(&all, basis);
	basis_add(&all, p->outer);
	if (f->out->argv.count > 0) {
		search(f, text.text, text.length, p->command->line, SHELL_COMMENTS, &all,
		    p->depth + 1);
		return;
	}
	/* The prefix of the shell stands before that of the command in its text. */
	words_append(&f->out->prefix, &c->prefix);
	search(f, text.text, text.length, p->command->line, SHELL_COMMENTS, &all, p->depth + 1);
	if (f->out->argv.count == 0) {
		words_truncate(&f->out->prefix, f->out->prefix.count - c->prefix.count);
		return;
	}
	for (size_t i = 0; i < c->notes.count; i++)
		note(f, p->command->line, c->notes.item[i]);
	note_output(f, p);
}

/* Returns whether a text has "bhyve" in letters of any case. */
static bool names_bhyve(const char *text)
{
	for (; *text != '\0'; text++) {
		if (strncasecmp(text, "bhyve", 5) == 0)
			return true;
	}
	return false;
}

/* Notes that the program itself is not set: "$BHYVE -c 2", "$(which bhyve) -c 2". */
static void note_program(struct finder *f, const struct words *w, const struct shell_basis *basis)
{
	bool has_option = false;

	for (size_t i = 0; i < w->count; i++)
		has_option = has_option || *w->item[i] == '-';
	for (size_t i = 0; has_option && i < basis->missing.count; i++) {
		if (names_bhyve(basis->missing.item[i]) && f->program_problem.count < MAX_NOTES &&
		    !words_have(&f->program_problem, basis->problem.item[i]))
			words_add(&f->program_problem, basis->problem.item[i]);
	}
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
	if (c.kind == COMMAND_BHYVE && runs_vm(&w, c.first, basis.missing.count > 0))
		take_bhyve(f, p, &w, &c, &basis);
	else if (c.kind == COMMAND_LOADER)
		take_loader(f, p, &w, &c, &basis);
	else if (c.kind == COMMAND_TEXT)
		search_inside(f, p, &w, &c, &basis);
	else if (c.kind == COMMAND_TITLE && f->title_line == 0)
		f->title_line = p->command->line;
	else
		note_program(f, &w, &basis);
	command_words_free(&c);
}

static void walk(
    struct finder *f, struct shell_script *script, const struct shell_basis *outer, unsigned depth)
{
	for (size_t i = 0; i < script->commands && !f->has_failed; i++) {
		struct place p = { .script = script, .index = i, .outer = outer, .depth = depth };

		p.command = &script->command[i];
		if (shell_statement_read(&f->values, &f->branches, script, i, &p.run))
			look_at(f, &p);
		if (f->values.too_long)
			fail(f, f->values.limit_line,
			    "variables expand to more than 1 MiB: pass the bhyve command alone");
		if (f->values.too_many)
			fail(f, f->values.limit_line,
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

/* Runs the command of a script of rc.d, which rc.subr(8) makes of two variables. */
static void search_rc(struct finder *f)
{
	const struct shell_variable *program = shell_value(&f->values, "command");
	static const char line[] = "eval \"$command $command_args\"";

	if (program != NULL && shell_value(&f->values, "command_args") != NULL)
		search(f, line, sizeof(line) - 1, program->line, SHELL_COMMENTS, NULL, 0);
}

static void report_none(struct finder *f)
{
	for (size_t i = 0; i < f->program_problem.count; i++)
		report_add(f->report, STATUS_SPEC, NULL, "%s", f->program_problem.item[i]);
	if (f->program_problem.count > 0)
		return;
	if (f->title_line > 0)
		fail(f, f->title_line,
		    "this is the title that bhyve gives its process, which hides its command from "
		    "ps "
		    "and procstat: pass the script that starts the VM, or the line of a sudo or "
		    "daemon that runs it");
	else
		report_add(f->report, STATUS_SPEC, NULL,
		    "%s: no bhyve command found: expected one with its options and the name of the "
		    "VM, \"bhyve -c 2 -m 1G -s ... NAME\", alone or in a shell script",
		    f->name);
}

static void report_other(struct finder *f)
{
	const char *file = strcmp(f->name, "<stdin>") == 0 ? "FILE" : f->name;
	STR_AUTO struct str quoted = { 0 };

	str_add_quoted(&quoted, file);
	report_add(f->report, STATUS_SPEC, NULL,
	    "%s:%zu: a second bhyve command, which differs from that of line %zu: pass the wanted "
	    "one "
	    "alone: sed -n %zu,%zup %s | vmrun --import -",
	    f->name, f->other_line, f->out->line, f->out->line, f->last_line, quoted.text);
}

/* Reports what is wrong with what was found; returns 0 if nothing is. */
static int judge(struct finder *f)
{
	if (f->has_failed)
		return -1;
	if (f->out->argv.count == 0) {
		report_none(f);
		return -1;
	}
	if (f->other_line > 0) {
		report_other(f);
		return -1;
	}
	basis_add(&f->basis, &f->loader_basis);
	for (size_t i = 0; i < f->basis.problem.count; i++) {
		if (!words_have(&f->program_problem, f->basis.problem.item[i])) {
			words_add(&f->program_problem, f->basis.problem.item[i]);
			report_add(f->report, STATUS_SPEC, NULL, "%s", f->basis.problem.item[i]);
		}
	}
	for (size_t i = 0; i < f->basis.note.count; i++) {
		if (!words_have(&f->out->notes, f->basis.note.item[i]))
			words_add(&f->out->notes, f->basis.note.item[i]);
	}
	return f->basis.problem.count > 0 ? -1 : 0;
}

int command_text_read(const char *text, size_t length, const char *name, struct command_text *out,
    struct report *report)
{
	struct finder f = { .name = name, .out = out, .report = report };
	const char *nul = memchr(text, '\0', length);
	int rc;

	*out = (struct command_text){ 0 };
	f.values.text_name = name;
	if (nul != NULL) {
		size_t line = 1;

		for (const char *p = text; p < nul; p++)
			line += *p == '\n' ? 1 : 0;
		fail(&f, line, "a NUL byte: expected a text");
		return -1;
	}
	search(&f, text, length, 1, SHELL_COMMENTS, NULL, 0);
	if (!f.has_failed && out->argv.count == 0)
		search_rc(&f);
	if (!f.has_failed && out->argv.count == 0) {
		shell_values_free(&f.values);
		search(&f, text, length, 1, SHELL_ROOT_PROMPTS, NULL, 0);
	}
	rc = judge(&f);
	shell_values_free(&f.values);
	shell_basis_free(&f.basis);
	shell_basis_free(&f.loader_basis);
	words_free(&f.program_problem);
	return rc;
}

void command_text_free(struct command_text *c)
{
	words_free(&c->argv);
	words_free(&c->prefix);
	words_free(&c->loader);
	words_free(&c->notes);
	free(c->loader_input);
	c->loader_input = NULL;
}
