/* Finds functions: NAME() { ... }, NAME() ( ... ) and "function NAME". */
#include "shell/shell_function.h"

#include <string.h>

#define MAX_BODY 10000 /* commands between parentheses */

/* Returns whether a word can be the name of a function. */
static bool is_name(const struct shell_word *word)
{
	for (size_t i = 0; i < word->length; i++) {
		if (strchr("$`'\"\\=*?[]{}#!~", word->text[i]) != NULL)
			return false;
	}
	return word->length > 0;
}

/* Returns whether "()" stands behind a word. */
static bool has_parentheses(const struct shell_script *script, const struct shell_word *word)
{
	const char *p = word->text + word->length, *end = script->text + script->length;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == end || *p++ != '(')
		return false;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p < end && *p == ')';
}

/* Returns whether a word begins a compound command, which can be a body. */
static bool begins_body(const struct shell_word *word)
{
	static const char *const words[] = { "{", "function", "if", "case", "for", "while",
		"until" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (shell_is(word, words[i]))
			return true;
	}
	return false;
}

/* Finds the end of the body, whose first command is set. */
static bool find_end(struct shell_function *f)
{
	const struct shell_command *first = &f->script->command[f->first];
	const struct shell_word *word = &f->script->word[first->word];
	size_t i = f->first + 1;

	if (first->close >= f->first && first->close > 0 && first->words > 0 && begins_body(word)) {
		f->last = first->close;
		return f->last > f->first;
	}
	if (!first->is_first || first->outside <= f->depth)
		return false;
	while (i < f->script->commands && i - f->first < MAX_BODY &&
	    f->script->command[i].low > f->depth)
		i++;
	f->last = i - 1;
	return i - f->first < MAX_BODY;
}

/* Returns how many words stand before the name: "{ f() { ...", "then f() { ...". */
static size_t count_reserved(const struct shell_word *word, size_t words)
{
	static const char *const reserved[] = { "{", "then", "else", "do" };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]) && n < words;) {
		i = shell_is(&word[n], reserved[i]) ? 0 : i + 1;
		n += i == 0 ? 1 : 0;
	}
	return n;
}

bool shell_function_at(struct shell_script *script, size_t index, struct shell_function *out)
{
	const struct shell_command *c = &script->command[index];
	const struct shell_word *word = &script->word[c->word];
	bool has_word = c->words > 1 && shell_is(word, "function");
	size_t reserved = has_word ? 0 : count_reserved(word, c->words);

	if (!has_word && c->words != reserved + 1)
		return false;
	*out = (struct shell_function){
		.name = word + (has_word ? 1 : reserved),
		.script = script,
		.first = index + 1,
		.depth = c->outside,
	};
	if (!is_name(out->name))
		return false;
	if (has_word && c->words > 2) {
		out->first = index;
		return shell_is(&word[2], "{") && find_end(out);
	}
	if (!has_parentheses(script, out->name) && (!has_word || strcmp(c->end, "\n") != 0))
		return false;
	return out->first < script->commands && find_end(out);
}

bool shell_function_names(const struct shell_function *f, const struct shell_function *other)
{
	const struct shell_command *first = &f->script->command[f->first];
	const struct shell_command *last = &f->script->command[f->last];
	const struct shell_word *word = &f->script->word[first->word];
	const struct shell_word *end = &f->script->word[last->word];

	for (; word < end; word++) {
		if (word->length == other->name->length &&
		    memcmp(word->text, other->name->text, word->length) == 0)
			return true;
	}
	return false;
}
