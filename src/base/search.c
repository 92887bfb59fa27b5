/* Looks for a text in a stream. */
#include "base/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Returns the table of Knuth, Morris and Pratt: see struct search.  Caller frees. */
static size_t *make_falls(const char *text, size_t n)
{
	size_t *fall = mem_zero((n + 1) * sizeof(*fall));

	for (size_t i = 1, k = 0; i < n; i++) {
		while (k > 0 && text[i] != text[k])
			k = fall[k];
		if (text[i] == text[k])
			k++;
		fall[i + 1] = k;
	}
	return fall;
}

void search_begin(struct search *s, const char *text, size_t length)
{
	s->text = mem_copy_n(text, length);
	s->length = length;
	s->matched = 0;
	s->fall = make_falls(text, length);
}

size_t search_bytes(struct search *s, const char *bytes, size_t n)
{
	const char *at = bytes, *end = bytes + n;

	if (s->length == 0)
		return n > 0 ? 1 : 0;
	while (at < end) {
		if (s->matched == 0) {
			at = memchr(at, s->text[0], (size_t)(end - at));
			if (at == NULL)
				return 0;
		}
		while (s->matched > 0 && *at != s->text[s->matched])
			s->matched = s->fall[s->matched];
		if (*at == s->text[s->matched])
			s->matched++;
		at++;
		if (s->matched == s->length) {
			s->matched = 0;
			return (size_t)(at - bytes);
		}
	}
	return 0;
}

void search_restart(struct search *s)
{
	s->matched = 0;
}

void search_free(struct search *s)
{
	free(s->text);
	free(s->fall);
	memset(s, 0, sizeof(*s));
}
