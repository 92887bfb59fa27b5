/* Commands of the shell itself. */
#include "shell/shell_statement.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "shell/command_words.h"
#include "shell/shell_assign.h"
#include "shell/shell_expand.h"
#include "shell/shell_list.h"

static bool is_one_of(const struct shell_word *word, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (shell_is(word, *list))
			return true;
	}
	return false;
}

/* Skips the words that a shell has before a command, and counts what they open and close. */
static void skip_reserved(struct shell_nesting *nesting, struct shell_statement *s)
{
	static const char *const opening[] = { "if", "case", NULL };
	static const char *const closing[] = { "fi", "esac", NULL };
	static const char *const arms[] = { "else", "elif", NULL };
	static const char *const loops[] = { "while", "until", "for", "select", NULL };
	static const char *const others[] = { "do", "!", "@reboot", NULL };

	for (; s->words > 0; s->word++, s->words--) {
		if (is_one_of(s->word, opening)) {
			nesting->branches++;
			nesting->is_if = shell_is(s->word, "if");
			if (!nesting->is_if) {
				s->words = 0;
				return;
			}
		} else if (is_one_of(s->word, closing)) {
			nesting->branches -= nesting->branches > 0 ? 1 : 0;
		} else if (is_one_of(s->word, loops)) {
			nesting->loops++;
			if (*s->word->text == 'f' || *s->word->text == 's')
				return; /* the words behind it are no command */
		} else if (shell_is(s->word, "done")) {
			nesting->loops -= nesting->loops > 0 ? 1 : 0;
		} else if (shell_is(s->word, "function") && s->words > 2 &&
		    shell_is(&s->word[2], "{")) {
			s->word++;
			s->words--;
		} else if (shell_is(s->word, "{")) {
			nesting->braces++;
		} else if (shell_is(s->word, "}")) {
			nesting->braces -= nesting->braces > 0 ? 1 : 0;
		} else if (is_one_of(s->word, arms)) {
			nesting->is_arm = true;
		} else if (shell_is(s->word, "then")) {
			nesting->is_then = true;
		} else if (!is_one_of(s->word, others) &&
		    !(shell_is(s->word, "time") && s->words > 1 && *s->word[1].text != '-')) {
			return;
		}
	}
}

static void unset_all(
    struct shell_values *v, const struct shell_word *word, size_t count, bool is_set);

/* Forgets the variables whose names are values: "unset $NAME". */
static void unset_values(struct shell_values *v, const struct shell_word *word, bool is_set)
{
	WORDS_AUTO struct words names = { 0 };
	SHELL_BASIS_AUTO struct shell_basis basis = { 0 };

	shell_expand(v, word, &names, &basis);
	if (basis.missing.count > 0 || basis.note.count > 0)
		shell_note_all(v, word->line);
	for (size_t i = 0; i < names.count; i++) {
		const struct shell_word name = { names.item[i], strlen(names.item[i]), word->line };

		if (strchr(names.item[i], '$') == NULL)
			unset_all(v, &name, 1, is_set);
	}
}

/*
 * Forgets the variables that unset names, or that a command such as read sets to what the text does
 * not tell: `is_set`.
 */
static void unset_all(
    struct shell_values *v, const struct shell_word *word, size_t count, bool is_set)
{
	for (size_t i = 0; i < count; i++) {
		bool is_quoted = word[i].length > 1 && strchr("'\"", *word[i].text) != NULL;
		const char *name = word[i].text + (is_quoted ? 1 : 0);
		size_t rest = word[i].length - (is_quoted ? 1 : 0);
		size_t n = shell_name_length(name, rest);

		if (memchr(word[i].text, '$', word[i].length) != NULL) {
			unset_values(v, &word[i], is_set);
			continue;
		}
		/* Without one element, the others and their number are not known either. */
		if (n == 0 || (n < rest && name[n] != '[' && !is_quoted))
			continue;
		if (is_set && n == rest)
			shell_lose(v, name, n, word[i].line);
		else
			shell_unset_list(v, name, n, word[i].line);
	}
}

