/* Tells what is wrong with what the search for a bhyve command has found. */
#include "shell/command_finder.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "platform/find.h"
#include "shell/shell_assign.h"
#include "shell/shell_expand.h"

#define MAX_NOTES 100
#define MAX_AROUND 100
#define TAP_ADVICE                                                                             \
	"; any name such as tap0 will do if the spec then has \"bridge\": \"bridge0\" in the " \
	"place of \"name\": vmrun makes a tap for each run then"

void finder_fail(struct finder *f, size_t line, const char *what)
{
	if (!f->has_failed)
		report_add(f->report, STATUS_SPEC, NULL, "%s:%zu: %s", f->name, line, what);
	f->has_failed = true;
}

void finder_note(struct finder *f, size_t line, const char *text)
{
	MEM_AUTO char *whole = mem_format("%s:%zu: %s", f->name, line, text);

	if (f->out->notes.count > MAX_NOTES || words_have(&f->out->notes, whole))
		return;
	if (f->out->notes.count == MAX_NOTES)
		words_addf(&f->out->notes, "%s: further notes are left out", f->name);
	else
		words_add(&f->out->notes, whole);
}

void finder_add_basis(struct shell_basis *basis, const struct shell_basis *more)
{
	if (more == NULL)
		return;
	words_append(&basis->missing, &more->missing);
	words_append(&basis->problem, &more->problem);
	words_append(&basis->note, &more->note);
}

/* Returns whether a text has "bhyve" in letters of any case. */
static bool names_bhyve(const char *text)
{
	for (; *text != '\0'; text++) {
		if (strncasecmp(text, "bhyve", 5) == 0)
			return true;
	}
	return false;
}

void finder_note_program(
    struct finder *f, const struct words *w, const struct shell_basis *basis, size_t line)
{
	bool has_option = false, has_bhyve = false, has_script = false, has_dash = false;

	for (size_t i = 0; i < w->count; i++) {
		has_option = has_option || *w->item[i] == '-';
		has_bhyve = has_bhyve || command_is_program(w->item[i], "bhyve");
		has_script = has_script || command_is_program(w->item[i], "vmrun.sh");
		has_dash = has_dash || (has_bhyve && command_has_dash(w->item[i]));
	}
	if (has_dash && f->dash_line == 0)
		f->dash_line = line;
	if (has_script && has_option && f->script_line == 0)
		f->script_line = line;
	for (size_t i = 0; has_option && i < basis->missing.count; i++) {
		if (names_bhyve(basis->missing.item[i]) && f->program_problem.count < MAX_NOTES &&
		    !words_have(&f->program_problem, basis->problem.item[i]))
			words_add(&f->program_problem, basis->problem.item[i]);
	}
}

static void report_none(struct finder *f)
{
	for (size_t i = 0; i < f->program_problem.count; i++)
		report_add(f->report, STATUS_SPEC, NULL, "%s", f->program_problem.item[i]);
	if (f->program_problem.count > 0)
		return;
	if (f->title_line > 0)
		finder_fail(f, f->title_line,
		    "this is the title that bhyve gives its process, which hides its command from "
		    "ps "
		    "and procstat: pass the script that starts the VM, or the line of a sudo or "
		    "daemon that runs it");
	else if (f->dash_line > 0)
		report_add(f->report, STATUS_SPEC, NULL,
		    "%s:%zu: options begin with a typeset dash, as pages have them: write \"-\" in "
		    "the place of each",
		    f->name, f->dash_line);
	else if (f->script_line > 0)
		report_add(f->report, STATUS_SPEC, NULL,
		    "%s:%zu: this runs FreeBSD's script vmrun.sh, which makes the bhyve command: "
		    "start the VM once with \"sh -x vmrun.sh ... 2>trace\", power it off, and run "
		    "\"vmrun --import trace\" in the same directory",
		    f->name, f->script_line);
	else
		report_add(f->report, STATUS_SPEC, NULL,
		    "%s: no bhyve command found: expected one with its options and the name of the "
		    "VM, \"bhyve -c 2 -m 1G -s ... NAME\", alone or in a shell script",
		    f->name);
	f->is_none = f->title_line == 0 && f->dash_line == 0 && f->script_line == 0;
}

/* Adds "12" or "12-20". */
static void add_lines(struct str *s, size_t first, size_t last)
{
	str_addf(s, "%zu", first);
	if (last > first)
		str_addf(s, "-%zu", last);
}

/*
 * A part of the text alone would lose its variables, and a text from another directory its relative
 * paths.
 */
