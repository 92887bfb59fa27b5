-- `vmrun`: the functions that scripts have in addition to Lua's own library.
local native = ...
local import = native.import
local session, merge, world = import "session", import "merge", import "world"
local readonly, waits = import "readonly", import "waits"
local check_seconds = waits.check_seconds
local raise, framed = native.raise, native.framed
local ipairs, pairs, rawset = ipairs, pairs, rawset
local setmetatable, tostring, type = setmetatable, tostring, type
local math_type, max, tointeger = math.type, math.max, math.tointeger
local find, format, sub = string.find, string.format, string.sub
local concat, sort = table.concat, table.sort
local getenv, loadfile = native.getenv, world.loadfile

local vmrun = {}

local levels = { error = true, warning = true, info = true, debug = true }

-- Returns an opaque answer for on_exit, so that scripts cannot depend on its contents;
-- session.actions maps it to its meaning.
local function action(meaning)
	local name = "vmrun." .. meaning.action
	local token = setmetatable({}, {
		__newindex = function()
			raise(format("what %s() returns is read-only", name))
		end,
		__metatable = false,
		__name = name,
	})
	session.actions[token] = meaning
	return token
end

local function describe(value)
	return import("words").describe(value)
end

-- Returns the decision to boot: vmrun.boot(target, { delay = seconds }), both optional.
function vmrun.boot(target, options)
	local delay = nil
	if target ~= nil and type(target) ~= "string" then
		raise("vmrun.boot: the target is a string, not " .. describe(target))
	elseif options ~= nil and type(options) ~= "table" then
		raise("vmrun.boot: the options are a table, as in { delay = 5 }")
	end
	for key, value in pairs(options or {}) do
		if key ~= "delay" then
			raise(format("vmrun.boot: unknown option %s: expected delay", tostring(key)))
		end
		check_seconds("vmrun.boot: delay", value)
		delay = value
	end
	return action { action = "boot", target = target, delay = delay }
end

-- Returns the decision to stop.  Without an exit status, the cause of the exit determines it.
function vmrun.stop(status)
	local number = type(status) == "number" and tointeger(status)
	if status ~= nil and not (number and number >= 0 and number <= 255) then
		raise("vmrun.stop: the status is an integer from 0 to 255")
	end
	return action { action = "stop", status = number or nil }
end

-- Writes a message with a level.
function vmrun.log(level, text)
	if not levels[level] then
		raise(format("vmrun.log: unknown level %s: expected error, warning, info or debug",
			tostring(level)))
	end
	native.log(level, tostring(text))
end

-- Emits an event: a table of strings, numbers, booleans and tables of them.
function vmrun.event(table)
	if type(table) ~= "table" then
		raise("vmrun.event takes a table, not " .. describe(table))
	end
	native.event(table, session.label)
end

-- Writes vmrun.state now, not only after the hook call.  Returns true, or nil and the error.  A dry
-- run writes nothing and has nothing to complain about.
function vmrun.save()
	if native.dry_run then
		return true
	end
	return native.save()
end

-- Returns the path of installed firmware, "uefi", "code", "vars" or "u-boot", or nil and the error.
function vmrun.firmware(kind)
	if type(kind) ~= "string" then
		raise("vmrun.firmware takes a kind of firmware, not " .. describe(kind))
	end
	return native.firmware(kind)
end

-- Returns an absolute path.  A relative path starts from the directory of the file that runs.
local function absolute(name, path)
	if type(path) ~= "string" then
		raise(format("vmrun.%s: the path is a string, not %s", name, describe(path)))
	end
	if find(path, "\0", 1, true) then
		raise(format("vmrun.%s: the path has a NUL in it", name))
	end
	return sub(path, 1, 1) == "/" and path or session.here .. "/" .. path
end

-- Returns whether a file exists.
function vmrun.exists(path)
	return native.exists(absolute("exists", path))
end

local options_of_exec = { "background", "cwd", "env", "stdin", "timeout" }

-- Raises an error unless a key is an option of vmrun.exec().
local function check_option(key)
	for _, name in ipairs(options_of_exec) do
		if key == name then
			return
		end
	end
	local hint = type(key) == "string"
		and import("words").hint(key, options_of_exec) or ""
	raise(format("vmrun.exec: unknown option %s%s (known: %s)", tostring(key), hint,
		concat(options_of_exec, ", ")))
end

-- Returns the index of the last word of a command.  The other keys of the table are options.
local function last_word(command)
	local last = 0
	for key in pairs(command) do
		if math_type(key) == "integer" and key >= 1 then
			last = max(last, key)
		else
			check_option(key)
		end
	end
	return last
end

-- Returns the words of a command.  Raises an error for a list with gaps, because leaving a nil word
-- out would run another command; a nil at the end of a list cannot be detected.
local function check_command(command)
	local last = type(command) == "table" and last_word(command) or 0
	if last == 0 then
		raise('vmrun.exec takes a command as a list: vmrun.exec { "ls", "-l" }')
	end
	local words = {}
	for i = 1, last do
		local word = command[i]
		if word == nil then
			raise(format("vmrun.exec: word %d is nil, and there are words after it", i))
		elseif type(word) ~= "string" and (type(word) ~= "number" or i == 1) then
			raise(format("vmrun.exec: word %d is %s, not a string", i, describe(word)))
		end
		words[i] = tostring(word)
		if find(words[i], "\0", 1, true) then
			raise(format("vmrun.exec: word %d has a NUL in it", i))
		end
	end
	return words
