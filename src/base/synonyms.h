/* The words of other programs, for hints about unknown words. */
#ifndef BASE_SYNONYMS_H
#define BASE_SYNONYMS_H

#include "base/near.h"

struct synonym {
	enum near_words words;
	const char *meant;   /* the word of vmrun */
	const char *said;    /* the words of other programs, separated by blanks */
	const char *example; /* how it is written; NULL: like the other word */
};

/*
 * Returns the row in which a word of another program, letter case aside, means this word of vmrun;
 * NULL if there is none.
 */
const struct synonym *synonym_find(enum near_words words, const char *said, const char *meant);

#endif