static void report_other(struct finder *f)
{
	STR_AUTO struct str lines = { 0 };

	if (f->other_line > f->out->last_line) {
		str_add(&lines, " (lines ");
		add_lines(&lines, f->out->line, f->out->last_line);
		str_add(&lines, " or ");
		add_lines(&lines, f->other_line, f->other_last_line);
		str_add(&lines, ")");
	}
	report_add(f->report, STATUS_SPEC, NULL,
	    "%s:%zu: a second bhyve command, which differs from that of line %zu: import a copy of "
	    "the text, in the same directory, without the command that does not apply%s",
	    f->name, f->other_line, f->out->line, lines.text == NULL ? "" : lines.text);
}

/* Returns whether a value is what a command prints that makes a tap: "$(ifconfig tap create)". */
static bool makes_tap(const char *value)
{
	const char *tap = strstr(value, "ifconfig tap");

	return tap != NULL && strstr(tap, "create") != NULL;
}

int finder_judge(struct finder *f)
{
	if (f->has_failed)
		return -1;
	if (f->out->argv.count == 0) {
		report_none(f);
		return -1;
	}
	if (f->other_line > 0) {
		report_other(f);
		return -1;
	}
	finder_add_basis(&f->basis, &f->loader_basis);
	for (size_t i = 0; i < f->basis.problem.count; i++) {
		if (!words_have(&f->program_problem, f->basis.problem.item[i])) {
			words_add(&f->program_problem, f->basis.problem.item[i]);
			report_add(f->report, STATUS_SPEC, NULL, "%s%s", f->basis.problem.item[i],
			    makes_tap(f->basis.missing.item[i]) ? TAP_ADVICE : "");
		}
	}
	for (size_t i = 0; i < f->basis.note.count; i++) {
		if (!words_have(&f->out->notes, f->basis.note.item[i]))
			words_add(&f->out->notes, f->basis.note.item[i]);
	}
	finder_tell_around(f);
	return f->basis.problem.count > 0 ? -1 : 0;
}

/* Adds a NUL byte to the report, or returns false. */
static bool refuse_nul(const char *text, size_t length, const char *name, struct report *report)
{
	const char *nul = memchr(text, '\0', length);
	size_t line = 1;

	if (nul == NULL)
		return false;
	for (const char *p = text; p < nul; p++)
		line += *p == '\n' ? 1 : 0;
	report_add(report, STATUS_SPEC, NULL, "%s:%zu: a NUL byte: expected a text", name, line);
	return true;
}

/* Returns whether a word of n bytes is the path of a program. */
static bool is_program(const char *word, size_t n, const char *name)
{
	size_t length = strlen(name);

	return n >= length && memcmp(word + n - length, name, length) == 0 &&
	    (n == length || word[n - length - 1] == '/');
}

/* Adds a script of a shell that is not like sh to the report, or returns false. */
static bool refuse_shell(const char *text, size_t length, const char *name, struct report *report)
{
	static const char *const shells[] = { "csh", "tcsh", "fish" };
	const char *end = memchr(text, '\n', length), *word;

	end = end == NULL ? text + length : end;
	if (end - text < 2 || memcmp(text, "#!", 2) != 0)
		return false;
	for (word = text + 2; word < end;) {
		size_t n = 0;

		while (word + n < end && strchr(" \t\r", word[n]) == NULL)
			n++;
		for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
			if (is_program(word, n, shells[i])) {
				report_add(report, STATUS_SPEC, NULL,
				    "%s:1: a script of %s: expected one of sh: write it as sh has "
				    "it, with NAME=VALUE in place of \"set\" and \"setenv\", or "
				    "pass "
				    "the bhyve command alone",
				    name, shells[i]);
				return true;
			}
		}
		word += n + 1;
	}
	return false;
}

bool finder_refuse(const char *text, size_t length, const char *name, struct report *report)
{
	return refuse_nul(text, length, name, report) || refuse_shell(text, length, name, report);
}

/* Returns whether a line without its blanks has a bhyve command, and no prose that names it. */
static bool has_command(const char *line, size_t n)
{
	const char *bhyve = find_text(line, n, "bhyve -"), *options;
	bool is_comment = n > 0 && *line == '#';

	if (bhyve == NULL || (bhyve > line && strchr("#/ \t\"'`(;&|", bhyve[-1]) == NULL))
		return false;
	if (!is_comment && find_text(line, (size_t)(bhyve - line), " #") != NULL)
		return false;
	options = bhyve + strlen("bhyve -");
	/* Prose may go on behind one option. */
	return find_text(options, n - (size_t)(options - line), is_comment ? " " : " -") != NULL;
}

