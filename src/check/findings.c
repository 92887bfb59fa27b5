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
	}
	free(findings->item);
	memset(findings, 0, sizeof(*findings));
}
