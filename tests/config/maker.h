/* Random JSON documents that know where each of their keys and entries stands. */
#ifndef TESTS_CONFIG_MAKER_H
#define TESTS_CONFIG_MAKER_H

#include "../base/dice.h"

#include "base/node.h"
#include "base/str.h"

struct made_place {
	struct node *keys; /* as where_keys() gives them */
	size_t line, column;
};

struct maker {
	struct dice dice;
	struct str text;
	size_t line, column; /* of the end of text, counted on the way */
	struct made_place *place;
	size_t count;
};

/* An object, laid out at random. */
void maker_run(struct maker *m, unsigned seed);
void maker_clear(struct maker *m);

#endif
