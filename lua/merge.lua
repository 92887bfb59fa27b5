-- Laying one document over another.  Originals are never altered, and what does not change is
-- shared with them: a boot copies the tables on the way to a change, and nothing else.
local native = ...
local mark, null = native.mark, native.null
local error, next, rawequal, rawget, type = error, next, rawequal, rawget, type
local math_type, tointeger = math.type, math.tointeger

local merge = {}

local DEPTH = 64 -- as values.c has it

function merge.is_object(value)
	return type(value) == "table" and rawget(value, 1) == nil
		and (next(value) ~= nil or mark(value) ~= "list")
end
local is_object = merge.is_object

-- How many entries a list has; nil when the table is not a list from its first entry to its last.
function merge.length(list)
	local count = 0
	for _ in next, list do
		count = count + 1
		if rawget(list, count) == nil then
			return nil
		end
	end
	return count
end

function merge.shallow(table)
	local copy = {}
	for key, value in next, table do
		copy[key] = value
	end
	return copy
end
local shallow = merge.shallow

-- The object without keys that are null, itself when there are none.  `keys` names the keys below
-- which the same holds.
local function without_nulls(object, keys)
	local result = object
	for key, value in next, object do
		local kept = value
		if value == null then
			kept = nil
		elseif keys[key] and is_object(value) then
			kept = without_nulls(value, keys[key])
		end
		if not rawequal(kept, value) then
			if result == object then
				result = shallow(object)
			end
			result[key] = kept
		end
	end
	return result
end
merge.without_nulls = without_nulls

-- What `below` becomes when `above` is laid over it.  Objects merge key by key, null unsets a key;
-- below the keys that `keys` names it goes on like that, all else replaces.
local function overlay(below, above, keys)
	if not is_object(above) then
		return above
	elseif not is_object(below) then
		return without_nulls(above, keys)
	end
	local result = shallow(below)
	for key, value in next, above do
		if value == null then
			result[key] = nil
		elseif keys[key] then
			result[key] = overlay(result[key], value, keys[key])
		else
			result[key] = value
		end
	end
	return result
end
merge.overlay = overlay

-- A copy that shares nothing but functions.  JSON's floats become the integers that they are.
local function copy(value, depth)
	if math_type(value) == "float" then
		return tointeger(value) or value
	elseif type(value) ~= "table" then
		return value
	elseif depth >= DEPTH then
		error("nested deeper than 64 levels (does a table contain itself?)", 0)
	end
	local result = {}
	for key, child in next, value do
		result[key] = copy(child, depth + 1)
	end
	if next(result) == nil then
		mark(result, mark(value))
	end
	return result
end

function merge.copy(value)
	return copy(value, 0)
end

-- `into` is ours to change.
local function lay_deep(into, above, depth)
	if not is_object(above) then
		return copy(above, depth)
	elseif depth >= DEPTH then
		error("nested deeper than 64 levels (does a table contain itself?)", 0)
	end
	local result = is_object(into) and into or {}
	for key, value in next, above do
		if value == null then
			result[key] = nil
		else
			result[key] = lay_deep(result[key], value, depth + 1)
		end
	end
	return result
end

-- A new document: every object merges, whatever its key.
function merge.deep(below, above)
	return lay_deep(copy(below, 0), above, 0)
end

return merge