/* Reads "read -rp PROMPT NAME ...", "mapfile -t -n 2 NAME" and the like. */
static void read_input(struct shell_values *v, const struct shell_statement *s)
{
	const char *options = shell_is(s->word, "read") ? "dinNptu" : "CcdnOsu"; /* with a word */
	size_t i = 1;

	while (i < s->words && *s->word[i].text == '-') {
		size_t n = 1;

		while (n < s->word[i].length && strchr(options, s->word[i].text[n]) == NULL)
			n++;
		i += n + 1 == s->word[i].length ? 2 : 1;
	}
	i = i < s->words ? i : s->words;
	unset_all(v, s->word + i, s->words - i, true);
}

/* Reads "unset NAME ...", but not that of functions. */
static void read_unset(struct shell_values *v, const struct shell_statement *s)
{
	if (s->words > 1 && !shell_is(&s->word[1], "-f"))
		unset_all(v, s->word + 1, s->words - 1, false);
}

/* Sets the variable of a loop that has several values. */
static void set_several(struct shell_values *v, const struct shell_word *name, const char *first)
{
	struct shell_basis basis = { 0 };
	MEM_AUTO char *dollar = mem_format("$%.*s", (int)name->length, name->text);
	STR_AUTO struct str line = { 0 };

	str_add_line(&line, first, MAX_SHELL_SHOWN);
	MEM_AUTO char *problem = mem_format(
	    "%s:%zu: this loop gives %s several values, and a spec is one VM: replace the loop by "
	    "the commands in it, below a line such as %s=%s",
	    v->text_name, name->line, dollar, dollar + 1, line.text == NULL ? "" : line.text);

	shell_add_missing(&basis, dollar, problem);
	(void)shell_set(v, name->text, name->length, name->line, &basis, mem_copy(""));
}

/* Sets the variable of a loop that has one value, which it keeps behind the loop. */
static void set_one(struct shell_values *v, const struct shell_word *name,
    struct shell_basis *basis, const char *value)
{
	if (shell_arms_now(&v->arms) != 0)
		shell_put(v, name, name->length, basis, mem_copy(value));
	else
		(void)shell_set(v, name->text, name->length, name->line, basis, mem_copy(value));
}

/* Reads "for NAME in WORDS", which sets the variable if they are one value. */
static void read_for(struct shell_values *v, struct shell_statement *s)
{
	const struct shell_word *name = &s->word[1];
	const struct shell_word all = { "\"$@\"", 4, s->word->line };
	WORDS_AUTO struct words fields = { 0 };
	struct shell_basis basis = { 0 };
	bool has_list = s->words > 2 && shell_is(&s->word[2], "in");

	if (s->words < 2 || shell_name_length(name->text, name->length) != name->length)
		return;
	for (size_t i = 3; i < s->words && has_list; i++)
		shell_expand(v, &s->word[i], &fields, &basis);
	if (!has_list && shell_value(v, "#") != NULL)
		shell_expand(v, &all, &fields, &basis);
	if (fields.count > 1) {
		set_several(v, name, fields.item[0]);
	} else if (fields.count == 1 || basis.missing.count > 0) {
		set_one(v, name, &basis, fields.count == 1 ? fields.item[0] : "");
	}
	shell_basis_free(&basis);
}

/* Returns the index of the word behind the options of "set", which may be "-" or "--". */
static size_t skip_set_options(const struct shell_statement *s)
{
	size_t i = 1;

	while (i < s->words && s->word[i].length > 1 && strchr("-+", *s->word[i].text) != NULL &&
	    !shell_is(&s->word[i], "--"))
		i += s->word[i].text[s->word[i].length - 1] == 'o' ? 2 : 1; /* -eo pipefail */
	return i;
}

