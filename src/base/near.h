/* "Did you mean": the known word nearest to one that is not known. */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include <stddef.h>

struct near {
	const char *wanted;
	const char *best; /* lent by near_offer()'s caller; NULL: nothing is near enough */
	size_t distance;
};

/* Offers a candidate: kept when it is nearer than the best one and near enough to be a typo. */
void near_offer(struct near *n, const char *candidate);
/* `, did you mean "x"?`, or "" when nothing is near. Caller frees. */
char *near_hint(const struct near *n);

#endif
