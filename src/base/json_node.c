/* JSON tokens into nodes, without recursion. */
#include "base/json_node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

static struct node *make_number(const char *digits, size_t n)
{
	MEM_AUTO char *text = mem_copy_n(digits, n);
	struct node *number;
	char *end;
	long long integer;

	if (strpbrk(text, ".eE") != NULL)
		return node_number(json_double(text));
	errno = 0;
	integer = strtoll(text, &end, 10);
	if (errno != 0) {
		number = node_number(json_double(text));
		number->text = mem_copy(text);
		return number;
	}
	number = node_int(integer);
	number->has_minus = integer < 0;
	return number;
}

static struct node *string(const struct json *j, const struct json_token *token)
{
	MEM_AUTO char *text = NULL;
	size_t length;

	if (!token->escapes) /* the text stands between the quotes */
		return node_string_n(j->text + token->offset + 1, token->length - 2);
	text = json_text(j, token, &length);
	return node_string_n(text, length);
}

struct node *json_value(const struct json *j, const struct json_token *token)
{
	switch (token->type) {
	case JSON_OBJECT:
		return node_new(NODE_OBJECT);
	case JSON_LIST:
		return node_new(NODE_LIST);
	case JSON_STRING:
		return string(j, token);
	case JSON_NUMBER:
		return make_number(j->text + token->offset, token->length);
	case JSON_TRUE:
	case JSON_FALSE:
		return node_bool(token->type == JSON_TRUE);
	default:
		return node_new(NODE_NULL);
	}
}

/* Puts a value into its parent, or into *root when it is the first. */
static void place(struct node **root, struct node *parent, const char *key, struct node *n)
{
	if (parent == NULL)
		*root = n;
	else if (parent->kind == NODE_OBJECT)
		node_put(parent, key, n);
	else
		node_append(parent, n);
}

/*
 * Returns whether the object has the key.  Objects are sorted: a key after their last one is new.
 */
static bool has_key(const struct node *object, const char *key)
{
	return object != NULL && object->last != NULL && strcmp(object->last->key, key) >= 0 &&
	    node_get(object, key) != NULL;
}

struct node *json_node_or_fault(const char *text, struct json_fault *fault)
{
	struct json j;
	struct json_token token;
	struct node *root = NULL, *open[MAX_JSON_DEPTH + 1] = { NULL };
	MEM_AUTO char *key = NULL;
	int depth = 0;

	json_start(&j, text, strlen(text));
	while (json_next(&j, &token) != JSON_END && token.type != JSON_ERROR) {
		struct node *n;

		if (token.type == JSON_KEY) {
			free(key);
			key = json_text(&j, &token, NULL);
			if (has_key(open[depth], key))
				break;
		} else if (token.type == JSON_OBJECT_END || token.type == JSON_LIST_END) {
			depth--;
		} else {
			n = json_value(&j, &token);
			place(&root, open[depth], key, n);
			if (token.type == JSON_OBJECT || token.type == JSON_LIST)
				open[++depth] = n;
		}
	}
	if (token.type == JSON_END)
		return root;
	node_free(root);
	fault->why = token.type == JSON_ERROR ? j.error : "duplicate key";
	json_line(
	    text, token.type == JSON_ERROR ? j.at : token.offset, &fault->line, &fault->column);
	return NULL;
}

struct node *json_node(const char *text)
{
	struct json_fault ignored;

	return json_node_or_fault(text, &ignored);
}
