-- Finds where the user wrote a value of the last document.  The search runs only when a problem has
-- to name the place, therefore merging records the origin of devices only (devices.lua).
local native = ...
local import = native.import
local session, merge, targets = import "session", import "merge", import "targets"
local ipairs, rawget, type = ipairs, rawget, type
local insert, unpack = table.insert, table.unpack

-- Returns a copy of a path with more keys.
local function extend(path, ...)
	local longer = { unpack(path) }
	for _, key in ipairs { ... } do
		longer[#longer + 1] = key
	end
	return longer
end

-- Returns the number of keys that two paths have in common from the start.
local function common(a, b)
	local count = 0
	while a[count + 1] ~= nil and a[count + 1] == b[count + 1] do
		count = count + 1
	end
	return count
end

-- Returns the stack of the values below a key.  A stack is a list of { value, path }: the values
-- that the base and the targets give for one place, the base first, without those that a later
-- target replaced.
local function step(stack, key, keys)
	local below = {}
	for i = #stack, 1, -1 do
		local container = stack[i].value
		local value = nil
		if type(container) == "table" then
			value = rawget(container, key)
		end
		if value ~= nil then
			local merges = (keys[key] or keys["*"]) and merge.is_object(value)
			if #below > 0 and not merges then
				break
			end
			insert(below, 1, { value = value, path = extend(stack[i].path, key) })
			if not merges then
				break
			end
		end
	end
	return below
end

-- Returns the stack of one device: its entry and the entries of targets that changed it.
local function device_stack(merged, place)
	local stack = {}
	for i, origin in ipairs(merged.origin[place] or { { false, place } }) do
		local layer = origin[1]
		local list = (layer and layer.table or session.document).emulations
		local value = type(list) == "table" and list[origin[2]] or nil
		if value == nil then
			return {}
		end
		local path = layer and { "targets", layer.name } or {}
		stack[i] = { value = value, path = extend(path, "emulations", origin[2]) }
	end
	return stack
end

-- Returns the lowest entry that has the key.  A problem of the whole list of devices is reported
-- where the list begins, because the lists of the base and the targets are concatenated.
local function lowest(stack, key)
	for _, entry in ipairs(stack) do
		local value = rawget(entry.value, key)
		if value ~= nil and value ~= native.null then
			return { value = value, path = extend(entry.path, key) }
		end
	end
end

-- Returns the stack of the whole document: the base and the targets of the last boot.
local function whole_stack(merged)
	local stack = { { value = session.document, path = {} } }
	for i, layer in ipairs(targets.layers(merged and merged.top)) do
		stack[i + 1] = { value = layer.table, path = { "targets", layer.name } }
	end
	return stack
end

-- Returns the path in the file and the number of keys of `path` that it covers.  The path of a
-- missing key is that of its container.
local function in_file(merged, path)
	local is_original = path[1] == "targets" or path[1] == "extends"
	local stack = whole_stack(not is_original and merged or nil)
	local keys = is_original and {} or session.merge
	for i, key in ipairs(path) do
		local above = stack
		if i == 1 and key == "emulations" then
			stack = { lowest(stack, key) }
		elseif i == 2 and path[1] == "emulations" and merged then
			stack = device_stack(merged, key)
		else
			stack = step(stack, key, keys)
			keys = keys[key] or keys["*"] or {}
		end
		if #stack == 0 then
			return above[1].path, i - 1
		end
	end
	return stack[1].path, #path
end

local locate = {}

-- Returns where a value comes from: { source = "file" | "set" | "hook", path }.
function locate.locate(request)
	local path, last = request.path, session.last
	if last and last.from_hook then
		return { source = "hook", path = path }
	end
	local set = last and last.set or {}
	for i = #set, 1, -1 do
		if common(set[i], path) == #set[i] then
			return { source = "set", path = set[i] }
		end
	end
	local found, depth = in_file(last, path)
	for i = #set, 1, -1 do -- a value that exists only because of a setting
		if depth < #path and common(set[i], path) > depth then
			return { source = "set", path = set[i] }
		end
	end
	return { source = "file", path = found }
end

return locate
