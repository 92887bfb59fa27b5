/* Reads the functions of a text where they are called. */
#include "shell/command_finder.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "shell/shell_assign.h"
#include "shell/shell_list.h"

#define MAX_FUNCTIONS 500
#define MAX_CALLS 32	 /* in each other */
#define MAX_STEPS 100000 /* commands that all calls together read */

void finder_leave(struct finder *f, size_t levels)
{
	if (f->values.levels <= levels)
		return;
	shell_values_leave(&f->values, levels);
	for (size_t i = 0; i < f->functions; i++)
		f->function[i].is_hidden =
		    f->function[i].is_hidden || f->function[i].level > levels;
}

void finder_define(struct finder *f, const struct shell_function *function, size_t level)
{
	if (f->functions == MAX_FUNCTIONS) {
		finder_fail(f, function->name->line,
		    "more than 500 functions: pass the bhyve command alone");
		return;
	}
	f->function = mem_grow(f->function, f->functions, sizeof(*f->function));
	f->function[f->functions] = *function;
	f->function[f->functions].level = level;
	f->function[f->functions++].arm = shell_arms_now(&f->values.arms);
}

/* Returns the function that was defined last, its index + 1; 0: there is none. */
static size_t find(const struct finder *f, const char *name)
{
	for (size_t i = f->functions; i > f->shown; i--) {
		if (!f->function[i - 1].is_hidden && shell_is(f->function[i - 1].name, name))
			return i;
	}
	return 0;
}

/* Returns whether a function before this one has the same name. */
static bool has_other(const struct finder *f, size_t index)
{
	const struct shell_word *name = f->function[index].name;

	for (size_t i = f->shown; i < index; i++) {
		if (!f->function[i].is_hidden && f->function[i].name->length == name->length &&
		    memcmp(f->function[i].name->text, name->text, name->length) == 0)
			return true;
	}
	return false;
}

/* Returns whether a word hands on the arguments of the script, which the text does not tell. */
static bool is_arguments(const struct shell_word *word)
{
	static const char *const forms[] = { "\"$@\"", "$@", "$*", "\"${@}\"", "\"$*\"" };

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (shell_is(word, forms[i]))
			return true;
	}
	return false;
}

/* Sets the positional parameters of a call; without its own ones it hands on none. */
static void set_arguments(struct finder *f, const struct place *p)
{
	SHELL_ITEMS_AUTO struct shell_items items = { 0 };
	bool is_known = shell_value(&f->values, "#") != NULL;
	bool is_open = false;

	for (size_t i = 1; i < p->run.words; i++) {
		if (!is_known && is_arguments(&p->run.word[i]))
			is_open = true;
		else
			shell_items_add(&f->values, &p->run.word[i], 1, &items);
	}
	f->values.arms.joined = 0; /* what stands behind "&&" is a branch around the call */
	shell_list_local(&f->values, "@", 1, p->command->line);
	shell_list_unset(&f->values, "@", 1);
	if (!is_open || items.text.count > 0)
		shell_list_set(&f->values, "@", 1, p->command->line, false, &items);
	if (is_open)
		shell_unset(&f->values, "#");
}

/* Sets the variables in front of a call, A=1 start, which it has alone. */
static void set_environment(struct finder *f, const struct place *p)
{
	const struct shell_word *word = p->run.word - p->run.assignments;

	for (size_t i = 0; i < p->run.assignments; i++) {
		size_t n = shell_assignment(&word[i]);

		if (n > 0)
			shell_local(&f->values, word[i].text, n, word[i].line);
	}
	shell_assign_line(&f->values, word, p->run.assignments);
}

/* Returns what stands open in a function around the commands of its body. */
static struct shell_nesting nesting_of(
    const struct finder *f, const struct shell_function *function)
{
	struct shell_nesting nesting = f->nesting;

	const struct shell_command *first = &function->script->command[function->first];
	const struct shell_word *word = &function->script->word[first->word];

	if (first->close == function->last && (shell_is(word, "{") || shell_is(word, "function")))
		nesting.braces++;
	return nesting;
}

bool finder_returns(struct finder *f, const struct place *p)
{
	const struct shell_word *word = p->run.word;
	bool is_certain;

	if (p->run.words > 0 && (shell_is(word, "break") || shell_is(word, "continue")))
		shell_arms_break(&f->values.arms);
	if (f->running == NULL || p->run.words == 0 ||
	    (!shell_is(word, "return") && !shell_is(word, "exit")) ||
	    p->command->depth != f->running->command->outside)
		return false;
	is_certain = f->values.arms.joined == 0 && f->nesting.branches == f->body.branches &&
	    f->nesting.loops == f->body.loops && f->nesting.braces == f->body.braces;
	if (!is_certain && shell_is(word, "return")) {
		shell_arms_skip(&f->values.arms, f->body_arms);
		shell_directory_skip(&f->directory);
	}
	return is_certain;
}

