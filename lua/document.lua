-- Reads a spec in Lua: the table that its file returns is the document.
local native = ...
local import = native.import
local session, merge = import "session", import "merge"
local error, getmetatable, load, select, type = error, getmetatable, load, select, type
local rawequal = rawequal
local next, rawget = native.next, native.rawget -- a spec may hold read-only views
local sub, byte, format = string.sub, string.byte, string.format

local document = {}

-- Sets what C knows of the spec: its name and directory, its targets, and the causes.
function document.configure(request)
	session.name, session.directory = request.name, request.directory
	session.causes = request.causes
	session.warned, session.calls = {}, {}
	session.document = { targets = request.targets }
end

-- Compiles a Lua file to a function.  The file may begin with a byte order mark and a "#!" line.
function document.compile(text, name)
	if sub(text, 1, 3) == "\xEF\xBB\xBF" then
		text = sub(text, 4)
	end
	if byte(text) == 35 then -- "#": comments the line out, which keeps the line numbers
		text = "--" .. text
	end
	local chunk, message = load(text, "@" .. name, "t")
	if not chunk and sub(message, 1, #name) ~= name then -- such as "C stack overflow"
		message = name .. ": " .. message
	end
	return chunk or error(message, 0)
end

-- Returns the table that a spec file returned, or raises an error.
local function check_result(name, ...)
	local root = ...
	if type(root) == "table" then
		return root
	elseif select("#", ...) == 0 or root == nil then
		error(name .. ': the file returned nothing; a spec file ends with "return vm"', 0)
	end
	error(format('%s: the file returned %s; a spec file ends with "return vm", a table', name,
		import("words").describe(root)), 0)
end

-- Returns a table without its metatable: what it inherits, such as methods, are no keys of the spec.
local function bare(value)
	if type(value) == "table" and getmetatable(value) ~= nil and not native.mark(value) then
		return merge.shallow(value)
	end
	return value
end

-- Returns the table of the spec, which scripts can change.
function document.document()
	local root = bare(session.document)
	local all = bare(rawget(root, "targets"))
	for name, target in next, type(all) == "table" and all or {} do
		if bare(target) ~= target then
			all = rawequal(all, rawget(root, "targets")) and merge.shallow(all) or all
			all[name] = bare(target)
		end
	end
	if not rawequal(all, rawget(root, "targets")) then
		root = merge.shallow(root)
		root.targets = all
	end
	return root
end

-- Runs the file of a spec, and returns its table.
function document.load(request)
	local world = import "world"
	world.use(false)
	world.forget()
	session.of_operator = nil
	session.waits, session.hook, session.label = 0, nil, nil
	session.here = session.directory
	local chunk = document.compile(request.text, session.name)
	session.document = check_result(session.name, chunk())
	return document.document()
end

return document
