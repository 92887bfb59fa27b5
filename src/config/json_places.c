/*
 * The places of the values of a JSON text.  A spec can have a problem in each of its thousands of
 * targets: one pass finds the places of all values, instead of one pass for each problem.
 */
#include "config/json_places.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#define ROOT_HASH 14695981039346656037u /* of FNV-1a, as the prime */
#define PRIME 1099511628211u

/* A hash table of the places.  Paths with the same hash would share one: then a line is wrong. */
struct json_places {
	struct spot {
		uint64_t path; /* hash; 0: none */
		size_t line, column;
	} * spot;
	size_t count, room; /* room is a power of two */
};

/* A pass over the text. */
struct pass {
	struct json json;
	struct json_places *places;
	uint64_t path[MAX_JSON_DEPTH + 1];  /* of the open containers, from 1 on */
	size_t entries[MAX_JSON_DEPTH + 1]; /* of the open lists, so far */
	bool in_object[MAX_JSON_DEPTH + 1];
	int depth;
	uint64_t value;		     /* path of the value that comes next */
	size_t at, line, line_start; /* how far lines were counted */
};

static uint64_t mix(uint64_t hash, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * PRIME;
	hash ^= hash >> 29;
	return hash == 0 ? 1 : hash;
}

/* Returns the path of a member; the final byte tells "12" from entry 12. */
static uint64_t member_path(uint64_t object, const char *key)
{
	return mix(object, key, strlen(key) + 1);
}

static uint64_t entry_path(uint64_t list, uint64_t index)
{
	return mix(list ^ PRIME, &index, sizeof(index));
}

static struct spot *find_spot(const struct json_places *places, uint64_t path)
{
	size_t i = (size_t)path & (places->room - 1);

	while (places->spot[i].path != 0 && places->spot[i].path != path)
		i = (i + 1) & (places->room - 1);
	return &places->spot[i];
}

static void grow(struct json_places *places)
{
	struct json_places bigger = { .room = places->room == 0 ? 64 : 2 * places->room };

	bigger.spot = mem_zero(bigger.room * sizeof(*bigger.spot));
	bigger.count = places->count;
	for (size_t i = 0; i < places->room; i++) {
		if (places->spot[i].path != 0)
			*find_spot(&bigger, places->spot[i].path) = places->spot[i];
	}
	free(places->spot);
	*places = bigger;
}

/* Notes where the value that comes next stands, unless its path was there before. */
static void note(struct pass *p, size_t offset)
{
	struct spot *spot;

	for (; p->at < offset; p->at++) {
		if (p->json.text[p->at] == '\n') {
			p->line++;
			p->line_start = p->at + 1;
		}
	}
	if (2 * (p->places->count + 1) > p->places->room)
		grow(p->places);
	spot = find_spot(p->places, p->value);
	if (spot->path != 0)
		return;
	*spot = (struct spot){ p->value, p->line, offset - p->line_start + 1 };
	p->places->count++;
}

/* Notes the place of an entry of a list, and enters the value if it is a container. */
static void take_value(struct pass *p, const struct json_token *token)
{
	if (p->depth > 0 && !p->in_object[p->depth]) {
		p->value = entry_path(p->path[p->depth], ++p->entries[p->depth]);
		note(p, token->offset);
	}
	if (token->type != JSON_OBJECT && token->type != JSON_LIST)
		return;
	p->depth++;
	p->path[p->depth] = p->value;
	p->entries[p->depth] = 0;
	p->in_object[p->depth] = token->type == JSON_OBJECT;
}

struct json_places *json_places_new(const char *text, size_t length)
{
	struct json_places *places = mem_zero(sizeof(*places));
	struct pass p = { .places = places, .value = ROOT_HASH, .line = 1 };
	struct json_token token;

	grow(places);
	json_start(&p.json, text, length);
	while (json_next(&p.json, &token) != JSON_END && token.type != JSON_ERROR) {
		if (token.type == JSON_KEY) {
			MEM_AUTO char *key = json_text(&p.json, &token, NULL);

			p.value = member_path(p.path[p.depth], key);
			note(&p, token.offset);
		} else if (token.type == JSON_OBJECT_END || token.type == JSON_LIST_END) {
			p.depth--;
		} else {
			take_value(&p, &token);
		}
	}
	return places;
}

bool json_place(
    const struct json_places *places, const struct node *keys, size_t *line, size_t *column)
{
	uint64_t path = ROOT_HASH;
	bool is_found = false;

	*line = *column = 1;
	for (const struct node *k = keys->first; k != NULL; k = k->next) {
		const struct spot *spot;

		path = k->kind == NODE_STRING ? member_path(path, k->text)
					      : entry_path(path, (uint64_t)k->integer);
		spot = find_spot(places, path);
		if (spot->path == 0)
			break;
		*line = spot->line;
		*column = spot->column;
		is_found = true;
	}
	return is_found;
}

void json_places_free(struct json_places *places)
{
	if (places == NULL)
		return;
	free(places->spot);
	free(places);
}