size_t finder_loop(const struct shell_script *script, size_t first, size_t end, size_t index)
{
	while (end > first && script->command[end - 1].done <= index)
		end--;
	return end > first ? end - 1 : SIZE_MAX;
}

void finder_repeat(struct finder *f, const struct place *done, size_t first, size_t levels)
{
	const struct shell_command *loop = &done->script->command[first];
	const struct shell_nesting nesting = f->nesting;
	size_t arms = f->values.arms.count;
	struct place again = *done;
	struct shell_inner inner;

	if (shell_arms_loop(&f->values.arms) == 0 || f->loops++ > MAX_CALLS)
		return; /* it runs once, or stands in more loops than scripts have */
	again.command = loop;
	f->loop_line = loop->line;
	finder_leave(f, levels);
	shell_directory_leave(&f->directory, done->command->low, &f->nesting);
	shell_directory_open(&f->directory, false, &inner);
	finder_walk(f, &again, first, done->index, loop->outside);
	shell_arms_return(&f->values.arms, arms);
	shell_directory_close(&f->directory, &inner, &f->nesting);
	f->nesting = nesting;
	f->loop_line = 0;
}

/* Reads the body of a function.  It was found, so that its scope is the one of the caller. */
static void run(struct finder *f, const struct place *p, size_t index)
{
	struct shell_function function = f->function[index];
	const struct shell_nesting nesting = f->nesting, outer_body = f->body;
	const struct place *running = f->running;
	size_t outer_arms = f->body_arms;
	const struct shell_command *body = f->directory.body;
	struct place inside = { .script = function.script,
		.index = function.first,
		.command = &function.script->command[function.first],
		.outer = p->outer,
		.depth = p->depth };
	struct shell_inner inner;

	f->function[index].is_called = f->function[index].is_running = true;
	f->calls++;
	shell_directory_open(&f->directory, false, &inner);
	f->directory.body = inside.command;
	f->body = nesting_of(f, &function);
	f->body_arms = f->values.arms.count;
	f->running = &inside;
	finder_walk(f, &inside, function.first, function.last + 1, function.depth);
	shell_arms_return(&f->values.arms, f->body_arms);
	shell_directory_close(&f->directory, &inner, &f->nesting);
	f->directory.body = body;
	f->body = outer_body;
	f->body_arms = outer_arms;
	f->running = running;
	f->calls--;
	f->nesting = nesting;
	f->function[index].is_running = false;
}

/* Calls a function, with what a command has around it. */
static void call(struct finder *f, const struct place *p, size_t index)
{
	bool was_found = f->out->argv.count > 0;
	bool is_joined = f->values.arms.joined != 0;
	size_t locals = shell_values_call(&f->values);

	set_arguments(f, p);
	set_environment(f, p);
	f->nesting.branches += is_joined ? 1 : 0; /* a shell may skip the call */
	run(f, p, index);
	f->nesting.branches -= is_joined ? 1 : 0;
	shell_list_unset(&f->values, "@", 1);
	shell_values_return(&f->values, locals);
	if (!was_found && f->out->argv.count > 0)
		finder_note_streams(f, p);
}

/* Notes before bhyve that the call runs commands that the import does not read. */
static void note_doubt(struct finder *f, const struct place *p, size_t index)
{
	const struct shell_function *function = &f->function[index];
	const struct shell_word *name = function->name;
	const int shown = (int)(name->length < MAX_SHELL_SHOWN ? name->length : MAX_SHELL_SHOWN);
	MEM_AUTO char *text = mem_format("%.*s", shown, name->text);
	MEM_AUTO char *note = NULL;

	if (f->out->argv.count > 0)
		return;
	if (function->is_running)
		note = mem_format("the function %s calls itself, and the import reads it once: "
				  "compare the values of its variables with those of the spec",
		    text);
	else if (function->arm != 0 && !shell_arms_have(&f->values.arms, function->arm) &&
	    has_other(f, index))
		note = mem_format("the import reads the function %s of line %zu, which stands in a "
				  "branch: remove the one that does not apply",
		    text, name->line);
	if (note != NULL)
		finder_note(f, p->command->line, note);
}

