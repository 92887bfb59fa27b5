/* The report of the checks of the host. */
#include "report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/mask.h"

#define MAX_COLUMNS 80	  /* of a line, unless one path or command is longer */
#define MIN_FIX_COLUMN 40 /* so that most reports have the same column */
#define INDENT 6	  /* of what continues a line */
#define MAX_TEXT 1024	  /* bytes of a subject, and of a problem */

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

/* Returns the columns of the first n bytes of a text in UTF-8. */
static size_t width_of(const char *text, size_t n)
{
	size_t width = 0;

	for (size_t i = 0; i < n; i++)
		width += str_is_continuation(text[i]) ? 0 : 1;
	return width;
}

/* Returns the text without control characters, and without its end if it is very long. */
static char *clean(const char *text)
{
	size_t n = strnlen(text, MAX_TEXT);
	char *copy;

	while (n > 0 && str_is_continuation(text[n])) /* never so at the end of the text */
		n--;
	copy = mem_copy_n(text, n);
	mask_control(copy, "", '?');
	return copy;
}

/* Prints a lead in one piece, and behind it a text, which is broken at blanks. */
static void print_wrapped(FILE *to, const char *lead, const char *text)
{
	MEM_AUTO char *first = clean(lead), *rest = clean(text);
	size_t column = width_of(first, strlen(first));

	(void)fprintf(to, "%s", first);
	for (const char *word = rest; *word != '\0';) {
		size_t n = strcspn(word, " "), width = width_of(word, n);

		if (column + 1 + width > MAX_COLUMNS) {
			(void)fprintf(to, "\n%*s", INDENT - 1, "");
			column = INDENT - 1;
		}
		(void)fprintf(to, " %.*s", (int)n, word);
		column += 1 + width;
		word += n + (word[n] == ' ' ? 1 : 0);
	}
}

/* Returns the columns of a problem in one line. */
static size_t problem_width(const struct vmrun_finding *f)
{
	MEM_AUTO char *what = clean(f->what), *problem = clean(f->problem);

	return strlen("    : ") + width_of(what, strlen(what)) + width_of(problem, strlen(problem));
}

static bool fits(size_t column, const char *fix)
{
	return column + strlen("fix: ") + width_of(fix, strlen(fix)) <= MAX_COLUMNS;
}

