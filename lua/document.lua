-- Reads a spec, in JSON or Lua, into the document: the table that the other modules work on.
local native = ...
local import = native.import
local session = import "session"
local error, load, next, pcall, select, type = error, load, next, pcall, select, type
local tonumber, rawget, math_type = tonumber, rawget, math.type
local sub, byte, format = string.sub, string.byte, string.format

local document = {}

-- Sets what C knows of the keys and causes.
function document.configure(request)
	session.merge, session.causes = request.merge, request.causes or {}
end

-- Restores what lua-cjson loses: the kind of an empty table, and integers beyond a double.
local function apply_note(root, note)
	local path, at = note.path, root
	for i = 1, #path - 1 do
		at = at[path[i]]
	end
	local last = path[#path]
	if note.kind == "integer" then
		local number = tonumber(note.text)
		at[last] = math_type(number) == "integer" and number or note.text
	else
		native.mark(last == nil and root or at[last], note.kind)
	end
end

-- Makes a list of a single device.  In UCL sections of one name are a list, but a single one is an
-- object; the other lists are not merged, and read by C.
local function list_devices(object)
	local devices = type(object) == "table" and rawget(object, "emulations")
	if type(devices) == "table" and rawget(devices, 1) == nil
		and native.mark(devices) ~= "list" then
		object.emulations = { devices }
	end
end

-- By format, functions that return the table of a file.
local readers = {}

function readers.json(request)
	local ok, root = pcall(native.json(), request.text)
	if not ok then
		error(format("%s: %s", request.name, root), 0)
	elseif type(root) == "table" then
		for _, note in next, request.notes or {} do
			apply_note(root, note)
		end
	end
	if type(root) ~= "table" or rawget(root, 1) ~= nil or native.mark(root) == "list" then
		error(request.name .. ': a spec is an object: { "name": ... }', 0)
	end
	if request.of_ucl then
		list_devices(root)
		for _, target in next, type(root.targets) == "table" and root.targets or {} do
			list_devices(target)
		end
	end
	return root
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

function readers.lua(request)
	import("world").forget()
	session.here = request.directory
	local chunk = document.compile(request.text, request.name)
	return check_result(request.name, chunk())
end

-- Loads a spec.  The previous document stays when the file has errors.
function document.load(request)
	session.waits, session.hook, session.label = 0, nil, nil
	session.directory = request.directory -- before the file runs: its commands run there
	local root = readers[request.format](request)
	session.document = root
	session.tops, session.lowest, session.faulty = {}, {}, {}
	session.refused = 0
	session.name, session.warned = request.name, {}
	session.merged, session.last = nil, nil
	session.calls = {}
end

return document
