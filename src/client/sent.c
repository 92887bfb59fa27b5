/* Requests in an array, because most clients have few of them. */
#include "client/sent.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Removes the request at this place, without its answer. */
static void remove_at(struct sent *s, size_t at)
{
	s->count--;
	memmove(&s->request[at], &s->request[at + 1], (s->count - at) * sizeof(*s->request));
}

/* Returns the request with this id, or NULL. */
static struct sent_request *find(const struct sent *s, uint64_t id)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->request[i].id == id)
			return &s->request[i];
	}
	return NULL;
}

void sent_add(struct sent *s, uint64_t id)
{
	if (s->count == MAX_SENT) {
		free(s->request[0].answer);
		remove_at(s, 0);
	}
	s->request = mem_resize(s->request, s->count + 1, sizeof(*s->request));
	s->request[s->count++] = (struct sent_request){ .id = id };
}

bool sent_remove(struct sent *s, uint64_t id)
{
	struct sent_request *r = find(s, id);

	if (r == NULL)
		return false;
	free(r->answer);
	remove_at(s, (size_t)(r - s->request));
	return true;
}

void sent_keep(struct sent *s, uint64_t id, char *answer)
{
	struct sent_request *r = find(s, id);

	if (r == NULL || r->answer != NULL)
		free(answer);
	else
		r->answer = answer;
}

char *sent_take(struct sent *s, uint64_t *id)
{
	for (size_t i = 0; i < s->count; i++) {
		char *answer = s->request[i].answer;

		if (answer == NULL)
			continue;
		*id = s->request[i].id;
		remove_at(s, i);
		return answer;
	}
	return NULL;
}

void sent_clear(struct sent *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->request[i].answer);
	free(s->request);
	*s = (struct sent){ 0 };
}
