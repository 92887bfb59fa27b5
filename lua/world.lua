-- The globals of scripts: Lua's libraries, `vmrun`, and a `require` that finds files beside them.
-- The sandbox has two worlds of them: what a spec of another person does to its libraries must not
-- change what a hook of the operator does.
local native = ...
local import = native.import
local session = import "session"
local error, next, rawget, rawset = error, next, rawget, rawset
local setmetatable, tostring, type = setmetatable, tostring, type
local format, gsub, match = string.format, string.gsub, string.match

-- The functions that other modules need, saved before a script can replace them.
local world = {}

-- Raises the error for a name that `vmrun` does not have.
local function no_member(vmrun, key)
	local names = { "state" }
	for name in next, vmrun do
		names[#names + 1] = type(name) == "string" and name or nil
	end
	native.raise(format('vmrun has no member "%s"%s', key, import("words").hint(key, names)))
end

-- Returns a new table `vmrun`.  It is filled at its first use, because many specs do not use it.
-- `vmrun.state` is never stored in the table, so that each access calls the metamethods below.
local function make_vmrun()
	local vmrun, filled = {}, false

	-- Fills `vmrun` unless it is filled already.
	local function fill()
		if not filled then
			import("vmrun")(vmrun)
			filled = true -- last: a script that ran out of memory here can try again
		end
	end

	return setmetatable(vmrun, {
		__index = function(_, key)
			if key == "state" then
				return native.state()
			end
			fill()
			local value = rawget(vmrun, key)
			if value == nil and type(key) == "string" then
				no_member(vmrun, key)
			end
			return value
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
end

if native.sandbox then
	local worlds, current = {}, nil -- by whether they are of the operator

	-- Makes a world with its globals.
	local function make()
		local made = { native.open_world() }
		local globals, vmrun = made[1], make_vmrun()
		globals.vmrun = vmrun
		globals.require = native.framed(function(name)
			if name ~= "vmrun" then
				native.raise(format("require %q: not in the sandbox, where there is "
					.. 'only "vmrun"', tostring(name)))
			end
			return vmrun
		end)
		return made
	end

	function world.use(of_operator)
		local wanted = not not of_operator
		if current == wanted then
			return
		end
		current = nil -- until all is done, as memory may end on the way
		if worlds[wanted] then
			native.use_world(worlds[wanted])
		else
			worlds[wanted] = make()
		end
		current = wanted
	end

	function world.forget() end

	return world
end

local globals = native.open_world()
local package, loadfile = globals.package, globals.loadfile
globals.vmrun = make_vmrun()
world.loadfile = loadfile

-- Makes the globals those of the operator's scripts, or of the spec's: the same without a sandbox.
function world.use() end

local searchpath, loadlib = package.searchpath, package.loadlib
package.loaded.vmrun = globals.vmrun

local required = {} -- names of the modules that the searcher below found

-- Replaces Lua's searcher for Lua files, to look beside the running file first and to refuse
-- bytecode.
package.searchers[2] = function(name)
	local here = gsub(session.here, "[;?]", "") -- a search path cannot contain these characters
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

-- Loads a module in C.  Replaces Lua's own searchers, because only vmrun's loadlib refuses files
-- that root must not trust.
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

-- Forgets the modules that the scripts required, so that a file that is read again loads them again.
function world.forget()
	for name in next, required do
		package.loaded[name] = nil
	end
	required = {}
end

return world
