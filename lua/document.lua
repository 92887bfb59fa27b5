-- From the text of a spec to the table that everything else works on.
local native = ...
local import = native.import
local session = import "session"
local error, load, next, pcall, select, type = error, load, next, pcall, select, type
local tonumber, rawget, math_type = tonumber, rawget, math.type
local sub, byte, format = string.sub, string.byte, string.format

local document = {}

function document.configure(request)
	session.merge, session.causes = request.merge, request.causes or {}
end

-- Puts back what lua-cjson loses: what an empty table was, and integers that a double cannot hold.
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
	return root
end

-- The function that a Lua file is.  A mark of UTF-8 and a line for the shell may stand before it.
function document.compile(text, name)
	if sub(text, 1, 3) == "\xEF\xBB\xBF" then
		text = sub(text, 4)
	end
	if byte(text) == 35 then -- "#!": becomes a comment, so that lines keep their numbers
		text = "--" .. text
	end
	local chunk, message = load(text, "@" .. name, "t")
	if not chunk and sub(message, 1, #name) ~= name then -- "C stack overflow" says no more
		message = name .. ": " .. message
	end
	return chunk or error(message, 0)
end

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

-- Only a good file takes the place of the one before.
function document.load(request)
	local root = readers[request.format](request)
	session.document = root
	session.name, session.directory = request.name, request.directory
	session.merged, session.last = nil, nil
	session.calls = {}
end

return document
