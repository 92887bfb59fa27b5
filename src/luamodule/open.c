/* vmrun.open(): options from a Lua table. */
#include <lauxlib.h>

#include "luamodule/options.h"
#include "luamodule/vm.h"

#define OPTION(member, kind)                                          \
	{                                                             \
#member, kind, offsetof(struct vmrun_options, member) \
	}

static const struct option options[] = {
	OPTION(file, OPTION_TEXT),
	OPTION(text, OPTION_TEXT),
	OPTION(name, OPTION_TEXT),
	OPTION(directory, OPTION_TEXT),
	OPTION(format, OPTION_TEXT),
	OPTION(target, OPTION_TEXT),
	OPTION(set, OPTION_PAIRS),
	OPTION(hypervisor, OPTION_TEXT),
	OPTION(bhyve, OPTION_TEXT),
	OPTION(qemu, OPTION_TEXT),
	OPTION(args, OPTION_WORDS),
	OPTION(dry_run, OPTION_FLAG),
	OPTION(no_reboot, OPTION_FLAG),
	OPTION(reboot_count, OPTION_INT64),
	OPTION(reboot_on, OPTION_TEXT),
	OPTION(pid_file, OPTION_TEXT),
	OPTION(supervisor_pid_file, OPTION_TEXT),
	OPTION(run_dir, OPTION_TEXT),
	OPTION(state_dir, OPTION_TEXT),
	OPTION(check, OPTION_FLAG),
	OPTION(fix, OPTION_FLAG),
	OPTION(force, OPTION_FLAG),
	OPTION(no_checks, OPTION_FLAG),
	OPTION(ask, OPTION_FLAG),
	OPTION(hooks, OPTION_WORDS),
	OPTION(sandbox, OPTION_FLAG),
	OPTION(control, OPTION_FLAG),
	OPTION(panic_on_failed_cleanup, OPTION_FLAG),
	OPTION(allow, OPTION_WORDS),
	OPTION(exec_result, OPTION_INT),
	OPTION(guest_status, OPTION_FLAG),
	OPTION(spec_args, OPTION_PAIRS),
	OPTION(keeps_signals, OPTION_FLAG),
	{ "event", OPTION_FUNCTION, VM_EVENT },
	{ "decide", OPTION_FUNCTION, VM_DECIDE },
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

int module_open(lua_State *L)
{
	struct vmrun_options into = VMRUN_OPTIONS;
	struct vm *vm;
	int status;

	options_begin(L);
	vm = lua_newuserdatauv(L, sizeof(*vm), VM_VALUES);
	*vm = (struct vm){ .handle = NULL };
	luaL_setmetatable(L, VM_TYPE);
	lua_newtable(L);
	lua_pushvalue(L, AT_KEPT);
	lua_setiuservalue(L, AT_KEEPER, VM_KEPT);
	options_read(L, options, OPTIONS, &into);
	into.length = options_length(L, "text");
	vm->caller = L;
	if (lua_getiuservalue(L, AT_KEEPER, VM_DECIDE) != LUA_TNIL) {
		into.decide = decide_by_function;
		into.decide_context = vm;
	}
	status = vmrun_open(&vm->handle, &into);
	if (status != 0)
		return vm_push_failure(L, vm->handle, status);
	lua_settop(L, AT_KEEPER);
	return 1;
}
