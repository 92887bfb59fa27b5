/* Recognises the files of other programs by their lines. */
#include "config/foreign.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/str.h"
#include "platform/find.h"

/* What the lines of a text have. */
struct traits {
	bool has_bhyve_variable; /* pci.0.3.0.device=..., memory.size=... */
	bool has_numbered;	 /* disk0_type=..., network0_switch=..., as vm-bhyve has them */
	bool has_memory, has_cpu, has_loader, has_name;
	bool has_section;	/* "emulations {", as UCL has it, or an ".include" */
	bool has_return;	/* of a Lua chunk */
	bool has_bhyve_command; /* a line that runs bhyve or a loader */
};

static size_t word_length(const char *line, const char *end)
{
	size_t n = 0;

	while (line + n < end && line[n] != ' ' && line[n] != '\t')
		n++;
	return n;
}

/* Returns whether a word is one of a list, which ends with NULL. */
static bool is_one_of(const char *word, size_t n, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (strlen(*list) == n && memcmp(word, *list, n) == 0)
			return true;
	}
	return false;
}

static const char *skip_blanks(const char *line, const char *end)
{
	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	return line;
}

/* Returns the name of a program without its directories. */
static const char *base_name(const char *word, size_t n)
{
	const char *name = word;

	for (const char *p = word; p < word + n; p++) {
		if (*p == '/')
			name = p + 1;
	}
	return name;
}

/* Returns whether the line, whose blanks in front are skipped, is a comment or in a string. */
static bool is_comment(const char *line, const char *end)
{
	return line < end &&
	    (strchr("#;*\"'", *line) != NULL ||
		(end - line > 1 &&
		    (memcmp(line, "--", 2) == 0 || memcmp(line, "//", 2) == 0 ||
			memcmp(line, "/*", 2) == 0)));
}

/*
 * Returns whether a line runs bhyve, whatever stands before it: "sudo /usr/sbin/bhyve -c 2 vm",
 * "if ! bhyve -A vm", and the recipe of a Makefile.  Its options may begin on the next line.
 */
static bool runs_bhyve(const char *line, const char *end)
{
	static const char *const programs[] = { "bhyve", "bhyveload", "grub-bhyve", NULL };

	while (line < end) {
		size_t n = word_length(line, end);
		const char *name = base_name(line, n), *next = skip_blanks(line + n, end);

		if (name == line && *name == '@')
			name++;
		if (is_one_of(name, n - (size_t)(name - line), programs) && next < end &&
		    (*next == '-' || *next == '\\'))
			return true;
		line = next;
	}
	return false;
}

/* Returns whether a key is "disk0_type" or "network1_switch". */
static bool is_numbered(const char *key)
{
	const char *number = str_after(key, "disk");

	if (number == NULL)
		number = str_after(key, "network");
	return number != NULL && isdigit((unsigned char)*number) != 0 &&
	    number[strspn(number, "0123456789")] == '_';
}

/* Returns whether a variable is one of bhyve_config(5), "pci.0.3.0.device". */
static bool is_bhyve_variable(const char *key)
{
	static const char *const groups[] = { "pci.", "lpc.", "memory.", "x86.", "rtc.", "tpm.",
		"acpi_tables" };

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (str_after(key, groups[i]) != NULL)
			return true;
	}
	return false;
}

/* Returns whether a line begins with a word. */
static bool starts_with_word(const char *line, const char *end, const char *word)
{
	return word_length(line, end) == strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

/*
 * Returns whether a line opens a section of UCL, "emulations {" or "x: {", or includes a file. That
 * of a shell, "stop() {" or "${x}", is none.
 */
static bool is_section(const char *line, const char *end)
{
	const char *open = memchr(line, '{', (size_t)(end - line));

	if (end - line > 8 && (memcmp(line, ".include", 8) == 0))
		return true;
	if (open == NULL || open == line || open[-1] == '$')
		return false;
	while (open > line && strchr(" \t:=", open[-1]) != NULL)
		open--;
	return open > line && (isalnum((unsigned char)open[-1]) || strchr("_\"", open[-1]) != NULL);
}

/* Notes what a line has; a "key=value" of these programs has no blank before the "=". */
static void look_at(const char *line, const char *end, struct traits *t)
{
	static const char *const memory[] = { "memory", NULL }, *const cpu[] = { "cpu", NULL };
	static const char *const loader[] = { "loader", NULL }, *const name[] = { "name", NULL };
	size_t n = 0;

	t->has_return = t->has_return || starts_with_word(line, end, "return");
	line = skip_blanks(line, end);
	if (is_comment(line, end))
		return;
	t->has_section = t->has_section || is_section(line, end);
	t->has_bhyve_command = t->has_bhyve_command || runs_bhyve(line, end);
	while (line + n < end && (isalnum((unsigned char)line[n]) || strchr("._", line[n]) != NULL))
		n++;
	if (line + n >= end || line[n] != '=')
		return;
	t->has_bhyve_variable = t->has_bhyve_variable || is_bhyve_variable(line);
	t->has_numbered = t->has_numbered || is_numbered(line);
	t->has_memory = t->has_memory || is_one_of(line, n, memory);
	t->has_cpu = t->has_cpu || is_one_of(line, n, cpu);
	t->has_loader = t->has_loader || is_one_of(line, n, loader);
	t->has_name = t->has_name || is_one_of(line, n, name);
}

/* Returns whether the first line names a shell. */
static bool is_shell_script(const char *text, size_t length)
{
	const char *end = memchr(text, '\n', length);
	size_t n = end == NULL ? length : (size_t)(end - text);

	while (n > 0 && (text[n - 1] == '\r' || text[n - 1] == ' '))
		n--;
	return n > 4 && memcmp(text, "#!", 2) == 0 &&
	    (find_text(text, n, "sh -") != NULL || memcmp(text + n - 2, "sh", 2) == 0);
}

const char *foreign_kind(const char *text, size_t length)
{
	struct traits t = { 0 };

	size_t blanks = strspn(text, " \t\r\n");

	if (text[blanks] == '{' || text[blanks] == '[')
		return NULL; /* JSON, which may be long */
	if (is_shell_script(text, length))
		return FOREIGN_SCRIPT;
	for (const char *line = text; line < text + length;) {
		const char *end = memchr(line, '\n', (size_t)(text + length - line));

		if (end == NULL)
			end = text + length;
		look_at(line, end, &t);
		line = end + 1;
	}
	if (t.has_return)
		return NULL; /* Lua */
	if (t.has_bhyve_command)
		return FOREIGN_COMMAND;
	if (t.has_section)
		return NULL; /* UCL */
	if (t.has_bhyve_variable)
		return FOREIGN_BHYVE_CONFIG;
	if (!t.has_name && (t.has_numbered || (t.has_memory && (t.has_cpu || t.has_loader))))
		return FOREIGN_VM_BHYVE;
	return NULL;
}
