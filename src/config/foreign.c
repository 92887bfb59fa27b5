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
	/* A line that a shell would run, but that could be text in a spec: "bhyve $ARGS vm". */
	bool has_shell_command;
	bool has_lua_return; /* "return {" anywhere */
	bool has_long_value; /* "key = <<EOD" of UCL, whose lines are text */
	bool has_block;	     /* a comment of UCL that may have several lines */
	/* The variable that is the program: of "B=/usr/sbin/bhyve", for "$B -m 1G". */
	const char *variable;
	size_t variable_length;
	bool has_prompt;   /* "# bhyve -m 1G": root's prompt, or a comment */
	bool has_other;	   /* a line that is neither a comment nor continues one */
	bool is_continued; /* the line before ends with a backslash */
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

/* Returns whether a word is one that a shell may have before a program. */
static bool is_before_program(const char *word, size_t n)
{
	static const char *const words[] = { "sudo", "doas", "exec", "nohup", "nice", "env", "time",
		"command", "daemon", "if", "!", "then", "else", "do", "while", "until", "{", "(",
		"$", "&&", "||", ";", NULL };
	bool is_number = true;

	for (size_t i = 0; i < n; i++)
		is_number = is_number && isdigit((unsigned char)word[i]) != 0;
	return is_number || *word == '-' || is_one_of(word, n, words) ||
	    (isalpha((unsigned char)*word) != 0 && memchr(word, '=', n) != NULL);
}

/* Returns the program that a line of a shell runs; `end`: there is none. */
static const char *program_of(const char *line, const char *end)
{
	while (line < end && is_before_program(line, word_length(line, end)))
		line = skip_blanks(line + word_length(line, end), end);
	return line + (line < end && (*line == '@' || *line == '(') ? 1 : 0);
}

/* Returns whether a word is the variable, "$B", "${B}" or "\"$B\"". */
static bool is_variable(const char *word, size_t n, const struct traits *t)
{
	const char *name = word, *end = word + n;

	while (name < end && strchr("\"${", *name) != NULL)
		name++;
	while (end > name && strchr("\"}", end[-1]) != NULL)
		end--;
	return t->variable != NULL && name > word && memchr(word, '$', n) != NULL &&
	    (size_t)(end - name) == t->variable_length &&
	    memcmp(name, t->variable, t->variable_length) == 0;
}

/* Notes a variable whose value is bhyve: "BHYVE=/usr/sbin/bhyve". */
static void note_variable(const char *line, const char *end, struct traits *t)
{
	size_t n = word_length(line, end), name = 0, quotes;
	const char *value, *program;

	while (name < n && (isalnum((unsigned char)line[name]) || line[name] == '_'))
		name++;
	if (name == 0 || name == n || line[name] != '=')
		return;
	value = line + name + 1;
	n -= name + 1;
	quotes = n > 1 && strchr("\"'", *value) != NULL && value[n - 1] == *value ? 1 : 0;
	value += quotes;
	n -= 2 * quotes;
	program = base_name(value, n);
	if (n - (size_t)(program - value) != 5 || memcmp(program, "bhyve", 5) != 0)
		return;
	t->variable = line;
	t->variable_length = name;
}

/* Returns whether a command runs bhyve by variables: "bhyve $ARGS vm", "$BHYVE -m 1G vm". */
static bool runs_by_variables(const char *command, const char *end, const struct traits *t)
{
	const char *word = program_of(command, end);
	size_t n = word_length(word, end);
	const char *next = skip_blanks(word + n, end), *name = base_name(word, n);
	bool is_bhyve = n - (size_t)(name - word) == 5 && memcmp(name, "bhyve", 5) == 0;
	bool has_variable =
	    next < end && (*next == '$' || (end - next > 1 && memcmp(next, "\"$", 2) == 0));

	if (is_bhyve)
		return has_variable;
	return is_variable(word, n, t) && next < end &&
	    (has_variable || *next == '-' || *next == '\\');
}

