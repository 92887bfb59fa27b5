/* Rolls numbers and pieces of JSON, especially texts that are hard to quote. */
#include "random_roll.h"

#include <inttypes.h>
#include <string.h>

static uint64_t dice;

void random_seed(unsigned seed)
{
	dice = seed;
}

unsigned random_below(unsigned n)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(dice >> 33) % n;
}

bool one_in(unsigned n)
{
	return random_below(n) == 0;
}

char *odd_text(const struct random_spec *s, const char *before, unsigned most)
{
	static const char *const pieces[] = { ",", "=", "%", "\\", " ", "%(name)", "%%", ".", ":",
		"\"", "'", "true", ",hd:", ",cd:", "ram=", "a", "disk", "0", "\xc3\xbc", ";", "/",
		"-", "(", ")", "\\%", "#", "\t", "$HOME", "*", "\n" };
	unsigned count = sizeof(pieces) / sizeof(pieces[0]) - (s->newlines ? 0 : 1);
	struct str text = { 0 };

	str_add(&text, before);
	for (unsigned i = random_below(most + 1); i > 0; i--)
		str_add(&text, pieces[random_below(count)]);
	return str_take(&text);
}

void add_key(struct str *json, const char *key)
{
	char last = json->length == 0 ? '{' : json->text[json->length - 1];

	str_add(json, last == '{' || last == '[' ? "" : ",");
	if (key != NULL) {
		str_add_json(json, key);
		str_add(json, ":");
	}
}

void add_text(struct str *json, const char *key, const char *value)
{
	add_key(json, key);
	str_add_json(json, value);
}

void add_number(struct str *json, const char *key, int64_t value)
{
	add_key(json, key);
	str_addf(json, "%" PRId64, value);
}

void add_bool(struct str *json, const char *key, bool value)
{
	add_key(json, key);
	str_add(json, value ? "true" : "false");
}
