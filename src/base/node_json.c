/* Nodes as JSON. */
#include "base/node_json.h"

#include "base/json_write.h"

static void add_value(struct str *s, const char *key, const struct node *n);

static void add_children(struct str *s, const char *key, const struct node *n)
{
	bool is_list = node_is_list(n);

	if (is_list)
		json_begin_list(s, key);
	else
		json_begin_object(s, key);
	for (const struct node *c = n->first; c != NULL; c = c->next)
		add_value(s, c->key, c);
	if (is_list)
		json_end_list(s);
	else
		json_end_object(s);
}

static void add_value(struct str *s, const char *key, const struct node *n)
{
	switch (n->kind) {
	case NODE_STRING:
		json_add_text(s, key, n->text);
		break;
	case NODE_INT:
		json_add_int(s, key, n->integer);
		break;
	case NODE_NUMBER:
		if (n->text != NULL)
			json_add_json(s, key, n->text);
		else
			json_add_number(s, key, n->number);
		break;
	case NODE_BOOL:
		json_add_bool(s, key, n->truth);
		break;
	case NODE_LIST:
	case NODE_OBJECT:
	case NODE_EMPTY:
		add_children(s, key, n);
		break;
	case NODE_NULL:
	case NODE_FUNCTION:
	case NODE_OTHER:
	case NODE_KINDS:
		json_add_null(s, key);
		break;
	}
}

void node_add_json(struct str *s, const struct node *n)
{
	STR_AUTO struct str json = { 0 };

	/* The writer of JSON would judge by the end of s, which is not always JSON. */
	add_value(&json, NULL, n);
	str_add_n(s, json.text, json.length);
}