/* Returns whether a line begins with a key of UCL: "key =", "key=", "key:", "key \"". */
static bool begins_with_key(const char *line, const char *end)
{
	static const char *const programs[] = { "eval", NULL };
	size_t n = 0;
	const char *next;

	while (
	    line + n < end && (isalnum((unsigned char)line[n]) || strchr("._-", line[n]) != NULL))
		n++;
	next = skip_blanks(line + n, end);
	return n > 0 && next < end &&
	    (strchr("=:", *next) != NULL ||
		(next > line + n && strchr("\"'", *next) != NULL && !is_one_of(line, n, programs)));
}

/* Returns the end of a word, which may have blanks in quotes if `is_quoted`. */
static size_t piece_length(const char *word, const char *end, bool is_quoted)
{
	size_t n = 0;
	char quote = '\0';

	if (!is_quoted)
		return word_length(word, end);
	for (; word + n < end && (quote != '\0' || (word[n] != ' ' && word[n] != '\t')); n++) {
		if (word[n] == '\\' && word + n + 1 < end)
			n++;
		else if (word[n] == quote)
			quote = '\0';
		else if (quote == '\0' && strchr("\"'", word[n]) != NULL)
			quote = word[n];
	}
	return n;
}

/*
 * Returns the command behind the next ";", "&&" or "||" of a line; NULL: there is none.
 * `is_quoted`: those in quotes are text.
 */
static const char *next_command(const char *command, const char *end, bool is_quoted)
{
	static const char *const operators[] = { "&&", "||", ";", NULL };
	static const char *const comments[] = { "#", "//", "--", NULL };

	while (command < end) {
		size_t n = piece_length(command, end, is_quoted);
		const char *next = skip_blanks(command + n, end);

		if (is_one_of(command, n, comments))
			return NULL;
		if (n > 0 && (command[n - 1] == ';' || is_one_of(command, n, operators)))
			return next;
		command = next;
	}
	return NULL;
}

/* Notes what a line has that could be a shell's, or text in a spec. */
static void look_for_shell(const char *line, const char *end, struct traits *t)
{
	const char *first = skip_blanks(line, end);
	const char *back = find_text(first, (size_t)(end - first), "return");
	const char *value = find_text(first, (size_t)(end - first), "<<");
	const char *block = find_text(first, (size_t)(end - first), "/*");
	bool is_quoted;

	if (first < end && *first == '#')
		t->has_prompt = t->has_prompt || runs_bhyve(first + 1, end) ||
		    runs_by_variables(skip_blanks(first + 1, end), end, t);
	else if (first < end && !t->is_continued)
		t->has_other = true;
	t->is_continued = end > line && end[-1] == '\\';
	if (back != NULL) {
		const char *what = skip_blanks(back + strlen("return"), end);

		t->has_lua_return = t->has_lua_return ||
		    (what < end && (isalpha((unsigned char)*what) || strchr("_{(", *what) != NULL));
	}
	while (value != NULL && value > first && strchr(" \t", value[-1]) != NULL)
		value--;
	t->has_long_value = t->has_long_value ||
	    (value != NULL && value > first && strchr(":=", value[-1]) != NULL);
	t->has_block =
	    t->has_block || (block != NULL && (block == first || strchr(" \t", block[-1]) != NULL));
	if (first < end && strchr("\"'", *first) == NULL && is_comment(first, end))
		return;
	note_variable(first, end, t);
	is_quoted = begins_with_key(first, end);
	for (; first != NULL; first = next_command(first, end, is_quoted))
		t->has_shell_command = t->has_shell_command || runs_by_variables(first, end, t);
}

