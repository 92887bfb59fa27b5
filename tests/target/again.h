/* What boot should answer, worked out without Lua. */
#ifndef TESTS_TARGET_AGAIN_H
#define TESTS_TARGET_AGAIN_H

#include "base/node.h"

#define AGAIN_TARGETS 4 /* t0 to t3; they extend such with lower numbers */

/* As Lua text, for configure{}. */
#define AGAIN_RULES "{ a = {}, b = { a = {}, b = { c = {} } }, e = { e = {} } }"

/*
 * The spec under a target (-1: default) as { base_devices, problems = how many, removed, spec }.
 * Its devices are all of the model "m".
 */
struct node *merge_again(const struct node *spec, const struct node *rules, int number);

#endif
