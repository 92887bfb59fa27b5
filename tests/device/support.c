/* Makes documents and devices from short texts. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/json_node.h"

static char *with_quotes(const char *text)
{
	char *copy = mem_copy(text);

	for (char *p = copy; *p != '\0'; p++) {
		if (*p == '\'')
			*p = '"';
	}
	return copy;
}

struct node *doc_of(const char *text)
{
	MEM_AUTO char *json = with_quotes(text);
	struct node *n = json_node(json);

	if (n == NULL)
		fail_msg("not JSON: %s", text);
	return n;
}

char *problems_of(struct report *report)
{
	struct str s = { 0 };

	for (size_t i = 0; i < report->count; i++) {
		const struct problem *p = &report->item[i];

		str_addf(&s, "%s: %s\n", p->path == NULL ? "" : p->path, p->text);
	}
	report_free(report);
	return str_take(&s);
}

void no_problems(struct report *report, const char *what)
{
	MEM_AUTO char *got = problems_of(report);

	if (*got != '\0')
		fail_msg("%s: %s", what, got);
}

void has_line(const char *got, const char *wanted, const char *what)
{
	MEM_AUTO char *lines = mem_format("\n%s", got);
	MEM_AUTO char *line = mem_format("\n%s", wanted);

	if (strstr(lines, line) == NULL)
		fail_msg("%s: wanted %s, got %s", what, wanted, *got == '\0' ? "nothing" : got);
}

static struct device *decode(const char *text, struct report *report)
{
	struct where list = { NULL, "emulations", 0 }, at = { &list, NULL, 0 };
	struct decoder d = { .report = report, .directory = "/specs" };
	struct node *n = doc_of(text);
	struct device *dev = device_decode(n, &at, &d);

	node_free(n);
	if (dev != NULL && dev->id == NULL)
		dev->id = mem_copy("x");
	return dev;
}

struct device *device_of(const char *text)
{
	struct report report = { 0 };
	struct device *dev = decode(text, &report);

	no_problems(&report, text);
	assert_non_null(dev);
	return dev;
}

char *device_refused_by_qemu(const char *text)
{
	struct device *dev = device_of(text);
	struct words argv = { 0 };
	struct qemu_build q = { .argv = &argv };
	struct error err = { 0 };
	int rc;

	rc = dev->kind->qemu(dev, &q, &err);
	assert_int_equal(rc != 0, err.text != NULL);
	words_free(&argv);
	device_free(dev);
	return err.text;
}

void device_shows(const char *text, const char *wanted)
{
	struct device *dev = device_of(text);
	struct str s = { 0 };
	MEM_AUTO char *part = with_quotes(wanted);

	device_print(dev, &s);
	if (strstr(s.text, part) == NULL)
		fail_msg("%s: wanted %s, got %s", text, part, s.text);
	str_free(&s);
	device_free(dev);
}

void device_refused(const char *text, const char *wanted)
{
	struct report report = { 0 };
	struct device *dev = decode(text, &report);
	MEM_AUTO char *got = problems_of(&report);

	device_free(dev);
	has_line(got, wanted, text);
}
