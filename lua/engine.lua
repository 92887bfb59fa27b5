-- What C calls, through one function of a name and an argument.  Behind each name stands a module
-- that is parsed when it is first needed: a start without hooks does not pay for hooks.
local native = ...
local import = native.import
local error = error

local home = {
	configure = "document",
	load = "document",
	targets = "targets",
	boot = "boot",
	locate = "locate",
	load_hook = "hooks",
	hook_faults = "hooks",
	hooks = "hooks",
	call = "hooks",
	forget_state = "state",
}

return function(name, argument)
	local module = home[name] or error("no function " .. name)
	return import(module)[name](argument)
end
