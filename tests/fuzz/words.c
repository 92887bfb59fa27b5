/*
 * Prints a dictionary for libFuzzer, from the rows of the spec and of the functions for scripts.
 *
 *	words json		keys and words of a spec, with their quotes
 *	words lua		the same without, and the names that scripts use
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/words.h"
#include "vmrun/vmrun.h"

#define MAX_WORD 24 /* bytes; help texts are longer */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:";

/* Adds a text if it is one word, and new. */
static void add(struct words *words, const char *text)
{
	size_t n = strlen(text);

	if (n > 1 && n <= MAX_WORD && strspn(text, letters) == n && !words_have(words, text))
		words_add(words, text);
}

/* Adds the keys and the strings of the schema. */
static void add_spec(struct words *words)
{
	MEM_AUTO char *schema = vmrun_describe("schema", true);
	struct json_token token;
	struct json j;

	json_start(&j, schema, strlen(schema));
	while (json_next(&j, &token) != JSON_END && token.type != JSON_ERROR) {
		if (token.type != JSON_KEY && token.type != JSON_STRING)
			continue;
		MEM_AUTO char *text = json_text(&j, &token, NULL);

		add(words, text);
	}
}

/* Adds the functions of scripts, each the word behind "function" in the annotations. */
static void add_functions(struct words *words)
{
	MEM_AUTO char *types = vmrun_describe("lua-types", false);

	for (const char *at = types; (at = strstr(at, "function vmrun.")) != NULL;) {
		at += strlen("function ");
		MEM_AUTO char *name = mem_copy_n(at, strspn(at, letters));

		add(words, name);
	}
}

int main(int argc, char **argv)
{
	bool lua = argc == 2 && strcmp(argv[1], "lua") == 0;
	const char *quote = lua ? "" : "\\\"";
	WORDS_AUTO struct words words = { 0 };

	add_spec(&words);
	if (lua)
		add_functions(&words);
	for (size_t i = 0; i < words.count; i++)
		(void)printf("\"%s%s%s\"\n", quote, words.item[i], quote);
	return words.count > 0 ? 0 : 1;
}
