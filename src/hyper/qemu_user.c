/*
 * Reads the user's own words for qemu: extra_options, qemu.args and the words after `--`.  qemu
 * takes the last of many options, or joins them with vmrun's, so each is compared with what vmrun
 * needs: it is passed on, joined with vmrun's own, or refused with the reason.
 */
#include "hyper/qemu_user.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* Returns whether a piece names a model or the like as "help", or is "help" itself. */
static bool is_help(const char *piece)
{
	static const char *const keys[] = { "accel=", "backend=", "driver=", "enable=", "format=",
		"model=", "qom-type=", "trace:", "type=" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *value = str_after(piece, keys[i]);

		piece = value == NULL ? piece : value;
	}
	return strcmp(piece, "help") == 0 || strcmp(piece, "?") == 0;
}

/* Returns whether the value asks for a list, which qemu prints before it exits. */
static bool asks_for_list(const char *value)
{
	WORDS_AUTO struct words pieces = { 0 };
	bool found = false;

	qemu_split(value, &pieces);
	for (size_t i = 0; i < pieces.count; i++)
		found = found || is_help(pieces.item[i]);
	return found;
}

/* Reads one option, if its turn is now.  Returns whether its words are passed on as they are. */
static bool take(struct qemu_reader *r, const struct qemu_option *option, const char *value)
{
	if (option->is_early != r->is_early)
		return true;
	if (option->refused != NULL) {
		qemu_refuse_word(r, value, option->refused);
		return false;
	}
	if (option->lists && asks_for_list(value)) {
		qemu_refuse_word(r, value, "qemu would print a list and exit: ask qemu itself");
		return false;
	}
	return option->take == NULL || option->take(r, value);
}

/* Passes a word on; the first of both turns passes nothing on. */
static void pass_on(struct qemu_reader *r, const char *word)
{
	if (!r->is_early)
		words_add(&r->b->user.rest, word);
}

static size_t read_known(
    struct qemu_reader *r, const struct qemu_option *option, const char *word, const char *next)
{
	if (option->has_value && next == NULL) {
		if (!r->is_early)
			qemu_refuse_word(r, NULL, "its value is missing");
		return 1;
	}
	if (take(r, option, option->has_value ? next : NULL)) {
		pass_on(r, word);
		if (option->has_value)
			pass_on(r, next);
	}
	return option->has_value ? 2 : 1;
}

/* A word that follows an option that vmrun does not know is its value, unless it is an option. */
static size_t read_unknown(struct qemu_reader *r, const char *word, const char *next)
{
	bool has_value = next != NULL && *next != '-';

	if (!r->is_early)
		words_addf(&r->b->plan->notes,
		    "vmrun does not know qemu's option %s: passed on unchecked", word);
	pass_on(r, word);
	if (has_value)
		pass_on(r, next);
	return has_value ? 2 : 1;
}

/* Reads the option at index i of the words.  Returns the number of its words. */
static size_t read_option(struct qemu_reader *r, const struct words *words, size_t i)
{
	const char *word = words->item[i];
	const char *next = i + 1 < words->count ? words->item[i + 1] : NULL;
	const struct qemu_option *option = qemu_option_find(word);

	r->word = word;
	if (option != NULL)
		return read_known(r, option, word, next);
	if (*word == '-')
		return read_unknown(r, word, next);
	if (!r->is_early) /* qemu takes a word without an option for the path of a disk */
		(void)qemu_take_ide(r, NULL);
	pass_on(r, word);
	return 1;
}

/* Returns the place of the word with this index: extra_options, qemu.args, or NULL: after `--`. */
static const struct where *place_of(const struct spec *spec, size_t index)
{
	static const struct where extra = { NULL, "extra_options", 0 }, qemu = { NULL, "qemu", 0 },
				  args = { &qemu, "args", 0 };

	if (index < spec->extra_options.count)
		return &extra;
	return index < spec->extra_options.count + spec->qemu.args.count ? &args : NULL;
}

static void read_words(struct qemu_reader *r)
{
	const struct spec *spec = r->b->spec;
	WORDS_AUTO struct words words = { 0 };

	words_append(&words, &spec->extra_options);
	words_append(&words, &spec->qemu.args);
	if (r->b->request->extra != NULL)
		words_append(&words, r->b->request->extra);
	for (size_t i = 0; i < words.count;) {
		r->at = place_of(spec, i);
		i += read_option(r, &words, i);
	}
}

void qemu_read_user_machine(struct qemu_plan *b)
{
	static const struct where qemu = { NULL, "qemu", 0 }, machine = { &qemu, "machine", 0 };
	struct qemu_reader r = { .b = b, .is_early = true, .at = &machine, .word = "-machine" };

	/* qemu.machine is a part of vmrun's own -machine. */
	if (b->spec->qemu.machine != NULL)
		(void)qemu_take_machine(&r, b->spec->qemu.machine);
	read_words(&r);
}

void qemu_read_user(struct qemu_plan *b)
{
	struct qemu_reader r = { .b = b };

	read_words(&r);
}

bool qemu_words_use_stdio(const struct spec *spec, const struct words *extra)
{
	REPORT_AUTO struct report ignored = { 0 };
	struct plan plan = { 0 };
	struct plan_request request = { .spec = spec, .extra = extra, .dry = true };
	struct qemu_plan b = {
		.spec = spec, .plan = &plan, .report = &ignored, .request = &request
	};
	bool uses;

	qemu_read_user(&b);
	uses = b.user.uses_stdio;
	qemu_user_clear(&b.user);
	plan_clear(&plan);
	return uses;
}

void qemu_user_clear(struct qemu_user *user)
{
	words_free(&user->rest);
	free(user->accel);
	free(user->log_items);
	free(user->log_path);
	memset(user, 0, sizeof(*user));
}
