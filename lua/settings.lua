-- Applies KEY=VALUE settings to a merged document; a key is "cpu.cores", "emulations[0].path" or
-- "emulations.0.path".
local native = ...
local merge, words = native.import "merge", native.import "words"
local ipairs, rawget, tonumber, type = ipairs, rawget, tonumber, type
local find, format, match = string.find, string.format, string.match

local settings = {}

-- Returns the parts of a key: a string is a name (or an index after a dot), an integer is an index
-- from 0.  Returns nil for a malformed key.
local function parse(key)
	local parts, at = {}, 1
	while at <= #key do
		local first, last, place = find(key, "^%[(%d+)%]", at)
		local name
		if not first then
			local pattern = at == 1 and "^([^.%[%]]+)" or "^%.([^.%[%]]+)"
			first, last, name = find(key, pattern, at)
		end
		if not first then
			return nil
		end
		parts[#parts + 1] = name or tonumber(place)
		at = last + 1
	end
	return #parts > 0 and type(parts[1]) == "string" and parts or nil
end

-- Returns the key or the index from 1 that a part stands for in an existing table, and the error if
-- there is one.
local function resolve(container, part, path)
	local is_list = rawget(container, 1) ~= nil or native.mark(container) == "list"
	local place, text = part, words.path(path)
	if type(part) == "string" then
		place = is_list and match(part, "^%d+$") and tonumber(part)
		if not is_list then
			return part
		elseif not place then
			return part, format("%s is a list: name an entry, as in %s[0]", text, text)
		end
	elseif not is_list then
		return place + 1, text .. " is not a list"
	end
	if rawget(container, place + 1) == nil then
		return place + 1, format("%s has %d entries, counted from 0", text, #container)
	end
	return place + 1
end

-- Copies a container on the path to a value, or creates it when it is missing.
local function open(container, key, path)
	local child = container[key]
	if child == nil then
		child = {}
	elseif type(child) ~= "table" then
		return nil, format("%s is %s and has no keys", words.path(path),
			words.describe(child))
	end
	container[key] = merge.shallow(child)
	return container[key]
end

-- Sets or unsets a value; returns the error if there is one.
local function assign(container, key, value)
	if value ~= native.null then
		container[key] = value
	elseif type(key) == "string" then
		container[key] = nil
	else
		return "an entry of a list cannot be unset"
	end
end

-- Applies one setting and fills `path`; returns the error if there is one.
local function set(spec, setting, path)
	local parts = parse(setting.key)
	if not parts then
		path[1] = setting.key
		return "invalid key: expected one such as cpu.cores or emulations[0].path"
	elseif parts[1] == "targets" or parts[1] == "extends" then
		path[1] = parts[1]
		return "--set changes the merged spec, which has no targets"
	end
	-- `cpu = N` is short for a topology of one socket with one core and N threads.
	if parts[1] == "cpu" and #parts > 1 and type(spec.cpu) == "number" then
		spec.cpu = { threads = spec.cpu, cores = 1, sockets = 1 }
	end
	local container, why, key = spec, nil, nil
	for i, part in ipairs(parts) do
		if i > 1 then
			container, why = open(container, key, path)
		end
		key = type(part) == "number" and part + 1 or part
		if not why then
			key, why = resolve(container, part, path)
		end
		path[i] = key
		if why then
			return why
		end
	end
	return assign(container, key, setting.value)
end

-- Applies all settings to the merged spec and adds their errors to `problems`.
function settings.apply(merged, state, list, problems)
	for _, setting in ipairs(list) do
		local path = {}
		merged.set[#merged.set + 1] = path
		local why = set(merged.spec, setting, path)
		if why then
			problems[#problems + 1] = { path = path, text = why }
		elseif #path == 1 and path[1] == "emulations" then -- a new list
			local devices = merged.spec.emulations
			state.base = type(devices) == "table" and #devices or 0
			state.removed, merged.removed = {}, {}
		end
	end
end

return settings
