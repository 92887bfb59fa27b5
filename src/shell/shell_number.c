/* Whole numbers with + - * / % and parentheses. */
#include "shell/shell_number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shell/shell_expand.h"
#include "shell/shell_list.h"
#include "shell/shell_text.h"

#define MAX_DEPTH 32 /* of parentheses and signs */

struct sum {
	const struct shell_values *v;
	struct shell_basis *basis;
	const char *p;
	size_t line;
	unsigned depth;
	bool failed;
};

static long long read_sum(struct sum *s);

static void skip_blanks(struct sum *s)
{
	s->p += strspn(s->p, " \t\n");
}

static long long fail(struct sum *s)
{
	s->failed = true;
	return 0;
}

/* Reads a number as C has it, and sets *end behind it. */
static long long read_digits(struct sum *s, const char *text, const char **end)
{
	char *behind;
	long long number;

	errno = 0;
	number = strtoll(text, &behind, 0);
	*end = behind;
	return behind == text || errno != 0 || isalnum((unsigned char)*behind) ? fail(s) : number;
}

static long long read_name(struct sum *s)
{
	size_t n = shell_name_length(s->p, strlen(s->p));
	const struct shell_variable *found = shell_seen(s->v, s->p, n);
	const char *end;
	long long number;

	if (found == NULL) {
		shell_miss_variable(s->v, s->p, n, s->line, s->basis);
		s->p += n;
		return 1; /* with what is missing, no one takes the value */
	}
	s->p += n;
	shell_use(s->v, found, s->basis);
	if (found->basis.missing.count > 0)
		return 1;
	number = read_digits(s, found->value, &end);
	return *end == '\0' ? number : fail(s);
}

static long long read_factor(struct sum *s)
{
	long long number;

	skip_blanks(s);
	if (s->failed || ++s->depth > MAX_DEPTH)
		return fail(s);
	if (*s->p == '(') {
		s->p++;
		number = read_sum(s);
		skip_blanks(s);
		number = *s->p == ')' ? number : fail(s);
		s->p += *s->p == ')' ? 1 : 0;
	} else if ((*s->p == '-' || *s->p == '+') && s->p[1] != *s->p) {
		bool is_minus = *s->p++ == '-';

		number = read_factor(s);
		if (is_minus && __builtin_sub_overflow(0, number, &number))
			number = fail(s);
	} else if (isdigit((unsigned char)*s->p)) {
		number = read_digits(s, s->p, &s->p);
	} else {
		number = shell_name_length(s->p, strlen(s->p)) > 0 ? read_name(s) : fail(s);
	}
	s->depth--;
	return number;
}

static long long divide(struct sum *s, char operator, long long a, long long b)
{
	if (b == 0 || (b == -1 && __builtin_sub_overflow(0, a, &a)))
		return fail(s);
	if (b == -1)
		return operator== '/' ? a : 0;
	return operator== '/' ? a / b : a % b;
}

static long long read_product(struct sum *s)
{
	long long number = read_factor(s);

	for (skip_blanks(s); !s->failed && *s->p != '\0' && strchr("*/%", *s->p) != NULL;
	     skip_blanks(s)) {
		char operator= * s->p++;
		long long other = read_factor(s);

		if (s->failed)
			break;
		if (operator!= '*')
			number = divide(s, operator, number, other);
		else if (__builtin_mul_overflow(number, other, &number))
			number = fail(s);
	}
	return number;
}

static long long read_sum(struct sum *s)
{
	long long number = read_product(s);

	for (skip_blanks(s); !s->failed && (*s->p == '+' || *s->p == '-'); skip_blanks(s)) {
		bool is_minus = *s->p++ == '-';
		long long other = read_product(s);

		if (is_minus ? __builtin_sub_overflow(number, other, &number)
			     : __builtin_add_overflow(number, other, &number))
			number = fail(s);
	}
	return number;
}

char *shell_number(
    const struct shell_values *v, const char *text, size_t line, struct shell_basis *basis)
{
	struct sum s = { .v = v, .basis = basis, .p = text, .line = line };
	long long number = read_sum(&s);

	skip_blanks(&s);
	return s.failed || *s.p != '\0' ? NULL : mem_format("%lld", number);
}
