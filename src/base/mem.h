/*
 * Small allocations.  When memory runs out, a message goes to stderr and the process aborts, so
 * callers need no path for that.  Sizes from a file are checked before.  Results are freed with
 * free().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

void *mem_zero(size_t size);
void *mem_resize(void *old, size_t count, size_t size);
/*
 * Makes room for one more item in a list of `count` items.  A list must be grown by this function
 * alone, because its room is computed from its count: mem_room().
 */
void *mem_grow(void *old, size_t count, size_t size);
/* Returns the number of items that such a list has room for. */
size_t mem_room(size_t count);
char *mem_copy(const char *text);
char *mem_copy_n(const char *text, size_t n);
/* Joins texts, which is many times faster than to format them.  Caller frees. */
#define MEM_JOIN(...) mem_join_list((const char *const[]){ __VA_ARGS__, NULL })
/* Does so for a list that ends with NULL. */
char *mem_join_list(const char *const *texts);
char *mem_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *mem_vformat(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* Frees a pointer at the end of its scope: the cleanup attribute, which gcc and clang know. */
void mem_free_at(void *pointer_to_pointer);
#define MEM_AUTO __attribute__((cleanup(mem_free_at)))

#endif
