/* Clients of the vmruns of other processes: vmrun.connect(), vmrun.list(), a client's methods. */
#include "luamodule/client.h"

#include <stdbool.h>
#include <stdint.h>

#include <lauxlib.h>

#include "luamodule/arguments.h"
#include "luamodule/hold.h"
#include "luamodule/loop.h"
#include "luamodule/metatable.h"
#include "luamodule/values.h"
#include "vmrun/client.h"

#define ANSWER_MS 5000 /* the default limit of what vmrun does at once */
#define WAIT_MS 60000  /* and of what takes a guest some time */
#define READ_SIZE 4096

struct client {
	struct vmrun_client *handle; /* NULL: closed */
};

/* Returns the handle of the client at an index of the stack; raises if it is closed. */
static struct vmrun_client *check(lua_State *L, int index)
{
	const struct client *c = luaL_checkudata(L, index, CLIENT_TYPE);

	if (c->handle == NULL)
		luaL_error(L, "the client is closed");
	return c->handle;
}

struct pollfd client_descriptor(lua_State *L, int index)
{
	const struct vmrun_client *handle = check(L, index);

	return (
	    struct pollfd){ .fd = vmrun_client_fd(handle), .events = vmrun_client_events(handle) };
}

/*
 * Pushes nil, why the last call failed, and its status.  The reasons of the library name functions
 * as C programs call them.
 */
static int push_failure(lua_State *L, const struct vmrun_client *handle, int status)
{
	bool held = hold_begin(L);

	lua_pushnil(L);
	(void)luaL_gsub(L, vmrun_client_error(handle), "vmrun_client_", "client:");
	lua_pushinteger(L, status);
	hold_end(L, held);
	return 3;
}

/*
 * Pushes the value of JSON that vmrun has sent; or nil, why it has none (a duplicate key), and the
 * status.
 */
static int push_json(lua_State *L, const char *json)
{
	if (values_push_lent(L, json))
		return 1;
	(void)lua_pushfstring(L, "malformed answer: %s", lua_tostring(L, -1));
	lua_pushnil(L);
	lua_replace(L, -3); /* the reason without a prefix */
	lua_pushinteger(L, VMRUN_CLIENT_PROTOCOL);
	return 3;
}

/* Pushes nil, why, the status, and the answer by which vmrun refused the request, or nil. */
static int push_refusal(lua_State *L, const struct vmrun_client *handle, int status)
{
	bool held = hold_begin(L);

	(void)push_failure(L, handle, status);
	if (!values_push_lent(L, vmrun_client_answer(handle))) {
		lua_pop(L, 1);
		lua_pushnil(L);
	}
	hold_end(L, held);
	return 4;
}

/* Pushes true, or what push_refusal() does. */
static int push_outcome(lua_State *L, const struct vmrun_client *handle, int status)
{
	if (status != VMRUN_CLIENT_OK)
		return push_refusal(L, handle, status);
	lua_pushboolean(L, 1);
	return 1;
}

/* Returns a request, {"cmd":CMD,...}: an argument that is JSON, or a table that becomes it. */
static const char *request_at(lua_State *L, int argument)
{
	if (lua_istable(L, argument))
		values_encode(L, argument);
	return arguments_text(L, argument);
}

static int client_ask(lua_State *L)
{
	struct vmrun_client *handle = check(L, 1);
	const char *request = request_at(L, 2), *json;
	int status = vmrun_client_ask(handle, request, loop_limit_ms(L, 3, ANSWER_MS), &json);

	return status == VMRUN_CLIENT_OK ? push_json(L, json) : push_refusal(L, handle, status);
}

static int client_send(lua_State *L)
{
	struct vmrun_client *handle = check(L, 1);
	const char *request = request_at(L, 2);
	uint64_t id;
	int status = vmrun_client_send(handle, request, loop_limit_ms(L, 3, ANSWER_MS), &id);

	if (status != VMRUN_CLIENT_OK)
		return push_failure(L, handle, status);
	lua_pushinteger(L, (lua_Integer)id);
	return 1;
}

