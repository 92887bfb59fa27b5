/* The writer of JSON. */
#include "base/node_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The fewest digits that say this number and no other. */
static void add_number(struct str *s, double number)
{
	char text[40];
	size_t n;

	if (!isfinite(number)) {
		str_add(s, "null");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	/* The program around the library may have chosen a locale with another point. */
	n = strspn(text, "+-0123456789e");
	if (text[n] != '\0')
		text[n] = '.';
	str_add(s, text);
	if (strpbrk(text, ".e") == NULL)
		str_add(s, ".0");
}

static void add_children(struct str *s, const struct node *n)
{
	str_add(s, node_is_list(n) ? "[" : "{");
	for (const struct node *c = n->first; c != NULL; c = c->next) {
		str_add(s, c == n->first ? "" : ",");
		if (c->key != NULL) {
			str_add_json(s, c->key);
			str_add(s, ":");
		}
		node_add_json(s, c);
	}
	str_add(s, node_is_list(n) ? "]" : "}");
}

void node_add_json(struct str *s, const struct node *n)
{
	switch (n->kind) {
	case NODE_STRING:
		str_add_json(s, n->text);
		break;
	case NODE_INT:
		str_addf(s, "%" PRId64, n->integer);
		break;
	case NODE_NUMBER:
		add_number(s, n->number);
		break;
	case NODE_BOOL:
		str_add(s, n->truth ? "true" : "false");
		break;
	case NODE_LIST:
	case NODE_OBJECT:
	case NODE_EMPTY:
		add_children(s, n);
		break;
	case NODE_NULL:
	case NODE_FUNCTION:
	case NODE_OTHER:
		str_add(s, "null");
		break;
	}
}
