/* Reads a file, stdin or a buffer into a text in JSON or Lua. */
#include "config/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/foreign.h"
#include "config/ucl.h"
#include "platform/find.h"

static const char *const format_names[] = {
	[FORMAT_AUTO] = "auto",
	[FORMAT_JSON] = "json",
	[FORMAT_LUA] = "lua",
	[FORMAT_UCL] = "ucl",
	[FORMATS] = NULL,
};

_Static_assert(
    sizeof(format_names) / sizeof(format_names[0]) == FORMATS + 1, "a word for each, and a NULL");

bool format_find(const char *name, enum format *format)
{
	for (int i = 0; format_names[i] != NULL; i++) {
		if (strcmp(format_names[i], name) == 0) {
			*format = (enum format)i;
			return true;
		}
	}
	return false;
}

/* Returns the format by the extension, or FORMAT_AUTO if that is unknown. */
static enum format format_by_name(const char *name)
{
	static const struct {
		const char *extension;
		enum format format;
	} known[] = {
		{ ".lua", FORMAT_LUA },
		{ ".json", FORMAT_JSON },
		{ ".ucl", FORMAT_UCL },
		{ ".conf", FORMAT_UCL },
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(dot, known[i].extension) == 0)
			return known[i].format;
	}
	return FORMAT_AUTO;
}

/*
 * Returns the format by the first byte that is not a blank.  What begins with a comment of C is
 * JSON, whose reader says that it has none.
 */
static enum format format_by_content(const char *text)
{
	const char *first = text + strspn(text, " \t\r\n");
	bool is_comment = *first == '/' && (first[1] == '/' || first[1] == '*');

	return *first == '{' || *first == '[' || is_comment ? FORMAT_JSON : FORMAT_LUA;
}

bool source_is_stdin(const struct document_source *source)
{
	return source->file != NULL && strcmp(source->file, "-") == 0;
}

/* Reports a problem of the whole document, at its name. */
static int report_whole(
    const char *name, struct report *report, enum status status, const char *text)
{
	report_add(report, status, NULL, "%s", text);
	report->item[report->count - 1].place = mem_copy(name);
	return -1;
}

static int read_text(
    const struct document_source *source, struct text_file *file, struct report *report)
{
	struct error err = { 0 };

	if (text_read(source, file, &err) != 0) {
		report_take(report, NULL, &err);
		return -1;
	}
	if (file->length >= 3 && memcmp(file->text, "\xef\xbb\xbf", 3) == 0) {
		file->length -=
		    3; /* a UTF-8 mark, which neither Lua's loader nor the reader of JSON accepts */
		memmove(file->text, file->text + 3, file->length + 1);
	}
	if (strspn(file->text, " \t\r\n") == file->length)
		return report_whole(file->name, report, STATUS_SPEC, "the file is empty");
	return 0;
}

/* Returns whether the text contains the name of a libucl macro that reads a file. */
static bool may_include(const struct text_file *file)
{
	static const char *const macros[] = { ".include", ".try_include", ".load" };

	for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
		if (find_text(file->text, file->length, macros[i]) != NULL)
			return true;
	}
	return false;
}

/* Replaces the file's text by uclcmd's JSON. */
static int read_ucl(
    const struct script_options *options, struct text_file *file, struct report *report)
{
	ERROR_AUTO struct error err = { 0 };
	struct ucl ucl;

	if (ucl_read(file->name, MAX_UCL_MS, &ucl, &err) != 0) {
		(void)report_whole(file->name, report, err.status, err.text);
		return -1;
	}
	if (ucl.remarks != NULL && options->log != NULL) {
		MEM_AUTO char *line = mem_format("%s: uclcmd says: %s", file->name, ucl.remarks);

		options->log(options->context, "warning", line);
	}
	free(file->text);
	file->text = ucl.json;
	file->length = ucl.length;
	free(ucl.remarks);
	return 0;
}

/* Refuses a file of another program, whose first line a reader of specs would complain of. */
static int refuse_foreign(const struct text_file *file, struct report *report)
{
	const char *kind = foreign_kind(file->text, file->length);

	if (kind == NULL)
		return 0;
	MEM_AUTO char *name = mem_copy(strcmp(file->name, "<stdin>") == 0 ? "-" : file->name);
	MEM_AUTO char *text = mem_format(
	    "this is %s, not a spec: vmrun --import %s prints the spec of that VM", kind, name);

	return report_whole(file->name, report, STATUS_SPEC, text);
}

int source_read(const struct document_source *source, const struct script_options *options,
    struct text_file *out, enum format *format, struct report *report)
{
	bool is_stdin = source_is_stdin(source);
	const char *name = source->file != NULL ? source->file : source->name;
	int rc;

	if (is_stdin || name == NULL)
		name = is_stdin ? "<stdin>" : "<buffer>";
	*format = source->format != FORMAT_AUTO ? source->format : format_by_name(name);
	/* uclcmd reads only 8 KiB of its standard input (parse_input() in uclcmd_parse.c). */
	if (*format == FORMAT_UCL && (is_stdin || source->file == NULL))
		return report_whole(name, report, STATUS_USAGE,
		    "uclcmd reads UCL from a file only: name the file, or pass its JSON on: "
		    "uclcmd get -c -f FILE . | vmrun -c-");
	rc = read_text(source, out, report);
	if (rc == 0 && source->format == FORMAT_AUTO && *format != FORMAT_LUA &&
	    *format != FORMAT_JSON)
		rc = refuse_foreign(out, report);
	if (rc == 0 && *format == FORMAT_UCL && source->sandboxed && may_include(out))
		rc = report_whole(name, report, STATUS_SPEC,
		    "the sandbox refuses UCL with \".include\" or \".load\", by which uclcmd reads "
		    "any file of the host: put the contents in their place");
	if (rc == 0 && *format == FORMAT_AUTO)
		*format = format_by_content(out->text);
	if (rc == 0 && *format == FORMAT_UCL)
		rc = read_ucl(options, out, report);
	if (rc != 0)
		text_free(out);
	return rc;
}