/*
 * Returns what `take` pushes once it succeeds within the limit, argument 2; or nil, why, and the
 * status.  ^C raises meanwhile.
 */
static int receive(lua_State *L, int (*take)(lua_State *L, struct vmrun_client *handle))
{
	int limit_ms = loop_limit_ms(L, 2, -1), left_ms = limit_ms, top = lua_gettop(L), status;
	lua_Number began = loop_now();

	while ((status = take(L, check(L, 1))) == VMRUN_CLIENT_TIMED_OUT && left_ms != 0) {
		struct pollfd ready = client_descriptor(L, 1);

		loop_poll(L, &ready, 1, left_ms);
		left_ms = limit_ms < 0 ? -1 : loop_left_ms(began, limit_ms);
	}
	return status == VMRUN_CLIENT_OK ? lua_gettop(L) - top
					 : push_failure(L, check(L, 1), status);
}

/* Pushes a message and "answer" or "event". */
static int take_message(lua_State *L, struct vmrun_client *handle)
{
	const struct vmrun_message *message;
	int status = vmrun_client_next(handle, 0, &message);
	bool is_answer;
	lua_Integer id;

	if (status != VMRUN_CLIENT_OK)
		return status;
	is_answer = message->type == VMRUN_MESSAGE_ANSWER;
	id = (lua_Integer)message->id;
	if (push_json(L, message->json) != 1)
		return status;
	if (is_answer) {
		lua_pushinteger(L, id);
		lua_setfield(L, -2, "id");
	}
	lua_pushstring(L, is_answer ? "answer" : "event");
	return status;
}

static int client_next(lua_State *L)
{
	return receive(L, take_message);
}

/* Pushes bytes of the console. */
static int take_bytes(lua_State *L, struct vmrun_client *handle)
{
	char bytes[READ_SIZE];
	size_t n;
	int status = vmrun_client_read(handle, bytes, sizeof(bytes), &n, 0);

	if (status == VMRUN_CLIENT_OK)
		(void)lua_pushlstring(L, bytes, n);
	return status;
}

static int client_read(lua_State *L)
{
	return receive(L, take_bytes);
}

static int client_follow(lua_State *L)
{
	struct vmrun_client *handle = check(L, 1);
	int64_t from = luaL_optinteger(L, 2, -1);

	return push_outcome(
	    L, handle, vmrun_client_follow(handle, from, loop_limit_ms(L, 3, ANSWER_MS)));
}

static int client_wait(lua_State *L)
{
	struct vmrun_client *handle = check(L, 1);
	const char *what = arguments_text(L, 2);

	return push_outcome(
	    L, handle, vmrun_client_wait(handle, what, loop_limit_ms(L, 3, WAIT_MS)));
}

static int client_wait_for(lua_State *L)
{
	struct vmrun_client *handle = check(L, 1);
	const char *text = arguments_text(L, 2);
	bool backlog = arguments_flag(L, 4);

	return push_outcome(
	    L, handle, vmrun_client_wait_for(handle, text, backlog, loop_limit_ms(L, 3, WAIT_MS)));
}

static int client_attach(lua_State *L)
{
	struct vmrun_client *handle = check(L, 1);
	bool typing = arguments_flag(L, 2);

	return push_outcome(
	    L, handle, vmrun_client_attach(handle, typing, loop_limit_ms(L, 3, ANSWER_MS)));
}

/* Returns the number of bytes; or nil, why, the status, and how many were sent. */
static int client_write(lua_State *L)
{
	struct vmrun_client *handle = check(L, 1);
	size_t size, written;
	const char *bytes = luaL_checklstring(L, 2, &size);
	int status =
	    vmrun_client_write(handle, bytes, size, &written, loop_limit_ms(L, 3, ANSWER_MS));
	int values = status == VMRUN_CLIENT_OK ? 0 : push_failure(L, handle, status);

	lua_pushinteger(L, (lua_Integer)written);
	return values + 1;
}