/* Forgets a variable that csh sets here, but not sh. */
static void forget_csh(struct shell_values *v, const struct shell_word *word, size_t n)
{
	struct shell_basis basis = { 0 };
	MEM_AUTO char *dollar = mem_format("$%.*s", (int)n, word->text);
	MEM_AUTO char *problem = mem_format(
	    "%s:%zu: this line sets %s in csh, but not in sh: write %s=VALUE in its place",
	    v->text_name, word->line, dollar, dollar + 1);

	shell_add_missing(&basis, dollar, problem);
	(void)shell_set(v, word->text, n, word->line, &basis, mem_copy(""));
}

/* Reads "set NAME=VALUE" and "set NAME = VALUE" of csh; returns whether it is one. */
static bool read_csh_set(struct shell_values *v, const struct shell_statement *s, size_t i)
{
	bool is_csh = false;

	for (; i < s->words; i++) {
		const struct shell_word *word = &s->word[i];
		bool is_apart = i + 1 < s->words && shell_is(&word[1], "=");
		size_t n =
		    is_apart ? shell_name_length(word->text, word->length) : shell_assignment(word);

		if (n > 0 && (!is_apart || n == word->length)) {
			forget_csh(v, word, n);
			is_csh = true;
			i += is_apart ? 2 : 0;
		}
	}
	return is_csh;
}

/* Exports each variable that is set from here on, or ends that. */
static void export_all(struct shell_values *v, bool exports, size_t line)
{
	bool is_skipped = shell_arms_now(&v->arms) != 0;

	if (is_skipped && exports == v->exports_all)
		return;
	v->exports_all = exports || is_skipped;
	v->export_line = is_skipped ? line : 0;
}

/* Reads "set" with the positional parameters. */
static void read_set(struct shell_values *v, const struct shell_statement *s)
{
	SHELL_ITEMS_AUTO struct shell_items items = { 0 };
	size_t i = skip_set_options(s);
	bool is_open = i >= s->words || !shell_is(&s->word[i], "--"), refers = false;
	const char *first;

	for (size_t k = 1; k < i && k < s->words; k++) {
		bool is_name = shell_is(&s->word[k], "allexport");

		if (is_name ||
		    (!shell_is(&s->word[k - 1], "-o") && !shell_is(&s->word[k - 1], "+o") &&
			memchr(s->word[k].text, 'a', s->word[k].length) != NULL))
			export_all(v, *s->word[is_name ? k - 1 : k].text == '-', s->word->line);
	}
	i += i < s->words && (!is_open || shell_is(&s->word[i], "-")) ? 1 : 0;
	if (is_open && i >= s->words)
		return;
	if (is_open && read_csh_set(v, s, i)) {
		shell_list_unset(v, "@", 1);
		return;
	}
	for (size_t k = i; k < s->words; k++)
		refers = refers || memchr(s->word[k].text, '$', s->word[k].length) != NULL;
	shell_items_add(v, s->word + i, s->words - i, &items);
	if (is_open && items.text.count == 0)
		return; /* "set" alone, which changes nothing */
	first = items.text.count > 0 ? items.text.item[0] : "";
	if (is_open && (*first == '-' || *first == '+'))
		shell_list_unset(v, "@", 1); /* a value with options */
	else
		shell_list_set(v, "@", 1, s->word->line, refers, &items);
}

/* Keeps the variables of "local" until the end of the function, but not those of "declare -g". */
static void read_local(struct shell_values *v, const struct shell_statement *s)
{
	for (size_t i = 1; i < s->words && *s->word[i].text == '-'; i++) {
		if (memchr(s->word[i].text, 'g', s->word[i].length) != NULL)
			return;
	}
	for (size_t i = 1; i < s->words; i++) {
		size_t n = shell_name_length(s->word[i].text, s->word[i].length);

		if (n == 0 || (n < s->word[i].length && shell_assignment(&s->word[i]) == 0))
			continue;
		shell_local(v, s->word[i].text, n, s->word->line);
		shell_list_local(v, s->word[i].text, n, s->word->line);
	}
}

