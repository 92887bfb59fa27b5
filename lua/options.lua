-- vmrun.options(): checks the options that a hook was given against those that it declares.
local native = ...
local import = native.import
local session, words, merge = import "session", import "words", import "merge"
local raise = native.raise
local next = native.next -- the options may be a read-only view
local ipairs, tostring, type = ipairs, tostring, type
local tointeger = math.tointeger
local concat, sort = table.concat, table.sort
local find, format, sub = string.find, string.format, string.sub

local YEAR = 86400 * 366

-- Returns the keys of a table, sorted; all of them are strings.
local function sorted_keys(map)
	local names = {}
	for name in next, map do
		names[#names + 1] = name
	end
	sort(names)
	return names
end

-- Returns whether a list has a word.
local function is_in(list, word)
	for _, one in ipairs(list) do
		if one == word then
			return true
		end
	end
	return false
end

-- Returns the number of entries of a list of strings, or nil for any other value.
local function list_of_strings(value)
	local count = type(value) == "table" and native.mark(value) ~= "object"
		and merge.length(value)
	for i = 1, count or 0 do
		if type(value[i]) ~= "string" then
			return nil
		end
	end
	return count
end

-- Returns a text with bounds: "a number", "a number from 1 to 5", "a number of at least 1".  All
-- digits of a bound are shown, because it is compared with a number that is shown so.
local function with_bounds(text, low, high)
	if low and high then
		return format("%s from %.14g to %.14g", text, low, high)
	elseif low then
		return format("%s of at least %.14g", text, low)
	end
	return high and format("%s of at most %.14g", text, high) or text
end

-- Returns whether a value is a number within bounds, each of which may be nil.
local function within(value, low, high)
	return type(value) == "number" and value == value
		and (not low or value >= low) and (not high or value <= high)
end

-- By kind, functions that return the value that the hook gets; on an error they return nil and what
-- was expected, or nil, nil and the complete message.
local kinds = {}

function kinds.string(value)
	return type(value) == "string" and value or nil, "a string"
end

function kinds.boolean(value)
	if type(value) == "boolean" then
		return value
	end
	return nil, "true or false"
end

function kinds.number(value, rule)
	return within(value, rule.min, rule.max) and value or nil,
		with_bounds("a number", rule.min, rule.max)
end

function kinds.count(value, rule)
	local low = rule.min or 1
	return within(value, low, rule.max) and tointeger(value) or nil,
		with_bounds("an integer", low, rule.max)
end

function kinds.seconds(value, rule)
	local low, high = rule.min or 0, rule.max or YEAR
	return within(value, low, high) and value or nil,
		with_bounds("a number", low, high) .. ", in seconds"
end

function kinds.target(value)
	if type(value) ~= "string" then
		return nil, "the name of a target"
	elseif not import("words").is_target(value) then
		return nil, nil, words.no_target(value)
	end
	return value
end

-- Returns an absolute path.  A relative path starts from the directory of the spec.
function kinds.path(value)
	if type(value) ~= "string" or value == "" then
		return nil, "a path"
	end
	return sub(value, 1, 1) == "/" and value or session.directory .. "/" .. value
end

function kinds.command(value)
	local count = list_of_strings(value)
	local is_good = count and count > 0 and value[1] ~= ""
	return is_good and value or nil, "a command, as a list of a program and its arguments"
end

-- Returns the key of vmrun.state under which this use of a hook keeps its state: the name of the
-- hook, which rule.default gives, or "NAME:ID" with an id.
function kinds.id(value, rule)
	local name = rule.default
	if type(name) ~= "string" then
		raise("vmrun.options: the default of an id is the name of the hook")
	elseif type(value) ~= "string" or not find(value, "^%w[%w._-]*$") or #value > 64 then
		return nil, "an id: at most 64 of letters, digits, ., _ and -, the first a letter or digit"
	end
	session.keeps = value == name and name or name .. ":" .. value
	return session.keeps
end

-- Returns a list of causes and of the words in rule.also.
function kinds.causes(value, rule)
	local known = {}
	if rule.also and not list_of_strings(rule.also) then
		raise("vmrun.options: also is a list of strings, not " .. words.describe(rule.also))
	end
	for _, list in ipairs { rule.also or {}, session.causes } do
		for _, word in ipairs(list) do
			known[#known + 1] = word
		end
	end
	if not list_of_strings(value) then
		return nil, rule.also and "a list of " .. concat(known, ", ") or "a list of causes"
	end
	for _, word in ipairs(value) do
		if not is_in(known, word) then
			return nil, nil, format('unknown cause "%s"%s (known: %s)', word,
				words.hint(word, known), concat(known, ", "))
		end
	end
	return value
end

-- Returns a value as messages show it.
local function show(value)
	if type(value) == "number" then
		return format("%.14g", value)
	elseif type(value) == "string" and #value <= 40 then
		return format('"%s"', value)
	end
	return words.describe(value)
end

-- Returns the function of the kind that an option declares.
local function kind_of(name, rule)
	local kind = type(rule) == "table" and rule[1]
	if type(kind) == "function" then
		return kind
	elseif not kinds[kind] then
		raise(format("vmrun.options: the kind of %s is %s; there is: %s, or a function",
			name, show(kind), concat(sorted_keys(kinds), ", ")))
	end
	return kinds[kind]
end

-- Returns the value of an option, or nil and the error if there is one.
local function take(name, rule, value)
	local kind = kind_of(name, rule)
	local default = rule.default
	if value == nil and default == nil then
		local _, expected = kind(nil, rule)
		return nil, rule.required
			and format('missing option "%s": expected %s', name, expected)
	elseif value == nil then
		local taken, expected, wrong = kind(default, rule)
		return taken, taken == nil and format('the option "%s" is %s by default: %s', name,
			show(default), wrong or "expected " .. expected)
	end
	local taken, expected, wrong = kind(value, rule)
	return taken, taken == nil and format('option "%s": %s', name,
		wrong or format("expected %s, got %s", expected, show(value)))
end

-- Returns the error of two options that must not have the same value, and the one to report it at;
-- nil if they differ.  A default has no place in the spec, so the option that is given is at fault.
local function same(name, other, options, is_given)
	local value = options[name]
	if value == nil or value ~= options[other] then
		return nil
	elseif is_given[other] and not is_given[name] then
		name, other = other, name
	end
	local text = format('option "%s": expected another target than "%s" has%s, got %s: '
		.. "the two targets must differ", name, other,
		is_given[other] and "" or " by default", show(value))
	return text, is_given[name] and name or nil
end

-- Returns the message for an unknown option.
local function unknown(name, declared)
	local names = sorted_keys(declared)
	if #names == 0 then
		return format('unknown option "%s": it takes none', name)
	end
	return format('unknown option "%s"%s (known: %s)', name, words.hint(name, names),
		concat(names, ", "))
end

-- Returns the options and a list of all errors, { option, text }; `option` is nil when the file
-- does not have the option.
local function check(given, declared)
	local options, is_given, faults = {}, {}, {}
	local function fault(option, text)
		local who = session.loading and session.loading .. ": " or ""
		faults[#faults + 1] = { option = option, text = who .. text }
	end
	for _, name in ipairs(sorted_keys(declared)) do
		local value = given[name]
		if value == native.null then
			value = nil
		end
		local taken, wrong = take(name, declared[name], value)
		options[name], is_given[name] = taken, value ~= nil
		if wrong then
			fault(value ~= nil and name or nil, wrong)
		end
	end
	for _, name in ipairs(sorted_keys(declared)) do
		local wrong, at = same(name, declared[name].differs, options, is_given)
		if wrong then
			fault(at, wrong)
		end
	end
	local foreign = {}
	for name in next, given do
		if declared[name] == nil then
			foreign[tostring(name)] = true
		end
	end
	for _, name in ipairs(sorted_keys(foreign)) do
		fault(name, unknown(name, declared))
	end
	return options, faults
end

return function(given, declared)
	if type(given) ~= "table" or type(declared) ~= "table" then
		raise("vmrun.options takes the options of a hook and what there is of them")
	end
	local options, faults = check(given, declared)
	if #faults == 0 then
		return options
	end
	local texts = {}
	for i, fault in ipairs(faults) do
		texts[i] = fault.text
	end
	session.faults = faults -- the loader of the hook reports each with its place
	raise(concat(texts, "; "))
end
