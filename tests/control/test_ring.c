/* Lists whose members know their places. */
#include "control/ring.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

struct letter {
	struct ring ring;
	char name;
};

static void expect(const struct ring *head, const char *names)
{
	const struct letter *l = ring_first(head);

	for (; *names != '\0'; names++) {
		assert_non_null(l);
		assert_int_equal(l->name, *names);
		l = ring_next(&l->ring);
	}
	assert_null(l);
}

static void test_members_come_and_go(void **state)
{
	struct letter a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' };
	struct ring one, two;

	(void)state;
	ring_init(&one);
	ring_init(&two);
	expect(&one, "");
	ring_remove(&a.ring);
	ring_append(&one, &a.ring, &a);
	ring_append(&one, &b.ring, &b);
	ring_append(&one, &c.ring, &c);
	expect(&one, "abc");
	ring_append(&one, &a.ring, &a);
	expect(&one, "bca");
	ring_append(&two, &c.ring, &c);
	expect(&one, "ba");
	expect(&two, "c");
	ring_remove(&b.ring);
	ring_remove(&b.ring);
	ring_remove(&a.ring);
	expect(&one, "");
	ring_remove(&c.ring);
	expect(&two, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
