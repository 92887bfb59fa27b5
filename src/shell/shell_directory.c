/* Follows "cd" through subshells, branches, loops and functions. */
#include "shell/shell_directory.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "shell/shell_assign.h"
#include "shell/shell_expand.h"

#define MAX_PLACES 1000 /* of one text */
#define MAX_PATH 1024	/* bytes, as PATH_MAX of FreeBSD */
#define MAX_SHOWN 60	/* bytes of a command in a message */

enum scope_kind {
	SCOPE_SUBSHELL,
	SCOPE_BRANCH,
	SCOPE_LOOP,
	SCOPE_BRACES,
	SCOPE_REST, /* of a function, behind a return that a shell may skip */
};

struct shell_scope {
	enum scope_kind kind;
	size_t level; /* number of what is open inside, of this kind */
	size_t outer; /* the place in which it was entered */
	size_t left;  /* the place at the end of an arm before the current one */
};

void shell_directory_init(struct shell_directory *d, const char *text_name)
{
	*d = (struct shell_directory){ .text_name = text_name };
	d->place = mem_grow(NULL, 0, sizeof(*d->place));
	d->place[d->places++] = (struct shell_place){ .path = mem_copy("") };
}

void shell_directory_free(struct shell_directory *d)
{
	for (size_t i = 0; i < d->places; i++) {
		free(d->place[i].path);
		free(d->place[i].doubt);
		words_free(&d->place[i].problem);
		words_free(&d->place[i].note);
	}
	free(d->place);
	free(d->scope);
	*d = (struct shell_directory){ 0 };
}

const struct shell_place *shell_directory_now(const struct shell_directory *d)
{
	return &d->place[d->now];
}

/* Adds the names of a path; ".." removes one. */
static void add_names(struct words *names, const char *path, bool is_absolute)
{
	while (*path != '\0') {
		MEM_AUTO char *name = mem_copy_n(path, strcspn(path, "/"));
		bool can_leave =
		    names->count > 0 && strcmp(names->item[names->count - 1], "..") != 0;

		path += strlen(name);
		path += strspn(path, "/");
		if (*name == '\0' || strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0 && can_leave)
			words_truncate(names, names->count - 1);
		else if (strcmp(name, "..") != 0 || !is_absolute)
			words_add(names, name);
	}
}

char *shell_directory_join(const char *directory, const char *path)
{
	bool is_absolute = *path == '/' || *directory == '/';
	WORDS_AUTO struct words names = { 0 };
	struct str s = { 0 };

	if (*path != '/')
		add_names(&names, directory, is_absolute);
	add_names(&names, path, is_absolute);
	for (size_t i = 0; i < names.count; i++)
		str_addf(&s, "%s%s", i > 0 || is_absolute ? "/" : "", names.item[i]);
	if (names.count == 0 && is_absolute)
		str_add(&s, "/");
	return str_take(&s);
}

/*
 * Goes to a path, which this function frees.  What is known of the current place holds there, too,
 * if `is_below`.  Returns NULL, and stays, beyond the limits.
 */
static struct shell_place *go(struct shell_directory *d, char *path, bool is_below, size_t line)
{
	const struct shell_place *before = &d->place[d->now];
	struct shell_place new = { .path = path, .line = line };

	if (d->places == MAX_PLACES || strlen(path) > MAX_PATH) {
		free(path);
		d->is_lost = true;
		return NULL;
	}
	if (is_below) {
		words_append(&new.problem, &before->problem);
		words_append(&new.note, &before->note);
		new.doubt = before->doubt == NULL ? NULL : mem_copy(before->doubt);
	}
	d->place = mem_grow(d->place, d->places, sizeof(*d->place));
	d->place[d->places] = new;
	d->now = d->places++;
	return &d->place[d->now];
}

/* Goes to a path from the current place. */
static struct shell_place *go_from(struct shell_directory *d, const char *path, size_t line)
{
	return go(d, shell_directory_join(d->place[d->now].path, path), *path != '/', line);
}

