/* Output of commands, kept as facts. */
#include "check/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool is_same(const struct words *a, const char *const *b)
{
	size_t i = 0;

	while (i < a->count && b[i] != NULL && strcmp(a->item[i], b[i]) == 0)
		i++;
	return i == a->count && b[i] == NULL;
}

const struct fact *facts_ask(struct facts *facts, const char *const *command)
{
	struct fact *fact;

	for (size_t i = 0; i < facts->count; i++) {
		fact = facts->item[i];
		if (is_same(&fact->command, command))
			return fact->known ? fact : NULL;
	}
	fact = mem_zero(sizeof(*fact));
	for (size_t i = 0; command[i] != NULL; i++)
		words_add(&fact->command, command[i]);
	facts->item = mem_resize(facts->item, facts->count + 1, sizeof(struct fact *));
	facts->item[facts->count++] = fact;
	return NULL;
}

static struct fact *next_wanted(const struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		if (!facts->item[i]->known)
			return facts->item[i];
	}
	return NULL;
}

const struct words *facts_wanted(const struct facts *facts)
{
	const struct fact *fact = next_wanted(facts);

	return fact == NULL ? NULL : &fact->command;
}

void facts_store(struct facts *facts, int status, bool missing, const char *text)
{
	struct fact *fact = next_wanted(facts);

	if (fact == NULL)
		return;
	fact->known = true;
	fact->status = status;
	fact->missing = missing;
	fact->text = mem_copy(text == NULL ? "" : text);
}

void facts_fail(struct facts *facts, const char *trouble)
{
	struct fact *fact = next_wanted(facts);

	facts_store(facts, -1, false, NULL);
	if (fact != NULL)
		fact->trouble = mem_copy(trouble);
}

void facts_clear(struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		words_free(&facts->item[i]->command);
		free(facts->item[i]->text);
		free(facts->item[i]->trouble);
		free(facts->item[i]);
	}
	free(facts->item);
	memset(facts, 0, sizeof(*facts));
}
