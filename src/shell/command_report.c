/* Tells what is wrong with what the search for a bhyve command has found. */
#include "shell/command_finder.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

#define MAX_NOTES 100

void finder_fail(struct finder *f, size_t line, const char *what)
{
	if (!f->has_failed)
		report_add(f->report, STATUS_SPEC, NULL, "%s:%zu: %s", f->name, line, what);
	f->has_failed = true;
}

void finder_note(struct finder *f, size_t line, const char *text)
{
	MEM_AUTO char *whole = mem_format("%s:%zu: %s", f->name, line, text);

	if (f->out->notes.count < MAX_NOTES && !words_have(&f->out->notes, whole))
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

void finder_note_program(struct finder *f, const struct words *w, const struct shell_basis *basis)
{
	bool has_option = false;

	for (size_t i = 0; i < w->count; i++)
		has_option = has_option || *w->item[i] == '-';
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
	else
		report_add(f->report, STATUS_SPEC, NULL,
		    "%s: no bhyve command found: expected one with its options and the name of the "
		    "VM, \"bhyve -c 2 -m 1G -s ... NAME\", alone or in a shell script",
		    f->name);
}

static void report_other(struct finder *f)
{
	const char *file = strcmp(f->name, "<stdin>") == 0 ? "FILE" : f->name;
	STR_AUTO struct str quoted = { 0 };

	str_add_quoted(&quoted, file);
	report_add(f->report, STATUS_SPEC, NULL,
	    "%s:%zu: a second bhyve command, which differs from that of line %zu: pass the wanted "
	    "one "
	    "alone: sed -n %zu,%zup %s | vmrun --import -",
	    f->name, f->other_line, f->out->line, f->out->line, f->last_line, quoted.text);
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
			report_add(f->report, STATUS_SPEC, NULL, "%s", f->basis.problem.item[i]);
		}
	}
	for (size_t i = 0; i < f->basis.note.count; i++) {
		if (!words_have(&f->out->notes, f->basis.note.item[i]))
			words_add(&f->out->notes, f->basis.note.item[i]);
	}
	return f->basis.problem.count > 0 ? -1 : 0;
}
