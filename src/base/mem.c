/* Small allocations, which abort when memory runs out. */
#include "base/mem.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEAST_ITEMS 4	/* for which a list has room */
#define MAX_SMALL 1024	/* bytes that are cleared faster than calloc() finds clear ones */
#define FORMAT_SIZE 256 /* bytes of a formatted text that needs no second pass */

/* Ends the process after a line on stderr, which needs no memory. */
static _Noreturn void die(const char *why, size_t bytes)
{
	char text[160];
	int n = snprintf(
	    text, sizeof(text), "vmrun: out of memory: cannot allocate %s%zu bytes\n", why, bytes);

	(void)!write(STDERR_FILENO, text, (size_t)n);
	abort();
}

static void *or_die(void *p, size_t bytes)
{
	if (p == NULL)
		die("", bytes);
	return p;
}

void *mem_zero(size_t size)
{
	/* glibc's calloc() does not reuse the memory that its thread has just freed. */
	void *p = size == 0 || size > MAX_SMALL ? calloc(1, size == 0 ? 1 : size) : malloc(size);

	(void)or_die(p, size);
	return size > MAX_SMALL ? p : memset(p, 0, size);
}

void *mem_resize(void *old, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		die("more than ", SIZE_MAX);
	return or_die(realloc(old, count * size == 0 ? 1 : count * size), count * size);
}

size_t mem_room(size_t count)
{
	size_t room = LEAST_ITEMS;

	while (room < count)
		room *= 2;
	return room;
}

void *mem_grow(void *old, size_t count, size_t size)
{
	return count > 0 && count < mem_room(count) ? old
						    : mem_resize(old, mem_room(count + 1), size);
}

char *mem_copy(const char *text)
{
	return mem_copy_n(text, strlen(text));
}

char *mem_copy_n(const char *text, size_t n)
{
	char *p = or_die(malloc(n + 1), n + 1);

	memcpy(p, text, n);
	p[n] = '\0';
	return p;
}

char *mem_join_list(const char *const *texts)
{
	size_t length = 0;
	char *p, *end;

	for (const char *const *text = texts; *text != NULL; text++)
		length += strlen(*text);
	p = end = or_die(malloc(length + 1), length + 1);
	for (const char *const *text = texts; *text != NULL; text++) {
		size_t n = strlen(*text);

		memcpy(end, *text, n);
		end += n;
	}
	*end = '\0';
	return p;
}

char *mem_vformat(const char *fmt, va_list ap)
{
	char small[FORMAT_SIZE]; /* most texts fit: they are formatted once */
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, again);
	va_end(again);
	if (n < 0) /* vsnprintf(3): the text is longer than INT_MAX */
		die("a text of more than ", INT_MAX);
	if ((size_t)n < sizeof(small))
		return mem_copy_n(small, (size_t)n);
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