/* Keeps in mind that a file, which is not read, may set variables: "export $(cat FILE)". */
static void read_source(
    struct shell_values *v, const struct shell_statement *s, const struct shell_word *file)
{
	MEM_AUTO char *text = shell_is(s->word, "load_rc_config")
	    ? mem_copy("/etc/rc.conf")
	    : mem_format(
		  "%.*s %.*s", (int)s->word->length, s->word->text, (int)file->length, file->text);
	struct str shown = { 0 };

	if (shell_is(file, "/etc/rc.subr"))
		return; /* it sets nothing that a VM has */
	str_add_line(&shown, text, MAX_SHELL_SHOWN);
	free(v->source);
	v->source = str_take(&shown);
	v->source_line = s->word->line;
}

/*
 * Returns the word of "export" and the like as an assignment of which only the value has quotes;
 * `texts` keeps its text: "N=$1" in quotes is N="$1", and $NAME=2 is that of the value.
 */
static struct shell_word plain_assignment(struct shell_values *v, const struct shell_statement *s,
    const struct shell_word *word, struct words *texts)
{
	bool is_quoted = word->length > 2 && strchr("'\"", *word->text) != NULL &&
	    memchr(word->text + 1, *word->text, word->length - 1) == word->text + word->length - 1;
	const struct shell_word inside = { word->text + 1, word->length - 1, word->line };
	size_t n = is_quoted ? shell_assignment(&inside) : 0;
	WORDS_AUTO struct words fields = { 0 };
	SHELL_BASIS_AUTO struct shell_basis basis = { 0 };

	if (n > 0) {
		n += inside.text[n] == '+' ? 2 : 1;
		words_addf(texts, "%.*s%c%.*s", (int)n, inside.text, *word->text,
		    (int)(inside.length - n), inside.text + n);
	} else if (shell_assignment(word) > 0 || memchr(word->text, '$', word->length) == NULL) {
		return *word;
	} else {
		shell_expand(v, word, &fields, &basis);
		if (basis.is_unknown)
			read_source(v, s, word);
		if (fields.count != 1 || basis.missing.count > 0 ||
		    strchr(fields.item[0], '\'') != NULL)
			return *word;
		n = shell_name_length(fields.item[0], strlen(fields.item[0]));
		words_addf(texts, "%.*s", (int)n, fields.item[0]);
		if (n > 0 && fields.item[0][n] == '=') {
			words_truncate(texts, texts->count - 1);
			words_addf(
			    texts, "%.*s='%s'", (int)n, fields.item[0], fields.item[0] + n + 1);
		}
	}
	return (struct shell_word){ texts->item[texts->count - 1],
		strlen(texts->item[texts->count - 1]), word->line };
}

/* Reads "export", "local" and the like. */
static void read_setting(struct shell_values *v, const struct shell_statement *s)
{
	static const char *const locals[] = { "local", "declare", "typeset", NULL };
	struct shell_word *word = mem_zero(s->words * sizeof(*word));
	WORDS_AUTO struct words texts = { 0 };
	const struct shell_statement plain = { word, s->words, 0 };

	for (size_t i = 0; i < s->words; i++)
		word[i] = i == 0 ? s->word[0] : plain_assignment(v, s, &s->word[i], &texts);
	if (is_one_of(s->word, locals))
		read_local(v, &plain);
	shell_assign_all(v, word + 1, s->words - 1);
	shell_read_exports(v, word, s->words);
	free(word);
}

