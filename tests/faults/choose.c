/* Which call fails at which position with which error. */
#define _GNU_SOURCE
#include "choose.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/words.h"
#include "world.h"

#define MAX_ERRORS 6

#define ROW(type, name, parameters, arguments, failure, ...) { #name, { __VA_ARGS__ } },
#define OTHER_ROW(name, ...) { #name, { __VA_ARGS__ } },

static const struct {
	const char *name;
	int errors[MAX_ERRORS]; /* ends with 0 */
} calls[] = { FAULTS_CALLS(ROW, OTHER_ROW) };

const char *choose_name(int call)
{
	return call < 0 ? "nothing" : calls[call].name;
}

int choose_call(const char *name)
{
	for (int i = 0; i < CALLS; i++) {
		if (strcmp(calls[i].name, name) == 0)
			return i;
	}
	return -1;
}

static unsigned long errors_of(int call)
{
	unsigned long n = 0;

	while (n < MAX_ERRORS && calls[call].errors[n] != 0)
		n++;
	return n;
}

static bool is_memory(int call)
{
	return call == CALL_malloc || call == CALL_calloc || call == CALL_realloc;
}

/* Returns how many injections a call gets: no more than `most`, but each of its errors once. */
static unsigned long share(bool memory, const unsigned long *counts, int call, unsigned long most)
{
	unsigned long errors = errors_of(call), all = counts[call] * errors;

	if (is_memory(call) != memory || all == 0)
		return 0;
	most = most < errors ? errors : most;
	return all < most ? all : most;
}

static unsigned long total(bool memory, const unsigned long *counts, unsigned long most)
{
	unsigned long sum = 0;

	for (int i = 0; i < CALLS; i++)
		sum += share(memory, counts, i, most);
	return sum;
}

/* Gives each of n positions the next error; once all positions have one, each gets another. */
static void add_call(struct injections *list, int call, unsigned long all, unsigned long n)
{
	unsigned long errors = errors_of(call);

	for (unsigned long i = 0; i < n; i++) {
		unsigned long at = n < all ? i * all / n : i % all;

		list->item[list->count++] = (struct injection){ .call = call,
			.at = at + 1,
			.error = calls[call].errors[(i % all + i / all) % errors] };
	}
}

void choose_one_call(int call, unsigned long all, struct injections *list)
{
	list->possible = all * errors_of(call);
	list->item = mem_resize(NULL, list->possible + 1, sizeof(*list->item));
	add_call(list, call, all, list->possible);
}

void choose_injections(
    bool memory, const unsigned long *counts, unsigned long budget, struct injections *list)
{
	unsigned long most = 1;

	list->possible = total(memory, counts, (unsigned long)-1);
	if (budget == 0 || budget > list->possible)
		budget = list->possible;
	while (total(memory, counts, most) < budget)
		most++;
	list->item = mem_resize(NULL, total(memory, counts, most) + 1, sizeof(*list->item));
	for (int i = 0; i < CALLS; i++)
		add_call(list, i, counts[i], share(memory, counts, i, most));
}

void choose_print(const unsigned long *counts, const unsigned long *done)
{
	unsigned long sum = 0;

	printf("%-16s%10s%8s%12s\n", "call", "positions", "errors", "injections");
	for (int i = 0; i < CALLS; i++) {
		if (done[i] > 0)
			printf("%-16s%10lu%8lu%12lu\n", calls[i].name, counts[i], errors_of(i),
			    done[i]);
		sum += done[i];
	}
	printf("%-16s%10s%8s%12lu\n", "all", "", "", sum);
}

/* Returns whether a word stands for the symbol; "name*" stands for all that begin so. */
static bool stands_for(const char *word, const char *symbol)
{
	size_t n = strcspn(word, "*");

	return word[n] == '*' ? strncmp(word, symbol, n) == 0 : strcmp(word, symbol) == 0;
}

/* Returns whether a line of the text, "SYMBOL...: reason", has the symbol. */
static bool is_excluded(const char *text, const char *symbol)
{
	MEM_AUTO char *copy = mem_copy(text);
	char *rest = copy;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		char *names = strsep(&line, ":");

		if (*names == '#' || line == NULL || strlen(line) < 4)
			continue;
		for (char *name; (name = strsep(&names, " ")) != NULL;) {
			if (*name != '\0' && stands_for(name, symbol))
				return true;
		}
	}
	return false;
}

bool choose_check(const unsigned long *counts, const char *excluded)
{
	MEM_AUTO char *text = world_read(excluded);
	size_t covered = 0, left_out = 0, wrong = 0;
	char symbol[128];

	while (scanf("%*s %127s", symbol) == 1) {
		int call;
		bool out;

		symbol[strcspn(symbol, "@")] = '\0';
		call = choose_call(symbol);
		out = is_excluded(text, symbol);
		if (call >= 0 && counts[call] > 0 && !out) {
			printf("%s ", symbol);
			covered++;
		} else if (out) {
			left_out++; /* also a call that a run makes only on a busy machine */
		} else {
			wrong++;
			printf("\nFAILED: %s: %s\n", symbol,
			    call < 0
				? "a new call: cover it in calls.h, or exclude it with a reason"
				: "no scenario calls it");
		}
	}
	printf("\n%zu calls covered, %zu excluded, %zu wrong\n", covered, left_out, wrong);
	return wrong == 0 && covered > 0;
}
