/*
 * The memory of a Lua state.  Lua makes thousands of small pieces: they come from one area, without
 * the header and the search of malloc(), and larger ones from malloc().
 */
#ifndef VMRUN_SCRIPT_HEAP_H
#define VMRUN_SCRIPT_HEAP_H

#include <stddef.h>

#define HEAP_STEP ((size_t)8) /* bytes; Lua's values need this alignment */
#define HEAP_SMALL ((size_t)256)
#define HEAP_AREA ((size_t)512 << 10) /* bytes: twice what a spec without hooks needs */

/* A piece of the area that is free. */
struct heap_piece {
	struct heap_piece *next;
};

/* All zero: a heap without an area, which has only malloc(). */
struct heap {
	char *area; /* owned; NULL: none */
	size_t used;
	struct heap_piece *free[HEAP_SMALL / HEAP_STEP]; /* pieces of 8 bytes, of 16, ... */
};

/*
 * Gets the area.  Its pages cost memory when they are first used, and more pieces than fit come
 * from malloc(): what a hook needs for a moment goes back to the system.
 */
void heap_open(struct heap *h);

/*
 * Makes a piece, changes its size, or frees it (size 0); old is NULL, with the size 0, for a new
 * one.  Returns NULL without memory; the old piece stays.
 */
void *heap_resize(struct heap *h, void *old, size_t old_size, size_t size);

/* Frees the area; all pieces must have been freed. */
void heap_close(struct heap *h);

#endif
