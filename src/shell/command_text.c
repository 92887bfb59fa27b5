/* Walks through the commands of a text and keeps the one that runs bhyve. */
#include "shell/shell_assign.h"
#include "shell/command_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "shell/command_finder.h"
#include "shell/command_words.h"
#include "shell/shell_expand.h"
#include "shell/shell_list.h"
#include "shell/shell_statement.h"
#include "shell/shell_substitute.h"
#include "shell/shell_text.h"
#include "platform/find.h"

#define MAX_DEPTH 8 /* texts in texts: sh -c, eval */

static void search(struct finder *f, const char *text, size_t length, size_t line,
    enum shell_style style, const struct shell_basis *outer, unsigned depth);

/* Returns whether words behind "bhyve" are those of a VM: options, or its name alone. */
static bool runs_vm(const struct words *w, size_t first, bool has_missing)
{
	size_t count = w->count - first;

	if (w->item == NULL || count < 2)
		return has_missing;
	if (has_missing && *w->item[first + 1] == '\0')
		return true; /* "$OPTS" */
	if (*w->item[first + 1] != '-')
		return count == 2;
	return count > 2 || has_missing;
}

/* Searches a text that the current command runs, in its directory. */
static void search_text(struct finder *f, const struct place *p, const struct words *w,
    const struct command_words *c, const struct str *text, const struct shell_basis *outer)
{
	struct shell_inner inner;
	size_t levels = f->values.levels, shown = f->shown;
	const struct shell_nesting nesting = f->nesting;
	bool is_joined = c->has_joined && f->values.arms.joined != 0;

	f->nesting.branches += is_joined ? 1 : 0; /* a shell may skip it */
	shell_directory_open(&f->directory, !c->has_joined, &inner);
	if (!c->has_joined) {
		f->shown = f->functions;
		shell_values_enter(&f->values, levels + 1);
		finder_enter_program(f, p, w, c, outer);
	}
	for (size_t i = 0; i < c->directories.count; i++)
		shell_directory_change(&f->directory, c->directories.item[i], p->command->line);
	search(f, text->text, text->length, p->command->line, SHELL_COMMENTS, outer, p->depth + 1);
	finder_leave(f, levels);
	f->shown = shown;
	if (c->has_joined && f->forgotten > 0 && f->out->argv.count == 0)
		finder_note(f, p->command->line,
		    "the import forgets the functions that eval defines: write them into the text "
		    "in place of this line");
	shell_directory_close(&f->directory, &inner, &f->nesting);
	f->nesting = nesting;
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
		search_text(f, p, w, c, &text, &all);
		return;
	}
	/* The prefix of the shell stands before that of the command in its text. */
	words_append(&f->out->prefix, &c->prefix);
	search_text(f, p, w, c, &text, &all);
	if (f->out->argv.count == 0) {
		words_truncate(&f->out->prefix, f->out->prefix.count - c->prefix.count);
		return;
	}
	for (size_t i = 0; i < c->notes.count; i++)
		finder_note(f, p->command->line, c->notes.item[i]);
	finder_note_streams(f, p);
}

/* Keeps what a command that runs no VM tells of the one that does. */
static void look_around(struct finder *f, const struct place *p, const struct words *w,
    const struct command_words *c, const struct shell_basis *basis)
{
	finder_note_program(f, w, basis, p->command->line);
	finder_note_alias(f, w);
	if (w->item != NULL && basis->missing.count == 0)
		finder_note_around(f, w, c->first, p->command->line);
}

/*
 * Notes that eval may set any variable where the text does not say all that it runs: a file may
 * stand behind it, or a loop.
 */
static void note_eval(struct finder *f, size_t line, const struct words *w,
    const struct command_words *c, const struct shell_basis *basis)
{
	bool is_eval = c->has_joined || (w->count > 0 && strcmp(w->item[0], "eval") == 0);
	bool is_known = basis->missing.count == 0 && basis->note.count == 0;

	if (is_eval && !is_known && f->out->argv.count == 0)
		finder_note(f, line,
		    "eval: the import does not know all that it runs, which may set variables: "
		    "write the assignments into the text in place of this line");
}

