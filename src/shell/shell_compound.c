/* Finds what a shell runs in a process of its own: parts of a pipe, and lists before "&". */
#include "shell/shell_compound.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shell/command_words.h"

#define NONE SIZE_MAX
#define MAX_SEARCH 100 /* compound commands that one "fi" or "done" may close */

enum frame_kind { FRAME_TEXT, FRAME_SUBSHELL, FRAME_IF, FRAME_CASE, FRAME_LOOP, FRAME_BRACES };

/* A compound command that is open, and the list in it that is being read. */
struct shell_frame {
	enum frame_kind kind;
	size_t opened;	/* index of the command with the reserved word; NONE: a "(" */
	size_t list;	/* first command of the and-or list; NONE: it has not begun */
	size_t element; /* first command of the part of its pipe, likewise */
	bool is_piped;	/* the part stands behind "|" */
};

static const struct reserved {
	const char *word;
	enum frame_kind kind;
	enum { OPENS, CLOSES, RESTARTS, SKIPPED } what;
} reserved[] = {
	{ "if", FRAME_IF, OPENS },
	{ "case", FRAME_CASE, OPENS },
	{ "while", FRAME_LOOP, OPENS },
	{ "until", FRAME_LOOP, OPENS },
	{ "for", FRAME_LOOP, OPENS },
	{ "select", FRAME_LOOP, OPENS },
	{ "{", FRAME_BRACES, OPENS },
	{ "fi", FRAME_IF, CLOSES },
	{ "esac", FRAME_CASE, CLOSES },
	{ "done", FRAME_LOOP, CLOSES },
	{ "}", FRAME_BRACES, CLOSES },
	{ "then", FRAME_IF, RESTARTS },
	{ "else", FRAME_IF, RESTARTS },
	{ "elif", FRAME_IF, RESTARTS },
	{ "do", FRAME_LOOP, RESTARTS },
	{ "!", FRAME_TEXT, SKIPPED },
	{ "time", FRAME_TEXT, SKIPPED },
};

static void push(struct shell_compounds *s, enum frame_kind kind, size_t opened)
{
	s->frame = mem_grow(s->frame, s->frames, sizeof(*s->frame));
	s->frame[s->frames++] = (struct shell_frame){ kind, opened, NONE, NONE, false };
}

void shell_compounds_init(struct shell_compounds *s)
{
	*s = (struct shell_compounds){ 0 };
	push(s, FRAME_TEXT, NONE);
}

void shell_compounds_free(struct shell_compounds *s)
{
	free(s->frame);
	*s = (struct shell_compounds){ 0 };
}

static struct shell_frame *innermost(struct shell_compounds *s)
{
	return &s->frame[s->frames - 1];
}

/* Begins a list and a part of a pipe with a command, if none is open. */
static void begin(struct shell_compounds *s, size_t index)
{
	struct shell_frame *f = innermost(s);

	if (f->list == NONE)
		f->list = index;
	if (f->element == NONE)
		f->element = index;
}

static void restart(struct shell_frame *f)
{
	f->list = f->element = NONE;
	f->is_piped = false;
}

static const struct reserved *find_reserved(const struct shell_word *word)
{
	size_t mark = *word->text == '@' ? 1 : 0; /* of a recipe of make */

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (word->length - mark == strlen(reserved[i].word) &&
		    memcmp(word->text + mark, reserved[i].word, word->length - mark) == 0)
			return &reserved[i];
	}
	return NULL;
}

/* Notes that the last command closes a loop or braces, or another one that begins a command. */
static void note_close(struct shell_script *script, enum frame_kind kind, size_t opened)
{
	const struct reserved *r;

	if (opened >= script->commands || script->command[opened].words == 0)
		return;
	if (kind == FRAME_LOOP)
		script->command[opened].done = script->commands - 1;
	r = find_reserved(&script->word[script->command[opened].word]);
	if (kind == FRAME_BRACES || (r != NULL && r->what == OPENS && r->kind == kind))
		script->command[opened].close = script->commands - 1;
}

/* Closes the innermost compound command of a kind in this subshell, and what is open in it. */
static void pop(struct shell_compounds *s, struct shell_script *script, enum frame_kind kind)
{
	for (size_t i = s->frames; i > 1 && s->frames - i < MAX_SEARCH; i--) {
		if (s->frame[i - 1].kind == kind) {
			s->frames = i - 1;
			note_close(script, kind, s->frame[i - 1].opened);
			return;
		}
		if (s->frame[i - 1].kind == FRAME_SUBSHELL)
			return;
	}
}

void shell_compounds_read(struct shell_compounds *s, struct shell_script *script)
{
	size_t index = script->commands - 1;
	const struct shell_command *c = &script->command[index];
	const struct shell_word *word = &script->word[c->word];
	size_t i = command_prompt(word, c->words);

	for (; i < c->words; i++) {
		const struct reserved *r = find_reserved(&word[i]);

		if (i + 2 < c->words && shell_is(&word[i], "function")) {
			begin(s, index);
			i++; /* its name */
			continue;
		}
		if (r == NULL)
			break;
		if (r->what == OPENS) {
			begin(s, index);
			push(s, r->kind, index);
		} else if (r->what == CLOSES) {
			pop(s, script, r->kind);
		} else if (r->what == RESTARTS) {
			restart(innermost(s));
		}
	}
	begin(s, index);
}

/* Notes that the commands from `first` to the last one run in a process of their own. */
static void mark(struct shell_script *script, const struct shell_frame *f, size_t first)
{
	if (first >= script->commands)
		return;
	if (first == f->opened)
		script->command[first].opened_inside++;
	else
		script->command[first].opened++;
	script->command[script->commands - 1].closed++;
}

static void end_element(struct shell_script *script, const struct shell_frame *f)
{
	if (f->is_piped)
		mark(script, f, f->element);
}

static void end_list(struct shell_compounds *s, struct shell_script *script)
{
	end_element(script, innermost(s));
	restart(innermost(s));
}

static void close_subshell(struct shell_compounds *s, struct shell_script *script)
{
	end_list(s, script);
	while (s->frames > 1 && innermost(s)->kind != FRAME_SUBSHELL)
		s->frames--;
	s->frames -= s->frames > 1 ? 1 : 0;
}

void shell_compounds_operator(struct shell_compounds *s, struct shell_script *script,
    const char *operator, size_t n, int parentheses)
{
	struct shell_frame *f = innermost(s);

	if (parentheses > 0) {
		begin(s, script->commands);
		push(s, FRAME_SUBSHELL, NONE);
	} else if (parentheses < 0) {
		close_subshell(s, script);
	} else if (f->element == NONE) {
		return; /* a line end behind "|" or "&&", the "&" of "|&" */
	} else if (n == 1 && *operator== '|') {
		mark(script, f, f->element);
		f->is_piped = true;
		f->element = NONE;
	} else if (n == 2 && (*operator== '&' || * operator== '|')) {
		end_element(script, f);
		f->is_piped = false;
		f->element = NONE;
	} else if (n == 1 && *operator== '&') {
		size_t first = f->list;

		end_element(script, f);
		mark(script, f, first);
		restart(f);
	} else {
		end_list(s, script);
	}
}

void shell_compounds_count(struct shell_script *script)
{
	size_t open = 0;

	for (size_t i = 0; i < script->commands; i++) {
		struct shell_command *c = &script->command[i];

		c->low += open;
		open += c->opened;
		c->outside = c->depth + open;
		open += c->opened_inside;
		c->depth += open;
		open -= c->closed;
	}
}
