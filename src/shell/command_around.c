/* Commands around the bhyve command that a spec has keys for: its tap's bridge, its swtpm. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "shell/command_finder.h"

#define MAX_AROUND 100

/* Keeps a note for a bhyve command that has this word between the commas of an option. */
static void keep(struct finder *f, const char *word, char *note)
{
	if (f->around_word.count < MAX_AROUND) {
		words_add(&f->around_word, word);
		words_add(&f->around_note, note);
	}
}

/* Keeps "ifconfig BRIDGE addm TAP", which may have several members. */
static void keep_members(struct finder *f, const struct words *w, size_t first, size_t line)
{
	for (size_t i = first + 2; i + 1 < w->count; i++) {
		const char *tap = w->item[i + 1];

		if (strcmp(w->item[i], "addm") != 0)
			continue;
		MEM_AUTO char *note = mem_format(
		    "%s:%zu: %s is a member of %s: with \"bridge\": \"%s\" in the place of "
		    "\"name\": \"%s\" vmrun makes a tap for each run and adds it to %s",
		    f->name, line, tap, w->item[first + 1], w->item[first + 1], tap,
		    w->item[first + 1]);

		keep(f, tap, note);
	}
}

void finder_note_around(struct finder *f, const struct words *w, size_t first, size_t line)
{
	const char *program = first < w->count ? w->item[first] : "";

	if (command_is_program(program, "ifconfig"))
		keep_members(f, w, first, line);
	if (command_is_program(program, "swtpm")) {
		MEM_AUTO char *note = mem_format(
		    "%s:%zu: swtpm: with \"managed\": true in \"tpm\" vmrun starts swtpm itself, "
		    "with its state in the state directory of the VM; else put this command into "
		    "\"companions\"",
		    f->name, line);

		keep(f, "swtpm", note);
	}
}

/* Returns whether a word has a text between its commas. */
static bool has_piece(const char *word, const char *piece)
{
	for (size_t n;; word += n + 1) {
		n = strcspn(word, ",");
		if (strlen(piece) == n && memcmp(word, piece, n) == 0)
			return true;
		if (word[n] == '\0')
			return false;
	}
}

void finder_tell_around(struct finder *f)
{
	for (size_t i = 0; i < f->around_word.count; i++) {
		bool is_used = false;

		for (size_t k = 0; k < f->out->argv.count; k++)
			is_used =
			    is_used || has_piece(f->out->argv.item[k], f->around_word.item[i]);
		if (is_used && !words_have(&f->out->notes, f->around_note.item[i]))
			words_add(&f->out->notes, f->around_note.item[i]);
	}
}
