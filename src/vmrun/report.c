/* The report of the checks of the host. */
#include "report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/mask.h"

#define MIN_FIX_COLUMN 53 /* so that most reports have the same column */
#define MAX_FIX_COLUMN 80 /* after a longer problem the fix follows directly */
#define MAX_TEXT 1024	  /* bytes of a problem, with its NUL */

/* Prints a line, without the control characters of a path, which could steer the terminal. */
static void print_line(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void print_line(FILE *to, const char *fmt, ...)
{
	MEM_AUTO char *line = NULL;
	va_list ap;

	va_start(ap, fmt);
	line = mem_vformat(fmt, ap);
	va_end(ap);
	mask_control(line, "", '?');
	(void)fprintf(to, "%s\n", line);
}

/*
 * Formats a problem, with its control characters masked, because their bytes count for the column
 * of the fix.
 */
static void problem_text(const struct vmrun_finding *f, char text[MAX_TEXT])
{
	(void)snprintf(text, MAX_TEXT, "    %s: %s", f->what, f->problem);
	mask_control(text, "", '?');
}

/* Returns the column of the fixes, which follows the longest problem that has a fix. */
static int fix_column(const struct vmrun *vm)
{
	struct vmrun_finding f;
	size_t column = MIN_FIX_COLUMN;

	for (size_t i = 0; vmrun_finding(vm, i, &f); i++) {
		char text[MAX_TEXT];

		problem_text(&f, text);
		if (f.fix != NULL && strlen(text) + 2 > column &&
		    strlen(text) + 2 <= MAX_FIX_COLUMN)
			column = strlen(text) + 2;
	}
	return (int)column;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static bool is_same_device(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void print_head(const struct vmrun *vm, const char *target, FILE *to)
{
	size_t problems = 0, own = 0, devices = 0;
	const char *last = NULL;
	struct vmrun_finding f;

	for (size_t i = 0; vmrun_finding(vm, i, &f); i++) {
		if (f.unchecked)
			continue;
		problems++;
		own += f.id == NULL ? 1 : 0;
		devices += f.id != NULL && !is_same_device(f.id, last) ? 1 : 0;
		last = f.id;
	}
	(void)fprintf(to, "vmrun: %s (target %s) ", vmrun_name(vm), target);
	if (problems == 0) {
		(void)fprintf(to, "can start: no problems\n");
		return;
	}
	(void)fprintf(to, "cannot start: %zu problem%s on ", problems, plural(problems));
	if (own > 0)
		(void)fprintf(to, "the VM itself%s", devices > 0 ? " and " : "");
	if (devices > 0)
		(void)fprintf(to, "%zu device%s", devices, plural(devices));
	(void)fprintf(to, "\n");
}

static void print_device(const struct vmrun_finding *f, FILE *to)
{
	if (f->id == NULL)
		print_line(to, "  the VM itself");
	else
		print_line(to, "  %s at %s (%s)", f->device, f->slot, f->device_path);
}

static void print_problems(const struct vmrun *vm, FILE *to)
{
	int column = fix_column(vm);
	const char *last = "";
	struct vmrun_finding f;

	for (size_t i = 0; vmrun_finding(vm, i, &f); i++) {
		char text[MAX_TEXT];

		if (f.unchecked)
			continue;
		if (!is_same_device(f.id, last))
			print_device(&f, to);
		last = f.id;
		problem_text(&f, text);
		if (f.fix == NULL)
			print_line(to, "%s", text);
		else
			print_line(to, "%-*s  fix: %s", column - 2, text, f.fix);
	}
}

/* Returns whether no finding before this index has the same fix. */
static bool is_first_fix(const struct vmrun *vm, size_t upto, const char *fix)
{
	struct vmrun_finding f;

	for (size_t i = 0; i < upto && vmrun_finding(vm, i, &f); i++) {
		if (f.fix != NULL && strcmp(f.fix, fix) == 0)
			return false;
	}
	return true;
}

void report_print(const struct vmrun *vm, const char *target, FILE *to)
{
	struct vmrun_finding f;

	print_head(vm, target, to);
	print_problems(vm, to);
	for (size_t i = 0; vmrun_finding(vm, i, &f); i++) {
		if (f.unchecked)
			print_line(to, "  not checked: %s", f.problem);
	}
}

void report_print_planned(const struct vmrun *vm, FILE *to)
{
	struct vmrun_finding f;

	for (size_t i = 0; vmrun_finding(vm, i, &f); i++) {
		if (f.will_fix && is_first_fix(vm, i, f.fix))
			print_line(to, "  a run would fix this: %s", f.fix);
	}
}

void report_to_sink(const struct vmrun *vm, const char *target, struct renderer *renderer)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);

	if (memory == NULL)
		return;
	report_print(vm, target, memory);
	if (fclose(memory) == 0)
		render_report(renderer, text);
	free(text);
}

size_t report_count_fixes(const struct vmrun *vm)
{
	struct vmrun_finding f;
	size_t n = 0;

	for (size_t i = 0; vmrun_finding(vm, i, &f); i++)
		n += f.fix != NULL && (!f.forced || f.will_fix) && is_first_fix(vm, i, f.fix) ? 1
											      : 0;
	return n;
}

void report_ask(struct question *q, size_t fixes, struct renderer *renderer)
{
	char text[64];

	(void)snprintf(
	    text, sizeof(text), "Apply %zu fix%s? [y/N] ", fixes, fixes == 1 ? "" : "es");
	memset(q, 0, sizeof(*q));
	q->is_open = true;
	if (sink_has_status_line(&renderer->sink))
		status_line_set(&renderer->sink.status_line, text, false);
	else
		sink_text(&renderer->sink, text);
}

bool report_read_answer(struct question *q, bool *yes, struct renderer *renderer)
{
	char byte;

	/* One byte, because input after the newline is for the guest. */
	if (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n' &&
	    q->length + 1 < sizeof(q->answer)) {
		q->answer[q->length++] = byte;
		return false;
	}
	*yes = strcmp(q->answer, "y") == 0 || strcmp(q->answer, "Y") == 0 ||
	    strcmp(q->answer, "yes") == 0;
	q->is_open = false;
	status_line_forget(&renderer->sink.status_line);
	return true;
}

void report_close_question(struct question *q, struct renderer *renderer)
{
	if (!q->is_open)
		return;
	q->is_open = false;
	if (sink_has_status_line(&renderer->sink))
		status_line_end(&renderer->sink.status_line);
	else
		sink_text(&renderer->sink, "\n");
}
