/* The program of an automaton, between the file that writes it and the one that runs it. */
#ifndef BASE_AUTOMATON_STEPS_H
#define BASE_AUTOMATON_STEPS_H

#include "base/automaton.h"

#define BYTES 256

enum step_kind {
	STEP_BYTE,  /* takes the byte `to` */
	STEP_ANY,   /* takes a byte */
	STEP_SET,   /* takes a byte of the set number `to` */
	STEP_SPLIT, /* continues with the next step, or with the one `to` steps away */
	STEP_AGAIN, /* a split that prefers the step `to` steps away */
	STEP_SAVE,  /* notes the place as that of the end number `to` of a group */
	STEP_JUMP,  /* continues with the step `to` steps away */
	STEP_BEGIN, /* continues at the beginning of the line only */
	STEP_END,   /* continues at the end of the line only */
	STEP_MATCH,
};

struct step {
	enum step_kind kind;
	int to;
};

struct byte_set {
	bool has[BYTES];
};

struct automaton {
	struct step *steps;
	size_t count;
	struct byte_set *sets;
	size_t set_count, groups;
	bool begins[BYTES]; /* bytes that begin a match behind the beginning of the line */
	struct automaton_scratch *scratch; /* memory for a search */
};

/* Makes an automaton ready for searches, after its last step. */
void automaton_prepare(struct automaton *a);

#endif
