/* Lists of findings. */
#include "check/findings.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct finding *findings_add(struct findings *findings, enum finding_kind kind,
    const struct device *dev, const struct where *at, const char *what, const char *fmt, ...)
{
	struct finding *f;
	va_list ap;

	findings->item = mem_resize(findings->item, findings->count + 1, sizeof(*findings->item));
	f = &findings->item[findings->count++];
	memset(f, 0, sizeof(*f));
	f->kind = kind;
	f->dev = dev;
	f->keys = at == NULL ? NULL : where_keys(at);
	f->what = mem_copy(what);
	va_start(ap, fmt);
	f->text = mem_vformat(fmt, ap);
	va_end(ap);
	return f;
}

static size_t rank(const struct finding *f)
{
	return f->dev == NULL ? 0 : f->dev->index + 1;
}

void findings_move(struct findings *to, struct findings *from)
{
	to->item = mem_resize(to->item, to->count + from->count + 1, sizeof(*to->item));
	for (size_t i = 0; i < from->count; i++) {
		size_t at = to->count++;

		/* Keep the order of the findings of one device. */
		while (at > 0 && rank(&to->item[at - 1]) > rank(&from->item[i])) {
			to->item[at] = to->item[at - 1];
			at--;
		}
		to->item[at] = from->item[i];
	}
	free(from->item);
	memset(from, 0, sizeof(*from));
}

bool finding_may_fix(const struct finding *finding, bool all, bool force)
{
	if (finding->kind != FINDING_PROBLEM || finding->fix.count == 0 || finding->advice)
		return false;
	if (finding->forced)
		return force;
	return all || force || (finding->dev != NULL && finding->dev->fix);
}

static bool is_tried(const struct finding *f, const struct words *tried)
{
	MEM_AUTO char *line = words_shell_line(&f->fix);

	return tried != NULL && words_have(tried, line);
}

bool findings_mendable(
    const struct findings *findings, bool all, bool force, const struct words *tried, bool going)
{
	bool frees = going;

	for (size_t i = 0; i < findings->count && !frees; i++)
		frees = findings->item[i].forced && force && !is_tried(&findings->item[i], tried);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *f = &findings->item[i];

		if (f->kind != FINDING_PROBLEM || (f->busy && frees) || (f->forced && going))
			continue;
		if (!finding_may_fix(f, all, force) || is_tried(f, tried))
			return false;
	}
	return true;
}

bool findings_have(const struct findings *findings, const char *what)
{
	for (size_t i = 0; i < findings->count; i++) {
		if (findings->item[i].kind == FINDING_PROBLEM &&
		    strcmp(findings->item[i].what, what) == 0)
			return true;
	}
	return false;
}

size_t findings_problems(const struct findings *findings)
{
	size_t n = 0;

	for (size_t i = 0; i < findings->count; i++)
		n += findings->item[i].kind == FINDING_PROBLEM ? 1 : 0;
	return n;
}

void findings_clear(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		struct finding *f = &findings->item[i];

		node_free(f->keys);
		free(f->what);
		free(f->text);
		words_free(&f->fix);
		words_free(&f->undo);
		words_free(&f->probe);
	}
	free(findings->item);
	memset(findings, 0, sizeof(*findings));
}

const struct finding *findings_missing_program(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		if (findings->item[i].exec_status != 0)
			return &findings->item[i];
	}
	return NULL;
}
