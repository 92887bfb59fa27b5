/* Commands of the shell itself. */
#include "shell/shell_statement.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "shell/command_words.h"

#define MAX_SHOWN 60 /* bytes of a value in a message */

/* A command whose first words are read. */
struct statement {
	const struct shell_word *word;
	size_t words;
	bool in_branch; /* a shell runs it in some cases only */
};

static bool is_word(const struct shell_word *word, const char *text)
{
	return word->length == strlen(text) && memcmp(word->text, text, word->length) == 0;
}

static bool is_one_of(const struct shell_word *word, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (is_word(word, *list))
			return true;
	}
	return false;
}

/* Skips the words that a shell has before a command, and counts what they open and close. */
static void skip_reserved(struct shell_nesting *nesting, struct statement *s)
{
	static const char *const opening[] = { "if", "case", NULL };
	static const char *const closing[] = { "fi", "esac", NULL };
	static const char *const arms[] = { "else", "elif", NULL };
	static const char *const loops[] = { "while", "until", "for", "select", NULL };
	static const char *const others[] = { "do", "then", "!", "@reboot", NULL };

	for (; s->words > 0; s->word++, s->words--) {
		if (is_one_of(s->word, opening)) {
			nesting->branches++;
			if (is_word(s->word, "case")) {
				s->words = 0;
				return;
			}
		} else if (is_one_of(s->word, closing)) {
			nesting->branches -= nesting->branches > 0 ? 1 : 0;
		} else if (is_one_of(s->word, loops)) {
			nesting->loops++;
			if (*s->word->text == 'f' || *s->word->text == 's')
				return; /* the words behind it are no command */
		} else if (is_word(s->word, "done")) {
			nesting->loops -= nesting->loops > 0 ? 1 : 0;
		} else if (is_word(s->word, "function") && s->words > 2 &&
		    is_word(&s->word[2], "{")) {
			s->word++;
			s->words--;
		} else if (is_word(s->word, "{")) {
			nesting->braces++;
		} else if (is_word(s->word, "}")) {
			nesting->braces -= nesting->braces > 0 ? 1 : 0;
		} else if (is_one_of(s->word, arms)) {
			nesting->is_arm = true;
		} else if (!is_one_of(s->word, others)) {
			return;
		}
	}
}

/* Forgets the variables that a command such as read sets to what the text does not tell. */
static void unset_all(struct shell_values *v, const struct shell_word *word, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		MEM_AUTO char *name = mem_copy_n(word[i].text, word[i].length);

		shell_unset(v, name);
	}
}

/* Notes that a loop has a value for each file that matches a pattern, "for d in *.img". */
static void note_pattern(struct shell_values *v, const struct shell_word *name)
{
	const struct shell_variable *variable;
	MEM_AUTO char *key = mem_copy_n(name->text, name->length);
	STR_AUTO struct str note = { 0 };

	variable = shell_value(v, key);
	if (variable == NULL || variable->basis.missing.count > 0 ||
	    strpbrk(variable->value, "*?[") == NULL)
		return;
	str_addf(
	    &note, "%s:%zu: $%s: the import uses the pattern \"", v->text_name, name->line, key);
	str_add_line(&note, variable->value, MAX_SHOWN);
	str_add(
	    &note, "\" as it is: a shell uses each file that matches: write the path in its place");
	shell_note(v, name->text, name->length, note.text);
}

/* Reads "for NAME in VALUE", which sets the variable if there is one value. */
static void read_for(struct shell_values *v, struct statement *s)
{
	if (s->words < 2)
		return;
	unset_all(v, s->word + 1, 1);
	if (s->words == 4 && is_word(&s->word[2], "in")) {
		MEM_AUTO char *text = mem_format("%.*s=%.*s", (int)s->word[1].length,
		    s->word[1].text, (int)s->word[3].length, s->word[3].text);
		const struct shell_word one = { text, strlen(text), s->word->line };

		if (shell_assignment(&one) > 0)
			shell_assign(v, &one, false);
		note_pattern(v, &s->word[1]);
	}
}

/* Reads commands that change variables; returns whether it was one. */
static bool read_builtin(struct shell_values *v, struct statement *s)
{
	static const char *const setting[] = { "export", "readonly", "local", "declare", "typeset",
		"set", NULL };
	static const char *const unsetting[] = { "unset", "read", "getopts", NULL };

	if (is_word(s->word, "for") || is_word(s->word, "select")) {
		read_for(v, s);
	} else if (is_one_of(s->word, unsetting)) {
		unset_all(v, s->word + 1, s->words - 1);
	} else if (is_one_of(s->word, setting)) {
		for (size_t i = 1; i < s->words; i++) {
			if (shell_assignment(&s->word[i]) > 0)
				shell_assign(v, &s->word[i], s->in_branch);
		}
	} else if (is_word(s->word, "setenv") && s->words == 3) {
		MEM_AUTO char *text = mem_format("%.*s=%.*s", (int)s->word[1].length,
		    s->word[1].text, (int)s->word[2].length, s->word[2].text);
		const struct shell_word one = { text, strlen(text), s->word->line };

		if (shell_assignment(&one) > 0)
			shell_assign(v, &one, s->in_branch);
	} else {
		return false;
	}
	return true;
}

/*
 * Reads the assignments in front of a command; they set variables if no command follows.  Returns
 * their number.
 */
static size_t read_assignments(struct shell_values *v, struct statement *s)
{
	size_t n = 0;

	while (n < s->words && shell_assignment(&s->word[n]) > 0)
		n++;
	for (size_t i = 0; i < n && n == s->words; i++)
		shell_assign(v, &s->word[i], s->in_branch);
	s->word += n;
	s->words -= n;
	return n;
}

/* Removes the "@" with which a recipe of make begins. */
static void strip_recipe_mark(struct shell_word *word)
{
	size_t n = 0;

	while (n < word->length && strchr("@-", word->text[n]) != NULL)
		n++;
	if (n < word->length && *word->text == '@' && !is_word(word, "@reboot")) {
		word->text += n;
		word->length -= n;
	}
}

bool shell_statement_read(struct shell_values *v, struct shell_nesting *nesting,
    struct shell_script *script, size_t index, struct shell_statement *out)
{
	const struct shell_command *command = &script->command[index];
	struct shell_word *word = script->word + command->word;
	const char *before = index == 0 ? "" : command[-1].end;
	size_t prompt = command_prompt(word, command->words);
	struct statement s = { .word = word + prompt, .words = command->words - prompt };
	size_t assignments;

	if (s.words > 0)
		strip_recipe_mark(word + prompt);
	nesting->is_arm = false;
	skip_reserved(nesting, &s);
	nesting->is_arm = nesting->is_arm || (command->is_pattern && s.words > 0);
	s.in_branch =
	    nesting->branches > 0 || strcmp(before, "&&") == 0 || strcmp(before, "||") == 0;
	assignments = read_assignments(v, &s);
	if (s.words == 0 || read_builtin(v, &s))
		return false;
	*out = (struct shell_statement){ s.word, s.words, assignments };
	return true;
}