/* Returns the column of the fixes, which follows the longest problem whose fix fits behind it. */
static size_t fix_column(const struct vmrun *vm)
{
	const struct vmrun_finding *f;
	size_t column = MIN_FIX_COLUMN;

	for (size_t i = 0; (f = vmrun_finding(vm, i)) != NULL; i++) {
		size_t after = problem_width(f) + 2;

		if (f->fix != NULL && after > column && fits(after, f->fix))
			column = after;
	}
	return column;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static bool is_same_device(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_problem(const struct vmrun_finding *f)
{
	return !f->unchecked && !f->made && !f->warning;
}

static void print_head(const struct vmrun *vm, const char *target, FILE *to)
{
	size_t problems = 0, own = 0, devices = 0;
	const char *last = NULL;
	STR_AUTO struct str result = { 0 };
	const struct vmrun_finding *f;

	for (size_t i = 0; (f = vmrun_finding(vm, i)) != NULL; i++) {
		if (!is_problem(f))
			continue;
		problems++;
		own += f->id == NULL ? 1 : 0;
		devices += f->id != NULL && !is_same_device(f->id, last) ? 1 : 0;
		last = f->id;
	}
	if (problems == 0)
		str_add(&result, "no problems");
	else
		str_addf(&result, "%zu problem%s on ", problems, plural(problems));
	if (own > 0)
		str_addf(&result, "the VM itself%s", devices > 0 ? " and " : "");
	if (devices > 0)
		str_addf(&result, "%zu device%s", devices, plural(devices));
	MEM_AUTO char *head = mem_format("vmrun: %s (target %s) can%s start:", vmrun_name(vm),
	    target, problems == 0 ? "" : "not");
	size_t width = width_of(head, strlen(head)) + 1 + result.length;

	mask_control(head, "", '?');
	(void)fprintf(to, "%s%s%s\n", head, width <= MAX_COLUMNS ? " " : "\n  ", result.text);
}

static void print_device(const struct vmrun_finding *f, FILE *to)
{
	if (f->id == NULL)
		print_line(to, "  the VM itself");
	else
		print_line(to, "  %s at %s (%s)", f->device, f->slot, f->device_path);
}

/* Prints a problem, and its fix behind it, or on the next line if that would be too long. */
static void print_problem(const struct vmrun_finding *f, size_t column, FILE *to)
{
	MEM_AUTO char *what = clean(f->what);
	MEM_AUTO char *lead = mem_format("    %s:", what);
	size_t width = problem_width(f);
	bool behind = f->fix != NULL && width < column && fits(column, f->fix);

	print_wrapped(to, lead, f->problem);
	if (!behind)
		(void)fprintf(to, "\n");
	if (f->fix != NULL)
		print_line(to, "%*sfix: %s", behind ? (int)(column - width) : INDENT, "", f->fix);
}

static void print_problems(const struct vmrun *vm, FILE *to)
{
	size_t column = fix_column(vm);
	const char *last = "";
	const struct vmrun_finding *f;

	for (size_t i = 0; (f = vmrun_finding(vm, i)) != NULL; i++) {
		if (f->unchecked || f->warning)
			continue;
		if (!is_same_device(f->id, last))
			print_device(f, to);
		last = f->id;
		print_problem(f, column, to);
	}
}

/* Returns whether no finding before this index has the same fix. */
static bool is_first_fix(const struct vmrun *vm, size_t upto, const char *fix)
{
	const struct vmrun_finding *f;

	for (size_t i = 0; i < upto && (f = vmrun_finding(vm, i)) != NULL; i++) {
		if (f->fix != NULL && strcmp(f->fix, fix) == 0)
			return false;
	}
	return true;
}

/* Prints what refuses no start: warnings, and what could not be checked. */
static void print_remark(const struct vmrun_finding *f, FILE *to)
{
	MEM_AUTO char *what = clean(f->what);
	MEM_AUTO char *lead =
	    f->warning ? mem_format("  warning: %s:", what) : mem_copy("  not checked:");

	print_wrapped(to, lead, f->problem);
	(void)fprintf(to, "\n");
}

void report_print(const struct vmrun *vm, const char *target, FILE *to)
{
	const struct vmrun_finding *f;

	print_head(vm, target, to);
	print_problems(vm, to);
	for (size_t i = 0; (f = vmrun_finding(vm, i)) != NULL; i++) {
		if (f->warning || f->unchecked)
			print_remark(f, to);
	}
}

void report_print_planned(const struct vmrun *vm, FILE *to)
{
	const struct vmrun_finding *f;

	for (size_t i = 0; (f = vmrun_finding(vm, i)) != NULL; i++) {
		if (f->will_fix && is_first_fix(vm, i, f->fix))
			print_line(to, "  a run would fix this: %s", f->fix);
	}
}

void report_to_sink(
    const struct vmrun *vm, const struct vmrun_event *checked, struct renderer *renderer)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);

	if (memory == NULL)
		return;
	report_print(vm, checked->target, memory);
	renderer->sink.time_ms = checked->time_ms;
	if (fclose(memory) == 0)
		render_report(renderer, text);
	renderer->sink.time_ms = 0;
	free(text);
}

size_t report_count_fixes(const struct vmrun *vm)
{
	const struct vmrun_finding *f;
	size_t n = 0;

	for (size_t i = 0; (f = vmrun_finding(vm, i)) != NULL; i++)
		n += f->fix != NULL && !f->advice && (!f->forced || f->will_fix) &&
			is_first_fix(vm, i, f->fix)
		    ? 1
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