/* Stays, but with a doubt, which this function frees; the first one is kept. */
static void doubt(struct shell_directory *d, size_t line, char *text)
{
	struct shell_place *place = &d->place[d->now];

	if (place->doubt == NULL)
		place = go(d, mem_copy(place->path), true, line);
	if (place != NULL && place->doubt == NULL)
		place->doubt = text;
	else
		free(text);
}

static char *skipped_text(const struct shell_directory *d, size_t line)
{
	return mem_format("%s:%zu: a shell may skip the cd of this line", d->text_name, line);
}

/* Takes one scope from a count of what is open; a subshell ends the branches and loops in it. */
static void uncount(size_t *scopes, size_t *open, size_t level)
{
	(*scopes)--;
	if (*open >= level)
		*open = level - 1;
}

/*
 * Leaves the innermost scope.  What a shell may skip leads nowhere: the directory is that before
 * it, with a doubt.  Behind a return it counts as values do there, also with a doubt.
 */
static void leave(struct shell_directory *d, struct shell_nesting *nesting)
{
	const struct shell_scope *s = &d->scope[--d->scopes];
	size_t last = d->now != s->outer ? d->now : s->left;

	if (s->kind == SCOPE_SUBSHELL) {
		d->subshells--;
		d->now = s->outer;
		return;
	}
	if (s->kind == SCOPE_BRANCH)
		uncount(&d->branches, &nesting->branches, s->level);
	else if (s->kind == SCOPE_LOOP)
		uncount(&d->loops, &nesting->loops, s->level);
	if (s->kind != SCOPE_REST) /* the shell that runs bhyve has passed the return */
		d->now = s->outer;
	if (last != s->outer)
		doubt(d, d->place[last].line, skipped_text(d, d->place[last].line));
}

static void enter(struct shell_directory *d, enum scope_kind kind, size_t level)
{
	d->scope = mem_grow(d->scope, d->scopes, sizeof(*d->scope));
	d->scope[d->scopes++] = (struct shell_scope){ kind, level, d->now, d->now };
}

/* Returns the operator before a command. */
static const char *operator_before(const struct shell_script *script, size_t index)
{
	return index == 0 ? "" : script->command[index - 1].end;
}

static bool is_joined(const char *operator)
{
	return strcmp(operator, "&&") == 0 || strcmp(operator, "||") == 0;
}

static bool begins_with(
    const struct shell_script *script, const struct shell_command *c, const char *word)
{
	return c->words > 0 && shell_is(&script->word[c->word], word);
}

/* Returns whether a "{" opens a function, or a group that may be skipped. */
static bool opens_group(
    const struct shell_directory *d, const struct shell_script *script, size_t index)
{
	const struct shell_command *c = &script->command[index];
	const char *before = operator_before(script, index);

	if (c == d->body)
		return false;
	if (begins_with(script, c, "function"))
		return c->words > 2 && shell_is(&script->word[c->word + 2], "{");
	if (index > 0 && c[-1].words == 2 && begins_with(script, c - 1, "function"))
		return begins_with(script, c, "{");
	return begins_with(script, c, "{") &&
	    (is_joined(before) || (strcmp(before, "(") == 0 && c->outside == c[-1].depth));
}

/* Goes back to the place before a list with a "cd" that a shell may have skipped. */
static void undo_conditional(struct shell_directory *d)
{
	size_t line = d->place[d->now].line;

	d->is_conditional = false;
	d->now = d->before;
	doubt(d, line, skipped_text(d, line));
}

/* Returns whether a shell certainly goes on behind a command: "|| true" and "|| echo". */
static bool goes_on(const struct shell_script *script, const struct shell_command *c)
{
	static const char *const names[] = { ":", "true", "false", "echo", "printf", "logger",
		"export", "readonly", "set", "shift", "unset", "mkdir" };
	bool is_name = c->words > 0 && shell_assignment(&script->word[c->word]) > 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		is_name = is_name || begins_with(script, c, names[i]);
	return is_name;
}