bool finder_call(struct finder *f, const struct place *p, const struct words *w)
{
	size_t found = w->count == 0 ? 0 : find(f, w->item[0]);

	if (found == 0 || p->command->has_apostrophe)
		return false;
	note_doubt(f, p, found - 1);
	if (f->function[found - 1].is_running)
		return false;
	if (f->calls == MAX_CALLS || f->steps > MAX_STEPS) {
		finder_fail(f, p->command->line,
		    "too many calls of functions: pass the bhyve command alone");
		return true;
	}
	f->steps += f->function[found - 1].last - f->function[found - 1].first + 1;
	call(f, p, found - 1);
	return true;
}

bool finder_call_rc(struct finder *f, const struct place *p, const struct words *w)
{
	static const char *const names[] = { "start_precmd", "start_cmd" };

	if (w->count == 0 || strcmp(w->item[0], "run_rc_command") != 0)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct shell_variable *value = shell_value(&f->values, names[i]);
		WORDS_AUTO struct words one = { 0 };
		struct place alone = *p;

		alone.run.words = alone.run.words > 0 ? 1 : 0;
		words_add(&one, value == NULL ? "" : value->value);
		(void)finder_call(f, &alone, &one);
	}
	return true;
}

/* Returns whether another function that no command has called names this one. */
static bool is_named(const struct finder *f, size_t first, size_t index)
{
	for (size_t i = first; i < f->functions; i++) {
		const struct shell_function *other = &f->function[i];

		if (i != index && !other->is_called && other->script == f->function[index].script &&
		    shell_function_names(other, &f->function[index]))
			return true;
	}
	return false;
}

/* Reads a function that no command calls, as if the text did so at its end. */
static void read_uncalled(struct finder *f, const struct place *text, size_t index)
{
	const struct shell_word name = *f->function[index].name;
	bool was_found = f->out->argv.count > 0;
	size_t levels = f->values.levels;
	struct shell_inner inner;

	shell_directory_open(&f->directory, true, &inner);
	shell_values_enter(&f->values, levels + 1);
	run(f, text, index);
	finder_leave(f, levels);
	shell_directory_close(&f->directory, &inner, &f->nesting);
	if (!was_found && f->out->argv.count > 0) {
		MEM_AUTO char *note = mem_format(
		    "the text does not call the function %.*s by its name: the import uses the "
		    "values that variables have at the end of the text",
		    (int)(name.length < 60 ? name.length : 60), name.text);

		finder_note(f, name.line, note);
	}
}

void finder_end_functions(struct finder *f, const struct place *text, size_t first)
{
	for (int round = 0; round < 2; round++) {
		for (size_t i = first; i < f->functions && !f->has_failed; i++) {
			if (!f->function[i].is_called && (round == 1 || !is_named(f, first, i)))
				read_uncalled(f, text, i);
		}
	}
	f->forgotten = f->functions > first ? f->functions - first : 0;
	f->functions -= f->forgotten;
}

/* Notes commands of bash that change variables in ways which the import does not follow. */
static void note_bash(struct finder *f, const struct place *p)
{
	static const char *const programs[] = { "declare", "typeset", "local" };
	const struct shell_word *word = p->run.word;
	bool is_setting = false;

	for (size_t i = 0; i < 3 && p->run.words > 0; i++)
		is_setting = is_setting || shell_is(word, programs[i]);
	for (size_t i = 1; i < p->run.words; i++) {
		bool is_option = is_setting && *word[i].text == '-';

		if (is_option && memchr(word[i].text, 'n', word[i].length) != NULL)
			finder_note(f, p->command->line,
			    "-n: the import does not follow references to variables: use the "
			    "variable itself in place of the reference");
		else if (is_option && strcspn(word[i].text, "ilu") < word[i].length)
			finder_note(f, p->command->line,
			    "-i, -l, -u: bash changes each value of this variable, and the import "
			    "does not: write the values as bash makes them");
		else if (shell_is(word, "shopt") && shell_is(&word[i], "lastpipe"))
			finder_note(f, p->command->line,
			    "lastpipe: the import forgets the variables that the last command of a "
			    "pipe sets: set them without a pipe");
	}
}

void finder_note_unread(struct finder *f, const struct place *p)
{
	MEM_AUTO char *note = NULL;

	if (f->out->argv.count == 0)
		note_bash(f, p);
	if (f->values.source_line == f->source_line || f->out->argv.count > 0)
		return;
	f->source_line = f->values.source_line;
	note = mem_format("\"%s\": the import does not read this file, which may set variables: "
			  "put its lines into the text in place of this line",
	    f->values.source);
	finder_note(f, f->source_line, note);
}
