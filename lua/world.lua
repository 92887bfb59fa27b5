-- What scripts find when they run: Lua's libraries, `vmrun`, and `require` for files beside them.
local native = ...
local import = native.import
local session = import "session"
local error, next, rawget, rawset = error, next, rawget, rawset
local setmetatable, tostring, type = setmetatable, tostring, type
local format, gsub, match = string.format, string.gsub, string.match

local globals = native.open_world()
local package, loadfile = globals.package, globals.loadfile -- neither is in the sandbox

-- What other modules need of it, as it was before any script could replace it.
local world = { loadfile = loadfile }

-- `vmrun` fills itself when it is first used: many specs never do.  `vmrun.state` is never in it:
-- each touch comes here.
local vmrun, filled = {}, false

local function fill()
	if not filled then
		import("vmrun")(vmrun)
		filled = true -- last: a script that ran out of memory here may come back
	end
end

setmetatable(vmrun, {
	__index = function(_, key)
		if key == "state" then
			return native.state()
		end
		fill()
		return rawget(vmrun, key)
	end,
	__newindex = function(_, key, value)
		if key ~= "state" then
			fill()
			rawset(vmrun, key, value)
		elseif type(value) == "table" then
			native.state(value)
		else
			native.raise("vmrun.state is a table; vmrun.state = {} empties it")
		end
	end,
	__pairs = function()
		fill()
		return next, vmrun, nil
	end,
	__metatable = false,
})
globals.vmrun = vmrun

if native.sandbox then
	function globals.require(name)
		if name ~= "vmrun" then
			native.raise(format("require %q: not in the sandbox, where there is only "
				.. '"vmrun"', tostring(name)))
		end
		return vmrun
	end

	function world.forget() end

	return world
end

local searchpath, loadlib = package.searchpath, package.loadlib
package.loaded.vmrun = vmrun

local required = {} -- names of the modules that our searcher found

-- In place of Lua's searcher for Lua files: it looks beside the running file first, and it does not
-- load bytecode.
package.searchers[2] = function(name)
	local here = gsub(session.here, "[;?]", "") -- no such directory can be searched
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

-- In place of its searchers for modules in C: they load what root may believe.
local function load_c(name, file)
	local path, why = searchpath(file, tostring(package.cpath))
	if not path then
		return why
	end
	local symbol = gsub(gsub(name, "^[^-]*%-", ""), "%.", "_")
	local open, message, where = loadlib(path, "luaopen_" .. symbol)
	if open then
		return open, path
	elseif where == "init" and name ~= file then
		return format("no module '%s' in file '%s'", name, path)
	end
	error(format("error loading module '%s' from file '%s':\n\t%s", name, path, message), 0)
end

package.searchers[3] = function(name)
	return load_c(name, name)
end

package.searchers[4] = function(name)
	local root = match(name, "^([^.]*)%.")
	return root and load_c(name, root)
end

-- A file that is read again requires its modules again.
function world.forget()
	for name in next, required do
		package.loaded[name] = nil
	end
	required = {}
end

return world