/* Reads commands that change variables; returns whether it was one. */
static bool read_builtin(struct shell_values *v, struct shell_statement *s)
{
	static const char *const setting[] = { "export", "readonly", "local", "declare", "typeset",
		NULL };
	static const char *const inputs[] = { "read", "mapfile", "readarray", NULL };
	static const char *const sources[] = { ".", "source", "load_rc_config", NULL };

	if (shell_is(s->word, "for") || shell_is(s->word, "select")) {
		read_for(v, s);
	} else if (shell_is(s->word, "unset") || shell_is(s->word, "getopts")) {
		read_unset(v, s);
	} else if (is_one_of(s->word, inputs)) {
		read_input(v, s);
	} else if (is_one_of(s->word, setting)) {
		read_setting(v, s);
	} else if (shell_is(s->word, "set")) {
		read_set(v, s);
	} else if (shell_is(s->word, "let")) {
		for (size_t i = 1; i < s->words; i++)
			shell_lose_names(v, s->word[i].text, s->word[i].length, s->word->line);
	} else if (shell_is(s->word, "printf") && s->words > 2 && shell_is(&s->word[1], "-v")) {
		unset_all(v, s->word + 2, 1, true);
	} else if (shell_is(s->word, "shift")) {
		shell_shift(v, s->word, s->words);
	} else if (shell_is(s->word, "setenv") && s->words > 1) {
		size_t n = shell_name_length(s->word[1].text, s->word[1].length);

		if (n > 0)
			forget_csh(v, &s->word[1], n);
	} else if (is_one_of(s->word, sources) && s->words > 1) {
		read_source(v, s, &s->word[1]);
	} else {
		return false;
	}
	return true;
}

/*
 * Reads the assignments in front of a command; they set variables if no command follows, or a
 * special one of the shell.  Returns the number of others.
 */
static size_t read_assignments(struct shell_values *v, struct shell_statement *s)
{
	static const char *const special[] = { ":", ".", "eval", "export", "readonly", "set",
		"shift", "unset", NULL };
	bool is_special;
	size_t n = 0;

	while (
	    n < s->words && (shell_assignment(&s->word[n]) > 0 || shell_element(&s->word[n]) > 0))
		n++;
	is_special = n < s->words && is_one_of(&s->word[n], special);
	if (n == s->words || is_special)
		shell_assign_line(v, s->word, n);
	s->word += n;
	s->words -= n;
	return is_special ? 0 : n;
}

/* Removes the "@" with which a recipe of make begins. */
static void strip_recipe_mark(struct shell_word *word)
{
	size_t n = 0;

	while (n < word->length && strchr("@-", word->text[n]) != NULL)
		n++;
	if (n < word->length && *word->text == '@' && !shell_is(word, "@reboot")) {
		word->text += n;
		word->length -= n;
	}
}

/* Returns whether "for NAME in WORD" has one value. */
static bool is_loop_once(const struct shell_statement *s)
{
	if (s->words != 4 || !shell_is(s->word, "for"))
		return false;
	for (size_t i = 0; i < s->word[3].length; i++) {
		if (strchr("$`*?[", s->word[3].text[i]) != NULL)
			return false;
	}
	return true;
}

void shell_statement_open(struct shell_nesting *nesting, struct shell_script *script, size_t index,
    struct shell_statement *out, struct shell_step *step)
{
	const struct shell_command *command = &script->command[index];
	struct shell_word *word = script->word + command->word;
	const char *before = index == 0 ? "" : command[-1].end;
	size_t prompt = command_prompt(word, command->words);
	const struct shell_word *first = word + prompt;

	*out = (struct shell_statement){ first, command->words - prompt, 0 };
	if (out->words > 0)
		strip_recipe_mark(word + prompt);
	nesting->is_arm = nesting->is_if = nesting->is_then = false;
	step->is_group = out->words > 0 && shell_is(first, "{");
	step->is_last = out->words > 0 &&
	    (shell_is(first, "else") || (command->is_pattern && shell_is(first, "*")));
	skip_reserved(nesting, out);
	nesting->is_arm = nesting->is_arm || (command->is_pattern && out->words > 0);
	step->is_or = strcmp(before, "||") == 0;
	step->is_joined = step->is_or || strcmp(before, "&&") == 0;
	step->is_once = is_loop_once(out);
	step->is_next = strcmp(before, ";&") == 0;
}

bool shell_statement_read(struct shell_values *v, struct shell_statement *s)
{
	struct shell_statement inner;

	s->assignments = read_assignments(v, s);
	inner = *s;
	while (inner.words > 1 &&
	    (shell_is(inner.word, "command") || shell_is(inner.word, "builtin"))) {
		inner.word++;
		inner.words--;
	}
	return s->words > 0 && !read_builtin(v, &inner);
}
