/* Which mutant of this program is alive.  tests/mutate includes this file first in each mutated
 * file. */
#ifndef VMRUN_MUTATE_SWITCH_H
#define VMRUN_MUTATE_SWITCH_H

#define MUTANT_MAX 65536 /* numbers of mutants are below this */

/* The number in the variable MUTANT; 0: none. */
extern int mutant_alive;

/* A byte for each mutant, set to 1 where a program has come to it. */
extern volatile unsigned char *mutant_reached;

/* Returns whether this mutant is alive. */
static inline int mutant(int number)
{
	mutant_reached[number] = 1;
	return number == mutant_alive;
}

#endif
