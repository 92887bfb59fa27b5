/* Names by their hash, with open addresses. */
#include "target/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static size_t hash(const char *text)
{
	uint64_t h = 14695981039346656037u;

	for (const char *p = text; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return (size_t)(h ^ h >> 29);
}

/* Returns the place of a name, or the free one where it would be.  There is room for one more. */
static struct name *place(const struct names *names, const char *text)
{
	size_t i = hash(text) & (names->room - 1);

	while (names->item[i].text != NULL && strcmp(names->item[i].text, text) != 0)
		i = (i + 1) & (names->room - 1);
	return &names->item[i];
}

static void grow(struct names *names)
{
	struct names bigger = { .room = names->room == 0 ? 16 : 2 * names->room };

	bigger.item = mem_zero(bigger.room * sizeof(*bigger.item));
	bigger.count = names->count;
	for (size_t i = 0; i < names->room; i++) {
		if (names->item[i].text != NULL)
			*place(&bigger, names->item[i].text) = names->item[i];
	}
	free(names->item);
	*names = bigger;
}

struct name *names_at(struct names *names, const char *text)
{
	struct name *at;

	if (2 * (names->count + 1) > names->room)
		grow(names);
	at = place(names, text);
	if (at->text == NULL) {
		at->text = text;
		names->count++;
	}
	return at;
}

const struct name *names_find(const struct names *names, const char *text)
{
	const struct name *at = names->room == 0 ? NULL : place(names, text);

	return at == NULL || at->text == NULL ? NULL : at;
}

void names_free(struct names *names)
{
	free(names->item);
	memset(names, 0, sizeof(*names));
}
