/* Ordered key=value lists. */
#include "base/pairs.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void add(struct pairs *p, const char *key, char *value)
{
	p->item = mem_grow(p->item, p->count, sizeof(*p->item));
	p->item[p->count].key = mem_copy(key);
	p->item[p->count].value = value;
	p->count++;
}

void pairs_add(struct pairs *p, const char *key, const char *value)
{
	add(p, key, mem_copy(value));
}

void pairs_addf(struct pairs *p, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(p, key, mem_vformat(fmt, ap));
	va_end(ap);
}

const char *pairs_get(const struct pairs *p, const char *key)
{
	for (size_t i = 0; i < p->count; i++) {
		if (strcmp(p->item[i].key, key) == 0)
			return p->item[i].value;
	}
	return NULL;
}

void pairs_remove(struct pairs *p, const char *key)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++) {
		if (strcmp(p->item[i].key, key) != 0) {
			p->item[kept++] = p->item[i];
			continue;
		}
		free(p->item[i].key);
		free(p->item[i].value);
	}
	p->count = kept;
}

void pairs_free(struct pairs *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->item[i].key);
		free(p->item[i].value);
	}
	free(p->item);
	memset(p, 0, sizeof(*p));
}
