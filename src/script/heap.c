/* The memory of a Lua state. */
#include "script/heap.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void heap_open(struct heap *h)
{
	memset(h, 0, sizeof(*h));
	h->area = malloc(HEAP_AREA);
}

static bool is_of_area(const struct heap *h, const void *p)
{
	return h->area != NULL && (uintptr_t)p - (uintptr_t)h->area < HEAP_AREA;
}

/* Returns the size of the pieces from which one of that size is taken. */
static size_t piece_size(size_t size)
{
	return (size + HEAP_STEP - 1) / HEAP_STEP * HEAP_STEP;
}

static struct heap_piece **free_pieces(struct heap *h, size_t size)
{
	return &h->free[piece_size(size) / HEAP_STEP - 1];
}

static void *take(struct heap *h, size_t size)
{
	struct heap_piece **list, *piece;

	if (size > HEAP_SMALL || h->area == NULL)
		return malloc(size);
	list = free_pieces(h, size);
	piece = *list;
	if (piece != NULL) {
		*list = piece->next;
		return piece;
	}
	size = piece_size(size);
	if (HEAP_AREA - h->used < size)
		return malloc(size);
	h->used += size;
	return h->area + h->used - size;
}

static void give_back(struct heap *h, void *p, size_t size)
{
	struct heap_piece **list, *piece = p;

	if (!is_of_area(h, p)) {
		free(p);
		return;
	}
	list = free_pieces(h, size);
	piece->next = *list;
	*list = piece;
}

void *heap_resize(struct heap *h, void *old, size_t old_size, size_t size)
{
	void *p;

	if (size == 0) {
		if (old != NULL)
			give_back(h, old, old_size);
		return NULL;
	}
	if (old == NULL)
		return take(h, size);
	if (!is_of_area(h, old))
		return realloc(old, size);
	if (piece_size(size) == piece_size(old_size))
		return old;
	p = take(h, size);
	if (p == NULL)
		return NULL;
	memcpy(p, old, old_size < size ? old_size : size);
	give_back(h, old, old_size);
	return p;
}

void heap_close(struct heap *h)
{
	free(h->area);
	memset(h, 0, sizeof(*h));
}