/* Looks at one command: expands its words and finds what they run. */
static void look_at(struct finder *f, const struct place *p)
{
	WORDS_AUTO struct words w = { 0 };
	SHELL_BASIS_AUTO struct shell_basis basis = { 0 };
	struct command_words c;

	for (size_t i = 0; i < p->run.words; i++)
		shell_expand(&f->values, &p->run.word[i], &w, &basis);
	if (finder_call(f, p, &w) || finder_call_rc(f, p, &w))
		return;
	command_words_find(&w, &c);
	if (p->command->has_apostrophe)
		c.kind = COMMAND_OTHER; /* its words would be others in a shell */
	if (c.kind == COMMAND_BHYVE || c.kind == COMMAND_TEXT)
		finder_add_environment(f, p, &c);
	if (c.kind == COMMAND_BHYVE && runs_vm(&w, c.first, basis.missing.count > 0))
		finder_take_bhyve(f, p, &w, &c, &basis);
	else if (c.kind == COMMAND_LOADER)
		finder_take_loader(f, p, &w, &c, &basis);
	else if (c.kind == COMMAND_TEXT)
		search_inside(f, p, &w, &c, &basis);
	else if (c.kind == COMMAND_TITLE && f->title_line == 0)
		f->title_line = p->command->line;
	else
		look_around(f, p, &w, &c, &basis);
	note_eval(f, p->command->line, &w, &c, &basis);
	command_words_free(&c);
}

/*
 * Searches what stands in one $(...) or `...`.  The shell takes its output if `is_taken`, and else
 * it may be the code of a page.
 */
static void search_substitution(struct finder *f, const struct place *p, const char *text,
    size_t length, size_t line, bool is_taken)
{
	bool was_found = f->out->argv.count > 0;
	size_t levels = f->values.levels;
	struct shell_inner inner;

	if (find_text(text, length, "bhyve") == NULL || p->depth == MAX_DEPTH)
		return;
	shell_directory_open(&f->directory, true, &inner);
	shell_values_enter(&f->values, levels + 1);
	search(f, text, length, line, SHELL_COMMENTS, p->outer, p->depth + 1);
	finder_leave(f, levels);
	shell_directory_close(&f->directory, &inner, &f->nesting);
	if (!was_found && is_taken && f->out->argv.count > 0)
		finder_note(f, line,
		    "the output of bhyve becomes a value of the shell: vmrun prints bhyve's "
		    "messages; use the output of vmrun in its place");
}

/* Searches all $(...) and `...` of a word. */
static void search_word(struct finder *f, const struct place *p, const struct shell_word *word)
{
	const char *end = word->text + word->length;
	size_t line = word->line;
	bool quoted = false;

	for (const char *c = word->text; c < end && !f->has_failed; c++) {
		bool is_open = *c == '`' || (*c == '$' && c + 1 < end && c[1] == '(');
		const char *inside = c + (*c == '$' ? 2 : 1);
		const char *behind =
		    is_open ? shell_skip(inside, end, *c == '`' ? '`' : ')', false) : NULL;

		line += *c == '\n' ? 1 : 0;
		if (*c == '"')
			quoted = !quoted;
		else if (*c == '\\' && c + 1 < end)
			c++;
		else if (*c == '\'' && !quoted)
			behind = shell_skip(c + 1, end, '\'', false);
		if (behind == NULL)
			continue;
		if (is_open)
			search_substitution(f, p, inside, (size_t)(behind - 1 - inside), line,
			    *c == '$' || shell_assignment(word) > 0);
		for (; c + 1 < behind; c++)
			line += c[1] == '\n' ? 1 : 0;
	}
}

static void search_words(struct finder *f, const struct place *p)
{
	for (size_t i = 0; i < p->command->words; i++)
		search_word(f, p, &p->script->word[p->command->word + i]);
}

/* Ends the search where a limit is reached. */
static void judge_limits(struct finder *f, const struct place *p)
{
	if (f->values.too_long)
		finder_fail(f, f->values.limit_line,
		    "variables expand to more than 1 MiB: pass the bhyve command alone");
	if (f->directory.is_lost)
		finder_fail(f, p->command->line,
		    "more than 1000 changes of the directory, or a path of more than 1024 "
		    "bytes: pass the bhyve command alone");
	if (f->values.too_many)
		finder_fail(f, f->values.limit_line,
		    "more than 1000 variables: pass the bhyve command alone");
}

