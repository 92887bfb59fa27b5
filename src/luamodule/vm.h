/* A VM in Lua: a userdata with the handle of the library. */
#ifndef LUAMODULE_VM_H
#define LUAMODULE_VM_H

#include <stdbool.h>

#include <lua.h>

#include "vmrun/vmrun.h"

#define VM_TYPE "vmrun.vm"

/* Its uservalues. */
enum vm_value {
	VM_KEPT = 1, /* the strings and arrays of the options, which the handle needs */
	VM_EVENT,    /* options.event, or nil */
	VM_DECIDE,   /* options.decide, or nil */
	VM_ERROR,    /* what decide raised, or nil */
	VM_TARGET,   /* the target of the last answer of decide, or nil */
	VM_VALUES = VM_TARGET
};

struct vm {
	struct vmrun *handle; /* NULL: closed */
	lua_State *caller;    /* of the current method, for callbacks */
	bool deciding;	      /* decide is running */
	/* Positions on the console: behind what was read, and behind the text found last. */
	uint64_t read_at, wait_at;
};

/* vm.c: returns the VM at an index of the stack; raises if it is closed or is deciding. */
struct vm *vm_check(lua_State *L, int index);
/* Pushes nil, why the handle failed, and the status; returns 3. */
int vm_push_failure(lua_State *L, const struct vmrun *handle, int status);
/* Pushes nil, why the last call was refused, or else why the handle failed, and the status. */
int vm_push_refusal(lua_State *L, const struct vmrun *handle, int status);
/* Raises what decide has raised since the last call; index: of the VM on the stack. */
void vm_raise_error(lua_State *L, int index);
/* Pushes the metatable of VMs, and registers it. */
void vm_push_metatable(lua_State *L);

/* open.c: vmrun.open() */
int module_open(lua_State *L);

/* decide.c: asks options.decide; context: the VM, a method of which is running. */
void decide_by_function(struct vmrun_decision *decision, void *context);

/* console.c: vm:read(), vm:write() and vm:wait_for() */
int console_read(lua_State *L);
int console_write(lua_State *L);
int console_wait_for(lua_State *L);

/* event.c: pushes the next event of the VM as a table, or nil. */
void event_push_next(lua_State *L, struct vmrun *handle);
void event_push_state(lua_State *L, const struct vmrun *handle);
/* Pushes a list of the findings of the last checks. */
void event_push_findings(lua_State *L, const struct vmrun *handle);

#endif
