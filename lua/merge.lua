-- Copies, compares and merges the tables of scripts, which stay as they are.
local native = ...
local mark, null = native.mark, native.null
local next, rawget = native.next, native.rawget -- scripts merge read-only views, too
local error, rawequal, type = error, rawequal, type
local math_type, tointeger = math.type, math.tointeger

local merge = {}

local DEPTH = 64 -- the same limit as in src/script/values.c

-- Returns whether a value is a table that is not a list.
function merge.is_object(value)
	return type(value) == "table" and rawget(value, 1) == nil
		and (next(value) ~= nil or mark(value) ~= "list")
end
local is_object = merge.is_object

-- Returns the number of entries of a list, or nil when the table has other keys or gaps.
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

-- Returns a copy of a table that shares the values.
function merge.shallow(table)
	local copy = {}
	for key, value in next, table do
		copy[key] = value
	end
	return copy
end

-- Returns a deep copy, which shares only functions.  Floats with an integer value become integers,
-- because JSON does not tell them apart.
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

-- Returns a deep copy of a value.
function merge.copy(value)
	return copy(value, 0)
end

-- Returns whether two values are the same; `before` is a tree.
local function is_same(before, now)
	if type(before) ~= "table" or type(now) ~= "table" then
		return rawequal(before, now)
	end
	for key, value in next, before do
		if not is_same(value, rawget(now, key)) then
			return false
		end
	end
	for key in next, now do
		if rawget(before, key) == nil then
			return false
		end
	end
	return true
end
merge.is_same = is_same

-- Merges `above` into `into`, which it changes, and returns the result.
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

-- Returns a new document in which the objects of all keys are merged.
function merge.deep(below, above)
	return lay_deep(copy(below, 0), above, 0)
end

return merge