/* Returns whether a command is one of bash that changes variables, ((N++)). */
static bool is_arithmetic(const struct place *p)
{
	const char *text;

	if (p->command->words == 0)
		return false;
	text = p->script->word[p->command->word].text;
	while (text > p->script->text && strchr(" \t\n", text[-1]) != NULL)
		text--;
	return text - p->script->text > 1 && text[-1] == '(' && text[-2] == '(';
}

/* Returns how many subshells are open inside of the `depth` ones around a text. */
static size_t levels_of(size_t open, size_t depth)
{
	return open > depth ? open - depth : 0;
}

/*
 * Enters and leaves what stands around a command; `base`: subshells that are open around the text
 * and that are not of it.
 */
static void enter(struct finder *f, struct place *p, size_t base, size_t depth)
{
	const struct shell_command *c = p->command;
	struct shell_step step;

	shell_statement_open(&f->nesting, p->script, p->index, &p->run, &step);
	shell_directory_enter(&f->directory, p->script, p->index, &f->nesting);
	shell_arms_enter(&f->values.arms, &f->nesting, &step);
	finder_leave(f, base + levels_of(c->low, depth));
	for (size_t i = is_arithmetic(p) ? 0 : c->words; i < c->words; i++) {
		const struct shell_word *word = &p->script->word[c->word + i];

		shell_lose_names(&f->values, word->text, word->length, word->line);
	}
	shell_values_enter(&f->values, base + levels_of(c->depth, depth));
}

static void read_command(struct finder *f, struct place *p, size_t base, size_t depth)
{
	enter(f, p, base, depth);
	finder_check_alias(f, p);
	finder_note_unread(f, p);
	if (shell_statement_read(&f->values, &p->run) &&
	    !shell_directory_read(&f->directory, &f->values, p->script, p->index, &p->run))
		look_at(f, p);
	finder_note_files(f, p);
	if (f->looks_inside)
		search_words(f, p);
	judge_limits(f, p);
}

void finder_walk(struct finder *f, const struct place *text, size_t first, size_t end, size_t depth)
{
	size_t base = f->values.levels, loop = SIZE_MAX;
	bool was_found = f->out->argv.count > 0;

	for (size_t i = first; i < end && !f->has_failed; i++) {
		struct place p = *text;
		struct shell_function function;

		p.index = i;
		p.command = &p.script->command[i];
		/* The body of "function f {" begins with its name. */
		if (shell_function_at(p.script, i, &function) &&
		    (i > first || text->command == NULL || function.first > i)) {
			if (function.first > i)
				enter(f, &p, base, depth);
			finder_define(f, &function, base + levels_of(p.command->outside, depth));
			i = function.last;
			continue;
		}
		if (loop != SIZE_MAX && i == p.script->command[loop].done) {
			finder_repeat(f, &p, loop, base + levels_of(p.command->low, depth));
			loop = finder_loop(p.script, first, loop, i);
		}
		read_command(f, &p, base, depth);
		if (!was_found && f->out->argv.count > 0)
			loop = finder_loop(p.script, first, i + 1, i);
		was_found = f->out->argv.count > 0;
		if (finder_returns(f, &p))
			break;
	}
	finder_leave(f, base);
}

/* Names a line of prose that was left out, for a command that was found elsewhere. */
static void note_fault(struct finder *f, const char *fault)
{
	MEM_AUTO char *note = mem_format("%s:%s: the import left this line out", f->name, fault);

	words_add(&f->out->notes, note);
}

static void search(struct finder *f, const char *text, size_t length, size_t line,
    enum shell_style style, const struct shell_basis *outer, unsigned depth)
{
	struct shell_script script;
	ERROR_AUTO struct error err = { 0 };

	if (shell_read(text, length, line, style, &script, &err) == 0) {
		const struct place whole = { .script = &script, .outer = outer, .depth = depth };
		size_t functions = f->functions;

		finder_walk(f, &whole, 0, script.commands, 0);
		finder_end_functions(f, &whole, functions);
		for (size_t i = 0; i < script.faults.count; i++)
			note_fault(f, script.faults.item[i]);
	} else if (!f->has_failed && (depth == 0 || strstr(text, "bhyve") != NULL)) {
		report_add(f->report, STATUS_SPEC, NULL, "%s:%s", f->name, err.text);
		f->has_failed = true;
		f->is_unterminated = true;
	}
	shell_free(&script);
}

