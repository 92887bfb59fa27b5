/* The memory of a Lua state: pieces keep their bytes, lie apart and are used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "script/heap.h"

#define PIECES 32000
#define MAX_PIECE 600 /* bytes */
#define STEPS 200000

struct piece {
	unsigned char *bytes;
	size_t size;
};

static bool is_of_area(const struct heap *h, const void *p)
{
	return (uintptr_t)p - (uintptr_t)h->area < HEAP_AREA;
}

/* Each piece is full of bytes that tell it from its neighbours. */
static unsigned char mark(size_t index)
{
	return (unsigned char)(index * 7 + 1);
}

static void check(const struct piece *p, size_t index, size_t size)
{
	size_t i = 0;

	while (i < size && p->bytes[i] == mark(index))
		i++;
	assert_int_equal(i, size);
}

static void resize(struct heap *h, struct piece *p, size_t index, size_t size)
{
	check(p, index, p->size);
	p->bytes = heap_resize(h, p->bytes, p->size, size);
	if (size == 0) {
		assert_null(p->bytes);
	} else {
		assert_non_null(p->bytes);
		assert_int_equal((uintptr_t)p->bytes % HEAP_STEP, 0);
		check(p, index, size < p->size ? size : p->size);
		memset(p->bytes, mark(index), size);
	}
	p->size = size;
}

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16 & 0x7fff;
}

static void test_random_pieces(void **state)
{
	struct piece *pieces = calloc(PIECES, sizeof(*pieces));
	struct heap h;
	unsigned seed = 1;

	(void)state;
	heap_open(&h);
	assert_non_null(h.area);
	for (int i = 0; i < STEPS; i++) {
		size_t index = next(&seed) % PIECES;

		resize(&h, &pieces[index], index,
		    next(&seed) % 4 == 0 ? 0 : 1 + next(&seed) % MAX_PIECE);
	}
	assert_true(h.used > HEAP_AREA - HEAP_SMALL); /* both kinds of memory were used */
	for (size_t i = 0; i < PIECES; i++)
		resize(&h, &pieces[i], i, 0);
	heap_close(&h);
	free(pieces);
}

static void test_small_pieces_are_used_again(void **state)
{
	struct heap h;
	void *first, *second;

	(void)state;
	heap_open(&h);
	first = heap_resize(&h, NULL, 0, 1);
	second = heap_resize(&h, NULL, 0, HEAP_STEP);
	assert_ptr_equal((char *)second - (char *)first, HEAP_STEP);
	assert_ptr_equal(heap_resize(&h, first, 1, HEAP_STEP), first); /* it has the room */
	assert_null(heap_resize(&h, first, HEAP_STEP, 0));
	assert_null(heap_resize(&h, second, HEAP_STEP, 0));
	assert_ptr_equal(heap_resize(&h, NULL, 0, 2), second);
	assert_ptr_equal(heap_resize(&h, NULL, 0, 2), first);
	assert_int_equal(h.used, 2 * HEAP_STEP);
	heap_close(&h);
}

static void test_large_pieces_are_not_of_the_area(void **state)
{
	struct heap h;
	void *small, *large;

	(void)state;
	heap_open(&h);
	small = heap_resize(&h, NULL, 0, HEAP_SMALL);
	assert_true(is_of_area(&h, small));
	large = heap_resize(&h, small, HEAP_SMALL, HEAP_SMALL + 1);
	assert_false(is_of_area(&h, large));
	assert_ptr_equal(heap_resize(&h, NULL, 0, HEAP_SMALL), small);
	large = heap_resize(&h, large, HEAP_SMALL + 1, 1); /* stays where it is */
	assert_false(is_of_area(&h, large));
	assert_null(heap_resize(&h, large, 1, 0));
	heap_close(&h);
}

/* Without an area, and when it is full, small pieces come from malloc(). */
static void test_no_area(void **state)
{
	struct heap h = { 0 };
	void *p = heap_resize(&h, NULL, 0, 1);

	(void)state;
	assert_non_null(p);
	assert_null(heap_resize(&h, p, 1, 0));
	heap_open(&h);
	h.used = HEAP_AREA - HEAP_STEP;
	p = heap_resize(&h, NULL, 0, HEAP_STEP + 1);
	assert_false(is_of_area(&h, p));
	assert_null(heap_resize(&h, p, HEAP_STEP + 1, 0));
	p = heap_resize(&h, NULL, 0, HEAP_STEP);
	assert_ptr_equal(p, h.area + HEAP_AREA - HEAP_STEP);
	heap_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_pieces),
		cmocka_unit_test(test_small_pieces_are_used_again),
		cmocka_unit_test(test_large_pieces_are_not_of_the_area),
		cmocka_unit_test(test_no_area),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