end

-- Returns the directory of a command: a relative one starts from the spec's directory, the default.
local function directory_of(cwd)
	if cwd == nil then
		return session.directory
	elseif type(cwd) ~= "string" then
		raise("vmrun.exec: cwd is a string, not " .. describe(cwd))
	elseif find(cwd, "\0", 1, true) then
		raise("vmrun.exec: cwd has a NUL in it")
	end
	return sub(cwd, 1, 1) == "/" and cwd or session.directory .. "/" .. cwd
end

-- Returns what one variable becomes: "NAME=value", or "NAME" for false, which unsets it.
local function change_of(name, value)
	if type(name) ~= "string" or name == "" or find(name, "[=\0]") then
		raise(format("vmrun.exec: env: %s is not a name of a variable", tostring(name)))
	elseif value == false then
		return name
	elseif type(value) ~= "string" and type(value) ~= "number" then
		raise(format("vmrun.exec: env.%s is %s, not a string, or false to unset it", name,
			describe(value)))
	elseif find(value, "\0", 1, true) then
		raise(format("vmrun.exec: env.%s has a NUL in it", name))
	end
	return name .. "=" .. value
end

-- Returns the changes of the environment of a command, a sorted list, or nil when there is none.
local function changes_of(env)
	if env == nil then
		return nil
	elseif type(env) ~= "table" then
		raise("vmrun.exec: env is a table of strings, not " .. describe(env))
	end
	local changes = {}
	for name, value in pairs(env) do
		changes[#changes + 1] = change_of(name, value)
	end
	sort(changes)
	return changes[1] and changes
end

-- Starts a command and does not wait for its end.  Returns true, or nil and the error.  It has no
-- time limit of its own, because it ends with the boot.
local function start(request, timeout)
	waits.check_hook "vmrun.exec: background"
	request.background, request.timeout = true, timeout
	local answer = waits.wait("exec", request)
	if answer.ok or native.dry_run then
		return true
	end
	return nil, answer.message
end

-- Runs a command.  Returns its exit status, stdout and stderr, or nil and the error when the
-- command could not be started or did not finish; with background, see above.
function vmrun.exec(command)
	if native.sandbox then
		raise("vmrun.exec: not in the sandbox")
	end
	local words = check_command(command)
	local timeout, stdin, background = command.timeout, command.stdin, command.background
	if timeout ~= nil then
		check_seconds("vmrun.exec: timeout", timeout)
	end
	if stdin ~= nil and type(stdin) ~= "string" then
		raise("vmrun.exec: stdin is a string, not " .. describe(stdin))
	end
	if background ~= nil and type(background) ~= "boolean" then
		raise("vmrun.exec: background is true or false, not " .. describe(background))
	end
	local request = { exec = words, timeout = timeout or 60, stdin = stdin,
		cwd = directory_of(command.cwd), env = changes_of(command.env) }
	if background then
		return start(request, timeout)
	end
	local answer = waits.wait("exec", request)
	if not answer.status then
		return nil, answer.message
	end
	return answer.status, answer.stdout, answer.stderr
end

-- Waits for a number of seconds.  Returns true, or nil and "gone" when the boot ended meanwhile.
function vmrun.sleep(seconds)
	check_seconds("vmrun.sleep", seconds)
	local answer = waits.wait("sleep", { sleep = seconds })
	if answer.message then
		return nil, answer.message
	end
	return true
end

-- Runs another Lua file and returns its results, or returns the value of a JSON file.
function vmrun.include(file)
	if native.sandbox then
		raise("vmrun.include: not in the sandbox")
	end
	local path = absolute("include", file)
	if sub(file, -5) == ".json" then
		local value, reason = native.load_json(path)
		if reason then
			raise(format("vmrun.include: %s", reason))
		end
		return value
	end
	local chunk, message = loadfile(path, "t")
	if not chunk then
		raise(format("vmrun.include %q: %s", file, message))
	end
	return chunk()
end

-- Returns a new table: b merged over a as a target is over the base, but objects at all keys merge.
function vmrun.merge(a, b)
	if not (merge.is_object(a) and merge.is_object(b)) then
		raise("vmrun.merge takes two tables with named keys")
	end
	return merge.deep(a, b)
end

-- Returns the checked options of a hook; `declared` has { KIND, default =, required = } for each.
function vmrun.options(given, declared)
	return import("options")(given, declared)
end

vmrun.null = native.null
vmrun.dir, vmrun.run_dir, vmrun.state_dir = session.directory, native.run_dir, native.state_dir
vmrun.sandboxed, vmrun.dry_run = native.sandbox, native.dry_run

local environment = {
	__index = function(_, name)
		return type(name) == "string" and getenv(name) or nil
	end,
	__newindex = function()
		raise("vmrun.env is read-only")
	end,
	__metatable = false,
}
local host, of_host = native.host(), readonly.kind("vmrun.host", {})
local of_args = readonly.kind("vmrun.args")

for name, call in pairs(import "guest") do
	vmrun[name] = call
end

-- Fills the table `vmrun` of a world.  Views are its own: with rawset() a script can put keys into one.
return function(into)
	for name, value in pairs(vmrun) do
		rawset(into, name, type(value) == "function" and framed(value) or value)
	end
	rawset(into, "host", readonly.flat(host, of_host))
	rawset(into, "args", readonly.flat(native.args, of_args))
	rawset(into, "env", setmetatable({}, environment))
end
