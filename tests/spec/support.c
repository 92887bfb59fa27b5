/* Makes specs from short texts. */
#include "support.h"

#include <string.h>

#include "base/mem.h"

struct node *doc_with(const char *keys)
{
	MEM_AUTO char *text = mem_format("{%s}", keys);
	struct node *doc = doc_of("{'name':'vm','cpu':1,'mem':'512M'}"), *given = doc_of(text);

	while (given->first != NULL) {
		struct node *n = node_take(given, given->first->key);

		node_free(node_take(doc, n->key));
		if (n->kind == NODE_NULL)
			node_free(n);
		else
			node_put(doc, n->key, n);
	}
	node_free(given);
	return doc;
}

struct spec *spec_from(struct node *doc, struct report *report)
{
	struct decoder d = { .report = report, .directory = "/specs" };
	struct spec *spec = spec_decode(doc, &d);

	node_free(doc);
	return spec;
}

struct spec *spec_of(const char *keys)
{
	struct report report = { 0 };
	struct spec *spec = spec_from(doc_with(keys), &report);

	no_problems(&report, keys);
	return spec;
}

char *spec_line(const struct spec *spec)
{
	MEM_AUTO char *json = spec_print(spec);
	struct str s = { 0 };

	for (char *p = json; *p != '\0'; p++) {
		if (*p == '\n') {
			p += strspn(p, "\n ") - 1;
			continue;
		}
		str_add_n(&s, *p == '"' ? "'" : p, 1);
	}
	return str_take(&s);
}

void spec_shows(const char *keys, const char *wanted)
{
	struct spec *spec = spec_of(keys);
	MEM_AUTO char *line = spec_line(spec);

	if (strstr(line, wanted) == NULL)
		fail_msg("%s: wanted %s, got %s", keys, wanted, line);
	spec_free(spec);
}

void spec_refused(const char *keys, const char *wanted)
{
	struct report report = { 0 };
	struct spec *spec = spec_from(doc_with(keys), &report);
	MEM_AUTO char *got = problems_of(&report);

	spec_free(spec);
	has_line(got, wanted, keys);
}

void key_shows(const char *key, const struct key_row *rows)
{
	for (const struct key_row *r = rows; r->value != NULL; r++) {
		MEM_AUTO char *keys = mem_format("'%s':%s", key, r->value);
		MEM_AUTO char *wanted = mem_format("'%s': %s", key, r->wanted);

		spec_shows(keys, wanted);
	}
}

void key_refuses(const char *key, const struct key_row *rows)
{
	for (const struct key_row *r = rows; r->value != NULL; r++) {
		MEM_AUTO char *keys = mem_format("'%s':%s", key, r->value);
		MEM_AUTO char *wanted = mem_format("%s%s", key, r->wanted);

		spec_refused(keys, wanted);
	}
}
