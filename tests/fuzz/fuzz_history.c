/*
 * The history of a VM: the file with its lines, the file of the vmrun that runs, and lines that are
 * added with any texts.  The file comes first, then, each behind a byte 0x01, the file "running"
 * and the texts of a line.
 *
 * Rooms: src/base/date.c src/base/str.c src/ledger/history_file.c src/ledger/history_line.c
 * src/lib/history.c
 */
#include <stdlib.h>
#include <string.h>

#include "base/json_node.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/str.h"
#include "fuzz.h"
#include "ledger/history_file.h"
#include "ledger/history_line.h"
#include "vmrun/vmrun.h"

#define MOST_LINES (MAX_HISTORY_LINES + MAX_HISTORY_SPARE)
#define MOST_READ (MAX_HISTORY_LINES + 2) /* with a torn line, and that of a death */

/* Takes the bytes up to the separator. */
static char *take_part(struct fuzz_input *in, size_t *length)
{
	const uint8_t *end = in->left == 0 ? NULL : memchr(in->at, 1, in->left);
	char *text;

	*length = end == NULL ? in->left : (size_t)(end - in->at);
	text = fuzz_text(in, *length);
	(void)fuzz_byte(in);
	return text;
}

/* Returns the number of lines that have an end. */
static size_t count(const char *text)
{
	size_t n = 0;

	for (; text != NULL && (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

/* Reads the history as its users do. */
static void read_all(size_t most)
{
	MEM_AUTO char *lines = NULL;
	MEM_AUTO char *why = NULL;
	const char *name = strrchr(fuzz_directory(), '/') + 1;
	MEM_AUTO char *above = mem_copy_n(fuzz_directory(), (size_t)(name - 1 - fuzz_directory()));
	int status = vmrun_history(above, name, &lines, &why);

	fuzz_check((status == VMRUN_STATUS_OK) == (why == NULL), "a failure without a reason");
	fuzz_check(status == VMRUN_STATUS_OK, "a file that cannot be read");
	fuzz_check(count(lines) <= most, "too many lines");
}

/* Makes a line of the texts, which must be JSON. */
static char *make_line(struct fuzz_input *in)
{
	size_t length;
	MEM_AUTO char *output = take_part(in, &length);
	MEM_AUTO char *kept = history_line_output(output, length);
	MEM_AUTO char *target = take_part(in, &length);
	MEM_AUTO char *text = take_part(in, &length);
	struct history_line line = HISTORY_LINE;
	char *json;

	fuzz_check(strlen(kept) <= MAX_HISTORY_TEXT, "too much output is kept");
	line.time_ms = 1767225600000;
	line.boot = 1;
	line.target = target;
	line.errors = kept;
	line.console = kept;
	line.by = text;
	line.text = text;
	json = history_line_json(&line);
	NODE_AUTO struct node *node = json_node(json);

	fuzz_check(node != NULL && node->kind == NODE_OBJECT, "a line that is not JSON");
	fuzz_check(strchr(json, '\n') == NULL, "a line of several lines");
	fuzz_check(strcmp(node_get_text(node, "stderr"), kept) == 0, "the output is changed");
	return json;
}

/* Adds lines: to a long file so many that it must be trimmed. */
static void add_lines(const char *line, size_t before)
{
	int more = before < MAX_HISTORY_LINES ? 2 : MAX_HISTORY_SPARE + 2;
	struct history_file file = { 0 };
	MEM_AUTO char *lines = NULL;
	pid_t died;

	fuzz_check(history_file_open(&file, fuzz_directory(), &died, NULL) == 0, "cannot begin");
	fuzz_check(died >= 0, "a pid below 0");
	for (int i = 0; i < more; i++)
		fuzz_check(history_file_add(&file, line, NULL) == 0, "cannot add a line");
	fuzz_check(file.lines <= MOST_LINES, "the file is not trimmed");
	history_file_close(&file);
	fuzz_check(history_file_read(fuzz_directory(), &lines, NULL) == 0, "cannot read");
	fuzz_check(count(lines) <= MAX_HISTORY_LINES, "too many lines");
	fuzz_check(strlen(lines) > strlen(line) &&
		strncmp(lines + strlen(lines) - strlen(line) - 1, line, strlen(line)) == 0,
	    "another last line");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	size_t length, running_length;
	MEM_AUTO char *text = take_part(&in, &length);
	MEM_AUTO char *running = take_part(&in, &running_length);

	fuzz_begin(FENCE_REFUSE);
	fuzz_clear_directory();
	if (length > 0)
		fuzz_write(HISTORY_FILE_NAME, text, length);
	if (running_length > 0)
		fuzz_write(HISTORY_FILE_RUNNING, running, running_length);
	read_all(MOST_READ);
	MEM_AUTO char *line = make_line(&in);

	add_lines(line, count(text));
	read_all(MOST_READ);
	fuzz_end();
	return 0;
}