/* Returns the pid of what runs, nil if nothing does, and whether it is the vmrun. */
static int client_survivor(lua_State *L)
{
	bool is_vmrun;
	int pid = vmrun_client_survivor(check(L, 1), &is_vmrun);

	if (pid > 0)
		lua_pushinteger(L, pid);
	else
		lua_pushnil(L);
	lua_pushboolean(L, is_vmrun);
	return 2;
}

/* Returns the descriptor, and whether it is to be polled for writing, too. */
static int client_fd(lua_State *L)
{
	struct pollfd ready = client_descriptor(L, 1);

	lua_pushinteger(L, ready.fd);
	lua_pushboolean(L, (ready.events & POLLOUT) != 0);
	return 2;
}

static int client_close(lua_State *L)
{
	struct client *c = luaL_checkudata(L, 1, CLIENT_TYPE);

	vmrun_client_close(c->handle);
	c->handle = NULL;
	return 0;
}

static int client_tostring(lua_State *L)
{
	const struct client *c = luaL_checkudata(L, 1, CLIENT_TYPE);
	bool is_open = c->handle != NULL && vmrun_client_fd(c->handle) >= 0;

	(void)lua_pushfstring(L, CLIENT_TYPE ": %s", is_open ? "open" : "closed");
	return 1;
}

int module_connect(lua_State *L)
{
	const char *name = arguments_text(L, 1), *run_dir = arguments_text_or_null(L, 2);
	int limit_ms = loop_limit_ms(L, 3, ANSWER_MS), status;
	struct client *c = lua_newuserdatauv(L, sizeof(*c), 0);

	c->handle = NULL;
	luaL_setmetatable(L, CLIENT_TYPE);
	status = vmrun_client_open(&c->handle, run_dir, name, limit_ms);
	if (status == VMRUN_CLIENT_OK)
		return 1;
	(void)push_failure(L, c->handle, status);
	lua_pushvalue(L, -4); /* for survivor() and wait("gone") */
	return 4;
}

static const luaL_Reg methods[] = {
	{ "ask", client_ask },
	{ "attach", client_attach },
	{ "close", client_close },
	{ "fd", client_fd },
	{ "follow", client_follow },
	{ "next", client_next },
	{ "read", client_read },
	{ "send", client_send },
	{ "survivor", client_survivor },
	{ "wait", client_wait },
	{ "wait_for", client_wait_for },
	{ "write", client_write },
	{ NULL, NULL },
};

static const luaL_Reg metamethods[] = {
	{ "__close", client_close },
	{ "__gc", client_close },
	{ "__tostring", client_tostring },
	{ NULL, NULL },
};

void client_push_metatable(lua_State *L)
{
	metatable_push(L, CLIENT_TYPE, metamethods, methods);
}

/* Pushes a list of the VMs. */
static void push_listed(lua_State *L, const struct vmrun_list *list)
{
	const struct vmrun_listed *vm;

	lua_newtable(L);
	for (size_t i = 0; (vm = vmrun_list_get(list, i)) != NULL; i++) {
		lua_newtable(L);
		lua_pushstring(L, vm->name);
		lua_setfield(L, -2, "name");
		lua_pushstring(L, vm->state);
		lua_setfield(L, -2, "state");
		if (!values_push_lent(L, vm->status)) { /* a duplicate key */
			lua_pop(L, 1);
			lua_pushnil(L);
		}
		lua_setfield(L, -2, "status");
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

int module_list(lua_State *L)
{
	const char *run_dir = arguments_text_or_null(L, 1);
	struct vmrun_list *list;
	int status = vmrun_list(&list, run_dir, loop_limit_ms(L, 2, ANSWER_MS)), values = 3;

	if (status == VMRUN_CLIENT_OK) {
		push_listed(L, list);
		values = 1;
	} else {
		(void)arguments_push_failure(L, vmrun_list_error(list), status);
	}
	vmrun_list_free(list);
	return values;
}