/* Looks whether a command is still in the list of a "cd" behind "&&", which runs if that does. */
static void judge_conditional(
    struct shell_directory *d, const struct shell_script *script, size_t index, bool closes)
{
	const char *before = operator_before(script, index);
	bool is_or = strcmp(before, "||") == 0 && !closes;

	if (!d->is_conditional || d->scopes > d->conditional)
		return;
	/* "[ -d /vm ] && cd /vm || exit" is a cd that runs; the end of a scope tells of its own. */
	if (d->scopes < d->conditional || (is_or && !goes_on(script, &script->command[index])))
		d->is_conditional = false;
	else if (!closes && strcmp(before, "&&") != 0 && strcmp(before, "|") != 0)
		undo_conditional(d);
}

/* Returns whether the text has closed a branch, a loop or braces. */
static bool is_closed(const struct shell_scope *s, const struct shell_nesting *nesting)
{
	switch (s->kind) {
	case SCOPE_BRANCH:
		return s->level > nesting->branches;
	case SCOPE_LOOP:
		return s->level > nesting->loops;
	case SCOPE_BRACES:
		return s->level > nesting->braces;
	case SCOPE_SUBSHELL:
	case SCOPE_REST:
		break;
	}
	return false;
}

void shell_directory_leave(
    struct shell_directory *d, size_t subshells, struct shell_nesting *nesting)
{
	while (d->subshells > subshells)
		leave(d, nesting);
}

void shell_directory_enter(struct shell_directory *d, const struct shell_script *script,
    size_t index, struct shell_nesting *nesting)
{
	const struct shell_command *c = &script->command[index];
	bool closes = false;

	shell_directory_leave(d, c->low, nesting);
	for (; d->scopes > d->base && is_closed(&d->scope[d->scopes - 1], nesting); closes = true)
		leave(d, nesting);
	judge_conditional(d, script, index, closes);
	if (d->scopes > d->base && nesting->is_arm &&
	    d->scope[d->scopes - 1].kind == SCOPE_BRANCH) {
		struct shell_scope *s = &d->scope[d->scopes - 1];

		s->left = d->now != s->outer ? d->now : s->left;
		d->now = s->outer;
		if (strcmp(operator_before(script, index), ";&") == 0 && s->left != s->outer)
			doubt(d, d->place[s->left].line, skipped_text(d, d->place[s->left].line));
	}
	for (; d->subshells < c->outside; d->subshells++)
		enter(d, SCOPE_SUBSHELL, 0);
	if (opens_group(d, script, index))
		enter(d, SCOPE_BRACES, nesting->braces);
	while (d->branches < nesting->branches)
		enter(d, SCOPE_BRANCH, ++d->branches);
	while (d->loops < nesting->loops)
		enter(d, SCOPE_LOOP, ++d->loops);
	for (; d->subshells < c->depth; d->subshells++)
		enter(d, SCOPE_SUBSHELL, 0);
}

void shell_directory_skip(struct shell_directory *d)
{
	struct shell_scope *s;
	size_t outer = d->is_conditional ? d->before : d->now;

	if (d->scopes > d->base) {
		if (d->scope[d->base].kind == SCOPE_REST)
			return;
		outer = d->scope[d->base].outer;
	}
	d->scope = mem_grow(d->scope, d->scopes, sizeof(*d->scope));
	s = &d->scope[d->base];
	(void)memmove(s + 1, s, (d->scopes - d->base) * sizeof(*s));
	*s = (struct shell_scope){ SCOPE_REST, 0, outer, outer };
	d->scopes++;
	d->conditional++; /* of this function, if there is one */
}

/* Goes where a word leads, with what the text does not tell of it. */
static void go_to_word(
    struct shell_directory *d, const char *path, const struct shell_basis *basis, size_t line)
{
	struct shell_place *place = go_from(d, path, line);

