/* Random numbers for property tests (xorshift64*). */
#include "dice.h"

void dice_start(struct dice *d, unsigned seed)
{
	d->seed = seed;
	d->state = (uint64_t)seed * 2 + 0x9e3779b97f4a7c15u;
	for (int i = 0; i < 4; i++)
		(void)dice_roll(d, 2);
}

unsigned dice_roll(struct dice *d, unsigned sides)
{
	d->state ^= d->state >> 12;
	d->state ^= d->state << 25;
	d->state ^= d->state >> 27;
	return (unsigned)(d->state * 0x2545f4914f6cdd1du >> 33) % sides;
}

void dice_check(const struct dice *d, bool good, const char *what)
{
	if (!good)
		fail_msg("seed %u: %s", d->seed, what);
}