void finder_report_unrun(const char *text, size_t length, const char *name, struct report *report)
{
	const char *end = text + length, *behind;
	size_t number = 1;

	for (const char *line = text; line < end; line = behind + 1, number++) {
		behind = memchr(line, '\n', (size_t)(end - line));
		behind = behind == NULL ? end : behind;
		while (line < behind && strchr(" \t", *line) != NULL)
			line++;
		if (!has_command(line, (size_t)(behind - line)))
			continue;
		report_add(report, STATUS_SPEC, NULL, "%s:%zu: %s", name, number,
		    *line == '#'
			? "a comment has a bhyve command: remove its \"#\" to import it"
			: "a bhyve command that the text itself does not run: it prints it, "
			  "gives it to another program, or never comes to it: import this "
			  "command alone");
		return;
	}
}

/* --- commands around bhyve that a spec has keys for: of a bridge, of swtpm --- */

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

void finder_note_files(struct finder *f, const struct place *p)
{
	for (size_t i = 0; i < p->command->redirects && f->out->argv.count == 0; i++) {
		const struct shell_redirect *r = &p->script->redirect[p->command->redirect + i];
		SHELL_BASIS_AUTO struct shell_basis basis = { 0 };
		MEM_AUTO char *path =
		    r->kind != SHELL_OUT ? NULL : shell_expand_one(&f->values, &r->target, &basis);

		if (path == NULL || basis.missing.count > 0 || strncmp(path, "/dev/", 5) == 0)
			continue;
		MEM_AUTO char *note = mem_format(
		    "%s:%zu: this line writes %s, and vmrun does not: run the line before the "
		    "import, "
		    "and keep the file, or write it in a hook on_start%s",
		    f->name, r->target.line, path,
		    strstr(path, "map") == NULL ? ""
						: "; without \"device_map\" vmrun makes the map "
						  "of grub-bhyve from the disks");

		keep(f, path, note);
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

static bool uses(const struct words *words, const char *piece)
{
	for (size_t i = 0; i < words->count; i++) {
		if (has_piece(words->item[i], piece))
			return true;
	}
	return false;
}

void finder_tell_around(struct finder *f)
{
	for (size_t i = 0; i < f->around_word.count; i++) {
		const char *word = f->around_word.item[i];

		if (uses(&f->out->argv, word) || uses(&f->out->loader, word))
			shell_add_once(&f->out->notes, f->around_note.item[i]);
	}
}

/* --- aliases --- */

static bool is_alias(const char *alias, const char *name, size_t n)
{
	return strncmp(alias, name, n) == 0 && alias[n] == '=';
}

/* Forgets those that "unalias" names. */
static void forget_aliases(struct finder *f, const struct words *w)
{
	for (size_t i = 1; i < w->count; i++) {
		if (strcmp(w->item[i], "-a") == 0)
			words_free(&f->alias);
		for (size_t k = 0; k < f->alias.count; k++) {
			/* A name that no command has. */
			if (is_alias(f->alias.item[k], w->item[i], strlen(w->item[i])))
				*f->alias.item[k] = '=';
		}
	}
}

/* Returns whether the program bhyve is one of the words for which an alias stands. */
static bool runs_bhyve(const char *value)
{
	while (*value != '\0') {
		size_t n = strcspn(value, " \t\n;&|()");
		MEM_AUTO char *word = mem_copy_n(value, n);

		if (command_is_program(word, "bhyve"))
			return true;
		value += n + (value[n] != '\0' ? 1 : 0);
	}
	return false;
}

void finder_note_alias(struct finder *f, const struct words *w)
{
	if (w->count > 1 && strcmp(w->item[0], "unalias") == 0)
		forget_aliases(f, w);
	if (w->count < 2 || strcmp(w->item[0], "alias") != 0)
		return;
	for (size_t i = 1; i < w->count; i++) {
		if (strchr(w->item[i], '=') != NULL && f->alias.count < MAX_AROUND)
			words_add(&f->alias, w->item[i]);
	}
}

void finder_check_alias(struct finder *f, const struct place *p)
{
	const struct shell_word *word = p->run.word, *end = word + p->run.words;

	if (f->out->argv.count > 0)
		return;
	while (f->alias.count > 0 && word < end && shell_assignment(word) > 0)
		word++;
	for (size_t i = f->alias.count; i > 0 && word < end; i--) {
		const char *alias = f->alias.item[i - 1];
		size_t n = strcspn(alias, "=");

		if (!is_alias(alias, word->text, word->length))
			continue;
		if (n == 5 && memcmp(alias, "bhyve", n) == 0 &&
		    command_is_program(alias + n + 1, "bhyve"))
			return; /* alias bhyve=/usr/sbin/bhyve */
		MEM_AUTO char *text = mem_format("\"%.*s\" is an alias of this text, and the "
						 "import does not read aliases: write "
						 "the words that it stands for in its place",
		    (int)(n < MAX_SHELL_SHOWN ? n : MAX_SHELL_SHOWN), alias);

		if (runs_bhyve(alias + n + 1))
			finder_fail(f, word->line, text);
		else
			finder_note(f, word->line, text);
		return;
	}
}
