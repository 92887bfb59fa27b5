/* "Did you mean": the known word that means the same as an unknown one, or is spelled nearly so. */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include <stddef.h>

#define MAX_NEAR_WORD 64 /* bytes; longer words than keys and names are not compared */

/* What the words are: the same word of another program may be a key or a command of vmrun. */
enum near_words {
	NEAR_SPELLING, /* names of the user, which have no synonyms */
	NEAR_KEY,      /* keys of the spec and of its objects; causes, which are keys of `on` */
	NEAR_FIELD,    /* keys of devices: their own rows, and those of NEAR_KEY */
	NEAR_DEVICE,   /* models of devices */
	NEAR_OPTION,   /* of the command line, without dashes */
	NEAR_COMMAND,  /* of vmrunctl */
};

struct near {
	enum near_words words;
	const char *wanted;
	const char *best; /* lent by the caller of near_offer(); NULL: no word is near enough */
	size_t distance;
	const char *example; /* how the best one is written; NULL: the word says enough */
};

/*
 * Offers a candidate: it becomes the best one if it is what another program calls the wanted word
 * (base/synonyms.h), or if it is nearer, and near enough for a typing mistake.
 */
void near_offer(struct near *n, const char *candidate);
/*
 * Returns `, did you mean "x"?`, followed by ` Write EXAMPLE` if there is one, or "" when no word
 * is near.  Caller frees.
 */
char *near_hint(const struct near *n);
/* Returns the same for a word with dashes in front, as options have them: `, did you mean --x?`. */
char *near_option_hint(const struct near *n);

#endif
