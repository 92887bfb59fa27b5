-- The functions that C calls, by name and with one argument.  The module of a name is loaded at its
-- first call, so that a spec without hooks does not load the code of hooks.
local native = ...
local import = native.import
local error = error

local home = {
	configure = "document",
	load = "document",
	document = "document",
	load_hook = "hooks",
	hook_faults = "hooks",
	hook_programs = "hooks",
	hooks = "hooks",
	call = "hooks",
	run = "hooks",
	leads = "hooks",
	forget_state = "state",
}

return function(name, argument)
	local module = home[name] or error("[vmrun engine]: no function " .. name, 0)
	return import(module)[name](argument)
end