	if (place == NULL)
		return;
	words_append(&place->problem, &basis->problem);
	words_append(&place->note, &basis->note);
}

/* Returns the command as the text has it, for messages.  Caller frees. */
static char *shown(const struct shell_statement *run)
{
	const struct shell_word *last = &run->word[run->words - 1];
	MEM_AUTO char *text =
	    mem_copy_n(run->word->text, (size_t)(last->text + last->length - run->word->text));
	struct str s = { 0 };

	str_add_line(&s, text, MAX_SHOWN);
	return str_take(&s);
}

/* Reads "cd WORD" or "pushd WORD"; false: the text does not tell where it leads, "cd -". */
static bool read_cd(
    struct shell_directory *d, struct shell_values *v, const struct shell_statement *run, size_t i)
{
	SHELL_BASIS_AUTO struct shell_basis basis = { 0 };
	MEM_AUTO char *path = NULL;

	while (i < run->words && run->word[i].length > 1 && *run->word[i].text == '-')
		i++; /* -P, -- */
	if (i + 1 != run->words || shell_is(&run->word[i], "-"))
		return false;
	path = shell_expand_one(v, &run->word[i], &basis);
	if (basis.missing.count == 0 && strpbrk(path, "*?[") != NULL)
		return false;
	go_to_word(d, path, &basis, run->word->line);
	return true;
}

bool shell_directory_read(struct shell_directory *d, struct shell_values *v,
    const struct shell_script *script, size_t index, const struct shell_statement *run)
{
	static const char *const commands[] = { "cd", "chdir", "pushd", "popd" };
	const struct shell_command *c = &script->command[index];
	const char *before = operator_before(script, index);
	size_t first = shell_is(run->word, "command") || shell_is(run->word, "builtin") ? 1 : 0;
	size_t i = 0;

	while (i < 4 && (first == run->words || !shell_is(&run->word[first], commands[i])))
		i++;
	if (i == 4)
		return false;
	if (strcmp(before, "||") == 0 && !c->is_first) {
		doubt(d, run->word->line, skipped_text(d, run->word->line));
		return true;
	}
	if (!d->is_conditional) {
		d->before = d->now;
		d->conditional = d->scopes;
	}
	if (i == 3 || !read_cd(d, v, run, first + 1)) {
		MEM_AUTO char *text = shown(run);

		doubt(d, run->word->line,
		    mem_format("%s:%zu: %s: the text does not tell this directory", d->text_name,
			run->word->line, text));
		return true;
	}
	d->is_conditional = d->is_conditional ||
	    (strcmp(before, "&&") == 0 && !c->is_first && !begins_with(script, c, "{") &&
		!begins_with(script, c - 1, "cd"));
	return true;
}

void shell_directory_change(struct shell_directory *d, const char *path, size_t line)
{
	struct shell_place *place = go_from(d, path, line);

	if (place != NULL && strcmp(path, "~") == 0)
		words_addf(&place->problem,
		    "%s:%zu: a login shell begins in the home directory, which the text does not "
		    "tell: write absolute paths",
		    d->text_name, line);
}

void shell_directory_open(struct shell_directory *d, bool is_process, struct shell_inner *inner)
{
	*inner = (struct shell_inner){ d->base, d->subshells, d->now, d->before, d->conditional,
		d->is_conditional, is_process };
	d->is_conditional = false;
	d->base = d->scopes;
	d->subshells = 0;
}

void shell_directory_close(
    struct shell_directory *d, const struct shell_inner *inner, struct shell_nesting *nesting)
{
	if (d->is_conditional && d->scopes == d->conditional)
		undo_conditional(d);
	while (d->scopes > d->base)
		leave(d, nesting);
	d->before = inner->before;
	d->conditional = inner->conditional;
	d->is_conditional = inner->is_conditional;
	d->base = inner->base;
	d->subshells = inner->subshells;
	if (inner->is_process)
		d->now = inner->now;
}
