/* Follows branches, loops and "&&" through the commands of a shell. */
#include "shell/shell_arms.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum arm_kind {
	ARM_BRANCH,
	ARM_GROUP,
	ARM_LOOP,
	ARM_ONCE, /* a loop of one value */
	ARM_PART, /* of one behind a "break", or a loop behind "&&": a shell may skip it */
	ARM_REST, /* of a function, behind a return that a shell may skip */
};

struct shell_arm {
	enum arm_kind kind;
	size_t level;  /* number of what is open inside, of its kind */
	size_t number; /* unlike that of any other arm of the text */
	size_t branch; /* the number of its first arm */
	size_t index;  /* of the arm in its branch, from 1 on; 0: before the first pattern */
	size_t first;  /* where its arms begin behind the first condition, a number */
	bool is_last;
	bool is_if;
	bool is_test;	   /* what runs is a condition of an "if" or "elif" */
	bool is_condition; /* of an "if": a shell does not skip it */
};

static size_t level_of(const struct shell_nesting *nesting, enum arm_kind kind)
{
	if (kind == ARM_BRANCH)
		return nesting->branches;
	if (kind == ARM_REST)
		return SIZE_MAX; /* the end of the function closes it */
	return kind == ARM_GROUP ? nesting->braces : nesting->loops;
}

static void push(struct shell_arms *a, enum arm_kind kind, size_t level)
{
	size_t number = ++a->last;

	a->arm = mem_grow(a->arm, a->count, sizeof(*a->arm));
	a->arm[a->count++] =
	    (struct shell_arm){ .kind = kind, .level = level, .number = number, .branch = number };
	a->arm[a->count - 1].first = number;
}

/* Returns how many of a kind are open. */
static size_t count_of(const struct shell_arms *a, bool are_loops)
{
	for (size_t i = a->count; i > 0; i--) {
		enum arm_kind kind = a->arm[i - 1].kind;

		if (are_loops ? kind == ARM_LOOP || kind == ARM_ONCE || kind == ARM_PART
			      : kind == ARM_BRANCH)
			return a->arm[i - 1].level;
	}
	return 0;
}

static void enter_joined(struct shell_arms *a, const struct shell_step *step)
{
	if (!step->is_joined)
		a->joined = 0;
	else if (a->joined == 0 || step->is_or)
		a->joined = ++a->last;
}

void shell_arms_enter(
    struct shell_arms *a, const struct shell_nesting *nesting, const struct shell_step *step)
{
	while (a->count > 0 &&
	    a->arm[a->count - 1].level > level_of(nesting, a->arm[a->count - 1].kind))
		a->count--;
	if (nesting->is_then && a->count > 0) {
		if (a->arm[a->count - 1].is_condition)
			a->arm[a->count - 1].number = a->arm[a->count - 1].first = ++a->last;
		a->arm[a->count - 1].is_condition = a->arm[a->count - 1].is_test = false;
	}
	if (nesting->is_arm && a->count > 0 && a->arm[a->count - 1].kind == ARM_BRANCH) {
		a->arm[a->count - 1].number = ++a->last;
		if (step->is_next)
			a->arm[a->count - 1].first = a->last;
		a->arm[a->count - 1].is_last = step->is_last;
		a->arm[a->count - 1].is_test = a->arm[a->count - 1].is_if && !step->is_last;
		a->arm[a->count - 1].index++;
	}
	if (step->is_group && step->is_joined)
		push(a, ARM_GROUP, nesting->braces);
	for (size_t n = count_of(a, false); n < nesting->branches;) {
		push(a, ARM_BRANCH, ++n);
		a->arm[a->count - 1].is_if = nesting->is_if && n == nesting->branches;
		a->arm[a->count - 1].is_condition = a->arm[a->count - 1].is_if;
		a->arm[a->count - 1].is_test = a->arm[a->count - 1].is_if;
		a->arm[a->count - 1].index = nesting->is_if ? 1 : 0;
	}
	for (size_t n = count_of(a, true); n < nesting->loops;) {
		if (step->is_joined)
			push(a, ARM_PART, n + 1);
		push(a, step->is_once ? ARM_ONCE : ARM_LOOP, ++n);
	}
	enter_joined(a, step);
}

