-- Describes values, names and paths for messages.
local native = ...
local session = native.import "session"
local next, rawget, type = native.next, native.rawget, type
local concat, sort = table.concat, table.sort
local math_type, max = math.type, math.max
local format = string.format

local words = {}

local articles = {
	["nil"] = "nothing",
	boolean = "a boolean",
	number = "a number",
	string = "a string",
	["function"] = "a function",
	thread = "a coroutine",
	userdata = "a userdata",
}

-- Returns the index, from 0 as in paths, of the first gap in a list, or nil when it has none.
function words.gap(list)
	local count, highest = 0, 0
	for key in next, list do
		if math_type(key) == "integer" and key >= 1 then
			count, highest = count + 1, max(highest, key)
		end
	end
	for i = 1, count < highest and highest or 0 do
		if rawget(list, i) == nil then
			return i - 1
		end
	end
end

-- Returns what a value is: "a string", "a list", "null".
function words.describe(value)
	local action = session.actions[value]
	if value == native.null then
		return "null"
	elseif action then
		return format("vmrun.%s(), an answer for on_exit", action.action)
	elseif type(value) ~= "table" then
		return articles[type(value)]
	elseif next(value) == nil then
		local mark = native.mark(value)
		return mark and "an empty " .. mark or "an empty table"
	end
	local gap = words.gap(value)
	if gap then
		return format("a list with gaps ([%d] is nil)", gap)
	end
	return rawget(value, 1) ~= nil and "a list" or "an object"
end

-- Returns ', did you mean "x"?' for a word that resembles one of the names, else "".
function words.hint(word, names)
	sort(names)
	local near = native.near(word, names)
	return near and format(", did you mean %q?", near) or ""
end

-- Returns the names of all targets, sorted; `default` always exists.
function words.targets()
	local names = { "default" }
	local all = session.document.targets
	if type(all) == "table" then
		for name in next, all do
			if type(name) == "string" and name ~= "default" then
				names[#names + 1] = name
			end
		end
	end
	sort(names)
	return names
end

-- Returns whether a target exists and can be booted.
function words.is_target(name)
	local all = session.document.targets
	return name == "default" or type(all) == "table" and type(all[name]) == "table"
end

-- Returns 'unknown target "instal", did you mean "install"? (known: default, install)'.
function words.no_target(name)
	local names = words.targets()
	return format('unknown target "%s"%s (known: %s)', name, words.hint(name, names),
		concat(names, ", "))
end

-- Returns a path as messages show it, with indices from 0: "emulations[0].path".
function words.path(path)
	local text = ""
	for i = 1, #path do
		local key = path[i]
		if type(key) == "string" then
			text = text .. (i > 1 and "." or "") .. key
		else
			text = format("%s[%d]", text, key - 1)
		end
	end
	return text
end

return words
