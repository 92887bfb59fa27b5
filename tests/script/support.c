/* Helpers of the tests of src/script. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "boots.h"
#include "script/script_internal.h"
#include "script/values.h"

struct str support_log;

static void keep_log(void *context, const char *level, const char *text)
{
	(void)context;
	str_addf(&support_log, "%s: %s\n", level, text);
}

struct script *script_open(int64_t budget_ms, size_t memory_bytes)
{
	struct script_options options = {
		.budget_ms = budget_ms,
		.memory_bytes = memory_bytes,
		.log = keep_log,
		.hypervisor = "bhyve",
	};
	struct script *s = NULL;
	struct error err = { 0 };

	if (script_new(&s, &options, &err) != 0)
		fail_msg("script_new: %s", err.text);
	return s;
}

int support_setup(void **state)
{
	*state = script_open(60000, 64 * MIB);
	return 0;
}

int support_teardown(void **state)
{
	boots_forget();
	script_free(*state);
	str_free(&support_log);
	return 0;
}

struct reading {
	const char *expression;
	struct node *out;
};

static int read_expression(lua_State *L)
{
	struct reading *r = lua_touserdata(L, 1);

	static const char words[] = "local null, f, list, object = ... return ";

	lua_pushfstring(L, "%s%s", words, r->expression);
	if (luaL_loadstring(L, lua_tostring(L, -1)) != LUA_OK)
		return lua_error(L);
	lua_pushlightuserdata(L, NULL);
	lua_getglobal(L, "print");
	lua_newtable(L);
	values_set_mark(L, -1, MARK_LIST);
	lua_newtable(L);
	values_set_mark(L, -1, MARK_OBJECT);
	lua_call(L, 4, 1);
	if (!lua_isnil(L, -1))
		values_take(L, -1, &r->out);
	return 0;
}

struct node *node_of(const char *expression)
{
	struct script *s = script_open(60000, 64 * MIB);
	struct reading r = { .expression = expression };

	script_call_begin(s, 0);
	lua_pushcfunction(s->L, read_expression);
	lua_pushlightuserdata(s->L, &r);
	if (lua_pcall(s->L, 1, 0, 0) != LUA_OK)
		fail_msg("%s: %s", expression, lua_tostring(s->L, -1));
	script_free(s);
	return r.out;
}

static void show_into(struct str *out, const struct node *n)
{
	const char *separator = "";

	switch (n->kind) {
	case NODE_BOOL:
		str_add(out, n->truth ? "true" : "false");
		return;
	case NODE_INT:
		str_addf(out, "%lld", (long long)n->integer);
		return;
	case NODE_NUMBER:
		str_addf(out, "%.17g", n->number);
		return;
	case NODE_STRING:
		str_add_json(out, n->text);
		if (strlen(n->text) != n->length)
			str_addf(out, "(%zu bytes)", n->length);
		return;
	case NODE_LIST:
	case NODE_OBJECT:
		break;
	default:
		str_addf(out, "<%s>", node_kind_name(n));
		return;
	}
	str_add(out, n->kind == NODE_LIST ? "[" : "{");
	for (const struct node *c = n->first; c != NULL; c = c->next) {
		str_add(out, separator);
		if (n->kind == NODE_OBJECT)
			str_addf(out, "%s=", c->key);
		show_into(out, c);
		separator = ", ";
	}
	str_add(out, n->kind == NODE_LIST ? "]" : "}");
}

char *node_show(const struct node *n)
{
	struct str out = { 0 };

	if (n == NULL)
		str_add(&out, "nil");
	else
		show_into(&out, n);
	return str_take(&out);
}

static void compare(const struct node *got, const char *expression)
{
	struct node *wanted = node_of(expression);
	MEM_AUTO char *a = node_show(got);
	MEM_AUTO char *b = node_show(wanted);

	node_free(wanted);
	assert_string_equal(a, b);
}

static struct node *call(struct script *s, const char *function, const struct node *argument)
{
	struct error err = { 0 };
	struct node *result = NULL;

	if (engine_call(s, function, argument, &result, &err) != 0)
		fail_msg("%s: %s", function, err.text);
	return result;
}

void expect(struct script *s, const char *function, const char *argument, const char *answer)
{
	struct node *n = node_of(argument);
	struct node *result = call(s, function, n);

	compare(result, answer);
	node_free(n);
	node_free(result);
}

char *error_of(struct script *s, const char *function, const struct node *argument)
{
	struct error err = { 0 };
	struct node *result = NULL;

	if (engine_call(s, function, argument, &result, &err) == 0) {
		MEM_AUTO char *text = node_show(result);

		node_free(result);
		fail_msg("%s worked: %s", function, text);
	}
	assert_null(result);
	if (err.status != STATUS_SPEC)
		fail_msg("%s: status %d: %s", function, err.status, err.text);
	return err.text;
}

static void expect_begin(const char *text, const char *begin)
{
	if (strncmp(text, begin, strlen(begin)) != 0)
		fail_msg("wanted: %s\ngot: %s", begin, text);
}

void expect_error(struct script *s, const char *function, const char *argument, const char *text)
{
	struct node *n = node_of(argument);
	MEM_AUTO char *got = error_of(s, function, n);

	node_free(n);
	expect_begin(got, text);
}

struct node *lua_file(const char *text)
{
	struct node *n = node_new(NODE_OBJECT);

	node_put(n, "format", node_string("lua"));
	node_put(n, "name", node_string("vm.lua"));
	node_put(n, "directory", node_string("/specs"));
	node_put(n, "text", node_string(text));
	return n;
}

void load_lua(struct script *s, const char *text)
{
	struct node *n = lua_file(text);

	assert_null(call(s, "load", n));
	node_free(n);
}

void load_error(struct script *s, const char *text, const char *begin)
{
	struct node *n = lua_file(text);
	MEM_AUTO char *got = error_of(s, "load", n);

	node_free(n);
	expect_begin(got, begin);
}

void expect_boot(struct script *s, const char *target, const char *key, const char *value)
{
	struct node *argument = node_new(NODE_OBJECT), *result;

	node_put(argument, "target", node_string(target));
	result = call(s, "boot", argument);
	compare(node_get(result, key), value);
	node_free(argument);
	node_free(result);
}