/* Begins where the text begins. */
static void start_directory(struct finder *f)
{
	shell_directory_free(&f->directory);
	shell_directory_init(&f->directory, f->name);
	f->nesting = (struct shell_nesting){ 0 };
	f->values.directory = &f->directory;
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

/* The ways in which a text is read, until one finds a command. */
static const struct pass {
	enum shell_style style;
	bool looks_inside;
} passes[] = {
	{ SHELL_COMMENTS, false },
	{ SHELL_ROOT_PROMPTS, false },
	{ SHELL_COMMENTS, true },
	{ SHELL_PROSE, false },
	{ SHELL_PROSE_PROMPTS, false },
	{ SHELL_PROSE, true },
};

#define PASSES (sizeof(passes) / sizeof(passes[0]))

static bool is_prose(const struct pass *pass)
{
	return pass->style == SHELL_PROSE || pass->style == SHELL_PROSE_PROMPTS;
}

/* Returns whether "#" begins a command of root's, and no comment. */
static bool takes_prompts(const struct pass *pass)
{
	return pass->style == SHELL_ROOT_PROMPTS || pass->style == SHELL_PROSE_PROMPTS;
}

/* Reads the text in one way.  Returns 0, or -1 after adding to the report of the finder. */
static int run_pass(struct finder *f, const struct pass *pass, const char *text, size_t length)
{
	int rc;

	f->looks_inside = pass->looks_inside;
	f->values.text_name = f->name;
	f->values.file = strcmp(f->name, "<stdin>") == 0 ? NULL : f->name;
	f->values.home = f->home;
	start_directory(f);
	shell_set_file(&f->values);
	search(f, text, length, 1, pass->style, NULL, 0);
	if (pass->style == SHELL_COMMENTS && !f->has_failed && f->out->argv.count == 0)
		search_rc(f);
	rc = finder_judge(f);
	shell_values_free(&f->values);
	shell_directory_free(&f->directory);
	shell_basis_free(&f->basis);
	shell_basis_free(&f->loader_basis);
	words_free(&f->program_problem);
	words_free(&f->around_word);
	words_free(&f->around_note);
	words_free(&f->alias);
	free(f->function);
	f->function = NULL;
	return rc;
}

int command_text_read(const char *text, size_t length, const struct text_origin *origin,
    struct command_text *out, struct report *report)
{
	REPORT_AUTO struct report first = { 0 };
	bool is_script = length > 2 && memcmp(text, "#!", 2) == 0;
	bool is_unterminated = false, is_told = false, is_none = false;

	*out = (struct command_text){ .name = origin->name };
	if (finder_refuse(text, length, origin->name, report))
		return -1;
	for (size_t i = 0; i < PASSES; i++) {
		REPORT_AUTO struct report problems = { 0 };
		struct finder f = { .name = origin->name,
			.home = origin->directory,
			.out = out,
			.report = &problems };
		bool is_found, tells;

		if (is_unterminated && !is_prose(&passes[i]))
			continue;
		/* "# bhyve" in a script is a command that its author has taken out. */
		if (is_script && takes_prompts(&passes[i]))
			continue;
		if (run_pass(&f, &passes[i], text, length) == 0)
			return 0;
		is_found = out->argv.count > 0 && !f.has_failed;
		is_unterminated = is_unterminated || f.is_unterminated;
		is_none = (is_none || i == 0) && f.is_none;
		/* A script or a dash says more than that no command was found. */
		tells = !is_told && (f.script_line > 0 || f.dash_line > 0);
		is_told = is_told || tells;
		if (tells)
			report_free(&first);
		if (i == 0 || tells || is_found || (f.has_failed && !f.is_unterminated))
			report_merge(&first, &problems);
		if (is_found || (f.has_failed && !f.is_unterminated))
			break;
		command_text_free(out);
	}
	if (is_none)
		finder_report_unrun(text, length, origin->name, &first);
	report_merge(report, &first);
	return -1;
}