/* Returns whether the text is one that a shell runs, and no spec with such text in it. */
static bool is_shell_text(const struct traits *t)
{
	return (t->has_prompt && !t->has_other) ||
	    (t->has_shell_command && !t->has_lua_return && !t->has_long_value && !t->has_block &&
		!t->has_section);
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
	const char *behind;
	size_t n = 0;

	t->has_return = t->has_return || starts_with_word(line, end, "return");
	look_for_shell(line, end, t);
	line = skip_blanks(line, end);
	if (is_comment(line, end))
		return;
	t->has_section = t->has_section || is_section(line, end);
	t->has_bhyve_command = t->has_bhyve_command || runs_bhyve(line, end);
	while (line + n < end && (isalnum((unsigned char)line[n]) || strchr("._", line[n]) != NULL))
		n++;
	behind = skip_blanks(line + n, end);
	if (behind < end && *behind == '=' && str_after(line, "pci.") != NULL)
		t->has_bhyve_variable = true; /* to tell of the blank */
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

/* Returns the end of the line. */
static const char *line_end(const char *line, const char *end)
{
	const char *newline = memchr(line, '\n', (size_t)(end - line));

	return newline == NULL ? end : newline;
}

/* Returns what stands behind the texts in quotes and the other bytes up to a "]"; NULL: none. */
static const char *behind_list(const char *p, const char *end)
{
	bool is_quoted = false;

	for (; p < end && (is_quoted || *p != ']'); p++) {
		if (is_quoted && *p == '\\')
			p++;
		else if (*p == '"')
			is_quoted = !is_quoted;
	}
	while (p < end && *p == ']')
		p++;
	return p < end ? skip_blanks(p, end) : NULL;
}

/*
 * Returns whether a line that begins with a "[" is a test of a shell, "[ -d /vm ] || exit", the
 * prompt "[root@host ~]#" or the date of a log: a list of JSON is followed by a ",", a bracket or
 * the end of its line.
 */
static bool is_test_or_label(const char *line, const char *end)
{
	const char *inside = skip_blanks(line + 1, end), *behind = behind_list(line + 1, end);

	return (end - inside > 1 && *inside == '-' && isalpha((unsigned char)inside[1]) != 0) ||
	    (behind != NULL && strchr("\r,]}", *behind) == NULL);
}

/*
 * Returns whether a "{" opens a group of a shell, or is a mark of a page: "{% highlight sh %}". UCL
 * has a key behind it.
 */
static bool is_group_or_mark(const char *open, const char *end)
{
	const char *inside = open + 1 < end ? open + 1 : end;

	if (inside < end && strchr("%{", *inside) != NULL)
		return true;
	while (inside < end && isspace((unsigned char)*inside) != 0)
		inside++;
	return inside > open + 1 && inside < end && strchr("\"}#/", *inside) == NULL &&
	    !begins_with_key(inside, line_end(inside, end));
}

/*
 * Returns where a text begins behind the mark of its byte order, which editors of Windows write,
 * and behind blanks.
 */
static const char *skip_mark(const char *text, const char *end)
{
	if (end - text >= 3 && memcmp(text, FOREIGN_MARK, 3) == 0)
		text += 3;
	while (text < end && isspace((unsigned char)*text) != 0)
		text++;
	return text;
}

bool foreign_is_json(const char *text, size_t length)
{
	const char *end = text + length, *first = skip_mark(text, end);

	if (first < end && *first == '[')
		return !is_test_or_label(first, line_end(first, end));
	return first < end && *first == '{' && !is_group_or_mark(first, end);
}

const char *foreign_kind(const char *text, size_t length)
{
	struct traits t = { 0 };
	const char *first = skip_mark(text, text + length);
	bool is_braced = first < text + length && *first == '{';

	if (foreign_is_json(text, length))
		return NULL; /* it may be long */
	if (length >= 3 && memcmp(text, FOREIGN_MARK, 3) == 0) {
		text += 3;
		length -= 3;
	}
	if (is_shell_script(text, length))
		return FOREIGN_SCRIPT;
	for (const char *line = text; line < text + length;) {
		const char *end = line_end(line, text + length);

		look_at(line, end, &t);
		line = end + 1;
	}
	if (t.has_return)
		return NULL; /* Lua */
	if (t.has_bhyve_command || is_shell_text(&t))
		return FOREIGN_COMMAND;
	if (t.has_section || is_braced)
		return NULL; /* UCL */
	if (t.has_bhyve_variable)
		return FOREIGN_BHYVE_CONFIG;
	if (!t.has_name && (t.has_numbered || (t.has_memory && (t.has_cpu || t.has_loader))))
		return FOREIGN_VM_BHYVE;
	return NULL;
}
