#include "../base/dice.h"
#include "text_cases.h"

#include <string.h>

#include "base/mem.h"
#include "base/report.h"
#include "base/str.h"
#include "base/words.h"
#include "shell/command_text.h"

static const struct text_origin origin = { "vm.sh", "/home/vm" };

static char *line_of(const struct words *w)
{
	return words_shell_line(w);
}

void compare(const char *what, const char *part, const char *got, const char *wanted)
{
	if (strcmp(got == NULL ? "(none)" : got, wanted == NULL ? "(none)" : wanted) != 0)
		fail_msg("%s: %s: got `%s`, wanted `%s`", what, part, got, wanted);
}

static char *joined(const struct words *w)
{
	struct str s = { 0 };

	for (size_t i = 0; i < w->count; i++)
		str_addf(&s, "%s%s", i > 0 ? "\n" : "", w->item[i]);
	return str_take(&s);
}

void check_found(const struct found_case *c)
{
	struct command_text found;
	REPORT_AUTO struct report report = { 0 };
	int rc = command_text_read(c->text, strlen(c->text), &origin, &found, &report);

	MEM_AUTO char *problems = report_text(&report);
	MEM_AUTO char *argv = line_of(&found.argv), *prefix = line_of(&found.prefix);
	MEM_AUTO char *loader = line_of(&found.loader), *notes = joined(&found.notes);

	if (rc != 0)
		fail_msg("%s: refused: %s", c->what, problems);
	compare(c->what, "report", problems, "");
	compare(c->what, "argv", argv, c->argv);
	assert_int_equal(found.line, c->line);
	compare(c->what, "prefix", prefix, c->prefix == NULL ? prefix : c->prefix);
	compare(c->what, "loader", loader, c->loader == NULL ? loader : c->loader);
	compare(c->what, "input", found.loader_input, c->input);
	if (c->note != NULL && (*c->note == '\0' ? *notes != '\0' : strstr(notes, c->note) == NULL))
		fail_msg("%s: notes `%s`, wanted `%s`", c->what, notes, c->note);
	command_text_free(&found);
}

void check_refused(const char *what, const char *text, size_t length, const char *const problem[3])
{
	struct command_text found;
	REPORT_AUTO struct report report = { 0 };
	int rc = command_text_read(text, length, &origin, &found, &report);

	MEM_AUTO char *problems = report_text(&report);
	size_t wanted = 0;

	if (rc != -1)
		fail_msg("%s: not refused", what);
	assert_int_equal(report.status, STATUS_SPEC);
	for (; wanted < 3 && problem[wanted] != NULL; wanted++) {
		if (strstr(problems, problem[wanted]) == NULL)
			fail_msg("%s: `%s`, wanted `%s`", what, problems, problem[wanted]);
	}
	if (report.count != wanted)
		fail_msg("%s: %zu problems: %s", what, report.count, problems);
	command_text_free(&found);
}

void check_all_found(const struct found_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_found(&cases[i]);
}

void check_all_refused(const struct refused_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_refused(
		    cases[i].what, cases[i].text, strlen(cases[i].text), cases[i].problem);
}