/* Returns whether a shell may skip an arm. */
static bool is_skipped(const struct shell_arm *arm)
{
	return (arm->kind == ARM_BRANCH && !arm->is_condition) || arm->kind == ARM_GROUP ||
	    arm->kind == ARM_PART || arm->kind == ARM_REST;
}

/* Returns the innermost arm that a shell may skip, or NULL. */
static const struct shell_arm *innermost(const struct shell_arms *a, bool is_loop)
{
	for (size_t i = a->count; i > 0; i--) {
		const struct shell_arm *arm = &a->arm[i - 1];

		if (is_loop ? arm->kind == ARM_LOOP : is_skipped(arm))
			return arm;
	}
	return NULL;
}

size_t shell_arms_now(const struct shell_arms *a)
{
	const struct shell_arm *arm = innermost(a, false);

	if (a->joined != 0)
		return a->joined;
	return arm == NULL ? 0 : arm->number;
}

bool shell_arms_fork(const struct shell_arms *a)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->arm[i].kind != ARM_REST && is_skipped(&a->arm[i]))
			return true;
	}
	return a->joined != 0;
}

struct shell_branch shell_arms_branch(const struct shell_arms *a)
{
	const struct shell_arm *arm = innermost(a, false);
	size_t skipped = 0;

	if (a->joined != 0 || arm == NULL)
		return (struct shell_branch){ 0 };
	for (size_t i = 0; i < a->count; i++)
		skipped += is_skipped(&a->arm[i]) ? 1 : 0;
	return (struct shell_branch){ arm->branch, arm->index, arm->is_last,
		skipped == 1 && innermost(a, true) == NULL };
}

size_t shell_arms_loop(const struct shell_arms *a)
{
	const struct shell_arm *arm = innermost(a, true);

	return arm == NULL ? 0 : arm->number;
}

size_t shell_arms_time(const struct shell_arms *a, size_t *begin)
{
	bool is_in_loop = false, is_test = false;

	*begin = 0;
	for (size_t i = 0; i < a->count; i++) {
		is_in_loop = is_in_loop || a->arm[i].kind == ARM_LOOP;
		is_test = is_test || a->arm[i].is_test;
		if (a->arm[i].kind == ARM_BRANCH && !is_in_loop)
			*begin = a->arm[i].number;
	}
	return *begin == 0 || is_test ? 0 : a->last;
}

bool shell_arms_hide(const struct shell_arms *a, size_t time)
{
	/* The next round of a loop sees what another arm set in the one before it. */
	for (size_t i = 0; i < a->count && a->arm[i].kind != ARM_LOOP && time != 0; i++) {
		if (a->arm[i].kind == ARM_BRANCH && time >= a->arm[i].first &&
		    time < a->arm[i].number)
			return true;
	}
	return false;
}

bool shell_arms_have(const struct shell_arms *a, size_t number)
{
	if (number == a->joined)
		return true;
	for (size_t i = a->count; i > 0; i--) {
		if (a->arm[i - 1].number == number)
			return true;
	}
	return false;
}

const char *shell_arms_where(const struct shell_arms *a)
{
	const struct shell_arm *arm = innermost(a, false);

	if (a->joined != 0 || (arm != NULL && arm->kind != ARM_REST))
		return "in a branch";
	return arm != NULL ? "behind a return" : "in a loop";
}

void shell_arms_skip(struct shell_arms *a, size_t base)
{
	size_t number = a->last + 1;

	if (base > a->count || (base < a->count && a->arm[base].kind == ARM_REST))
		return;
	a->last = number;
	a->arm = mem_grow(a->arm, a->count, sizeof(*a->arm));
	(void)memmove(a->arm + base + 1, a->arm + base, (a->count - base) * sizeof(*a->arm));
	a->arm[base] = (struct shell_arm){ .kind = ARM_REST, .number = number, .branch = number };
	a->count++;
}

void shell_arms_break(struct shell_arms *a)
{
	for (size_t i = a->count; i > 0; i--) {
		struct shell_arm *arm = &a->arm[i - 1];

		if (arm->kind == ARM_ONCE)
			arm->kind = ARM_PART;
		if (arm->kind == ARM_PART || arm->kind == ARM_LOOP || arm->kind == ARM_REST)
			return;
	}
}

void shell_arms_return(struct shell_arms *a, size_t base)
{
	a->count = a->count > base ? base : a->count;
}

void shell_arms_free(struct shell_arms *a)
{
	free(a->arm);
	*a = (struct shell_arms){ 0 };
}
