-- What scripts find when they run: Lua's libraries, `vmrun`, and `require` for files beside them.
local native = ...
local import = native.import
local session = import "session"
local error, next, pairs, setmetatable, tostring = error, next, pairs, setmetatable, tostring
local format, gsub = string.format, string.gsub

local globals = native.open_world()
local package, loadfile, getenv = globals.package, globals.loadfile, globals.os.getenv
local searchpath = package.searchpath

-- What other modules need of it, as it was before any script could replace it.
local world = { loadfile = loadfile, getenv = getenv }

-- `vmrun` fills itself when it is first used: many specs never do.
local vmrun = {}

local function fill()
	import("vmrun")(vmrun)
	setmetatable(vmrun, nil) -- last: a script that ran out of memory here may come back
end

setmetatable(vmrun, {
	__index = function(_, key)
		fill()
		return vmrun[key]
	end,
	__pairs = function()
		fill()
		return pairs(vmrun)
	end,
})
globals.vmrun = vmrun
package.loaded.vmrun = vmrun

local required = {} -- names of the modules that our searcher found

-- In place of Lua's searcher for Lua files: it looks beside the running file first, and it does not
-- load bytecode.
package.searchers[2] = function(name)
	local here = gsub(session.here, "[;?]", "") -- no such folder can be searched
	local beside = format("%s/?.lua;%s/?/init.lua;", here, here)
	local path, why = searchpath(name, beside .. tostring(package.path))
	if not path then
		return why
	end
	local chunk, message = loadfile(path, "t")
	if not chunk then
		error(format("error loading module '%s' from file '%s':\n\t%s", name, path,
			message), 0)
	end
	required[name] = true
	return chunk, path
end

-- A file that is read again requires its modules again.
function world.forget()
	for name in next, required do
		package.loaded[name] = nil
	end
	required = {}
end

return world
