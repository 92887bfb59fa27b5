/* "Did you mean": the known word that is nearest to an unknown one. */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include <stddef.h>

#define MAX_NEAR_WORD 64 /* bytes; longer words than keys and names are not compared */

struct near {
	const char *wanted;
	const char *best; /* lent by the caller of near_offer(); NULL: no word is near enough */
	size_t distance;
};

/* Offers a candidate: it becomes the best one when it is nearer, and near enough for a typo. */
void near_offer(struct near *n, const char *candidate);
/* Returns `, did you mean "x"?`, or "" when no word is near.  Caller frees. */
char *near_hint(const struct near *n);

#endif
