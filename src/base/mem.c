/* Small allocations that abort when memory runs out. */
#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_abort(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

void *mem_zero(size_t size)
{
	return or_abort(calloc(1, size == 0 ? 1 : size));
}

void *mem_resize(void *old, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		abort();
	return or_abort(realloc(old, count * size == 0 ? 1 : count * size));
}

char *mem_copy(const char *text)
{
	return mem_copy_n(text, strlen(text));
}

char *mem_copy_n(const char *text, size_t n)
{
	char *p = mem_zero(n + 1);

	memcpy(p, text, n);
	return p;
}

char *mem_vformat(const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		abort();
	p = mem_zero((size_t)n + 1);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *mem_format(const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = mem_vformat(fmt, ap);
	va_end(ap);
	return p;
}

void mem_free_at(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}
