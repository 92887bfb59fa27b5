/* What every unit test includes, and random numbers that are the same in every run. */
#ifndef TESTS_BASE_DICE_H
#define TESTS_BASE_DICE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct dice {
	unsigned seed;
	uint64_t state;
};

void dice_start(struct dice *d, unsigned seed);
/* 0 to sides - 1. */
unsigned dice_roll(struct dice *d, unsigned sides);
/* A property of random values: what is not so fails with the seed. */
void dice_check(const struct dice *d, bool good, const char *what);

#endif
