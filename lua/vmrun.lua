-- `vmrun`: what scripts get beside Lua's own library.
local native = ...
local import = native.import
local session, merge, world = import "session", import "merge", import "world"
local raise = native.raise
local pairs, rawset = pairs, rawset
local setmetatable, tostring, type = setmetatable, tostring, type
local tointeger = math.tointeger
local find, format, sub = string.find, string.format, string.sub
local getenv, loadfile = native.getenv, world.loadfile

local vmrun = {}

local YEAR = 86400 * 366
local levels = { error = true, warning = true, info = true, debug = true }

-- Answers of on_exit cannot be looked into: their meaning is kept in session.actions.
local function action(meaning)
	local token = setmetatable({}, { __metatable = false, __name = "vmrun." .. meaning.action })
	session.actions[token] = meaning
	return token
end

local function describe(value)
	return import("words").describe(value)
end

-- vmrun.boot(target, { delay = seconds }): both may be left out.
function vmrun.boot(target, options)
	local delay = nil
	if target ~= nil and type(target) ~= "string" then
		raise("vmrun.boot: the target is a string, not " .. describe(target))
	elseif options ~= nil and type(options) ~= "table" then
		raise("vmrun.boot: the options are a table, as in { delay = 5 }")
	end
	for key, value in pairs(options or {}) do
		if key ~= "delay" then
			raise(format("vmrun.boot: no option %s; there is: delay", tostring(key)))
		elseif type(value) ~= "number" or not (value >= 0 and value <= YEAR) then
			raise("vmrun.boot: delay is a number of seconds from 0 to " .. YEAR)
		end
		delay = value
	end
	return action { action = "boot", target = target, delay = delay }
end

-- vmrun.stop(status): without one, the status follows the cause of the exit.
function vmrun.stop(status)
	local number = type(status) == "number" and tointeger(status)
	if status ~= nil and not (number and number >= 0 and number <= 255) then
		raise("vmrun.stop: the status is an integer from 0 to 255")
	end
	return action { action = "stop", status = number or nil }
end

function vmrun.log(level, text)
	if not levels[level] then
		raise(format("vmrun.log: no level %s; there is: error, warning, info, debug",
			tostring(level)))
	end
	native.log(level, tostring(text))
end

-- For whoever reads the events of this VM: a table of strings, numbers, booleans and tables of them.
function vmrun.event(table)
	if type(table) ~= "table" then
		raise("vmrun.event takes a table, not " .. describe(table))
	end
	native.event(table, session.label)
end

-- The path of firmware that is installed: "uefi", "code", "vars" or "u-boot"; or nil and why.
function vmrun.firmware(kind)
	if type(kind) ~= "string" then
		raise("vmrun.firmware takes a kind of firmware, not " .. describe(kind))
	end
	return native.firmware(kind)
end

-- Relative paths start from the folder of the file that runs.
local function absolute(name, path)
	if type(path) ~= "string" then
		raise(format("vmrun.%s: the path is a string, not %s", name, describe(path)))
	end
	if find(path, "\0", 1, true) then
		raise(format("vmrun.%s: the path has a NUL in it", name))
	end
	return sub(path, 1, 1) == "/" and path or session.here .. "/" .. path
end

function vmrun.exists(path)
	return native.exists(absolute("exists", path))
end

-- What another Lua file returns.
function vmrun.include(file)
	if native.sandbox then
		raise("vmrun.include: not in the sandbox")
	end
	local chunk, message = loadfile(absolute("include", file), "t")
	if not chunk then
		raise(format("vmrun.include %q: %s", file, message))
	end
	return chunk()
end

-- A new table: b laid over a as a target is over the base, every object key by key.
function vmrun.merge(a, b)
	if not (merge.is_object(a) and merge.is_object(b)) then
		raise("vmrun.merge takes two tables with named keys")
	end
	return merge.deep(a, b)
end

vmrun.null = native.null
vmrun.host = native.host()
vmrun.env = setmetatable({}, {
	__index = function(_, name)
		return type(name) == "string" and getenv(name) or nil
	end,
	__newindex = function()
		raise("vmrun.env is read-only")
	end,
	__metatable = false,
})

-- Fills the table that scripts have.
return function(into)
	for name, value in pairs(vmrun) do
		rawset(into, name, value)
	end
end
