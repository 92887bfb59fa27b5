-- `vmrun`: the functions that talk with the guest on its console and with the supervisor.
local native = ...
local import = native.import
local session, waits = import "session", import "waits"
local raise = native.raise
local next, rawget = native.next, native.rawget -- scripts pass read-only views, too
local ipairs, setmetatable, type = ipairs, setmetatable, type
local math_type, tointeger, tostring = math.type, math.tointeger, tostring
local format = string.format
local concat, unpack = table.concat, table.unpack

local guest = {}

local MAX_PATTERNS = 100 -- of one vmrun.expect()
local MAX_TEXT = 4096 -- bytes of one of its texts
local WAIT = 60 -- seconds, without a timeout

local regexes = setmetatable({}, { __mode = "k" }) -- { regex, groups } by what scripts have

local function describe(value)
	return regexes[value] and "a regex" or import("words").describe(value)
end

-- Raises an error unless the options of a function are a table with these keys; `example` is one of
-- them with a value.
local function check_options(name, options, known, example)
	if options ~= nil and (type(options) ~= "table" or regexes[options]) then
		raise(format("vmrun.%s: the options are a table, as in { %s }, not %s", name, example,
			describe(options)))
	end
	for key in next, options or {} do
		local is_known = false
		for _, option in ipairs(known) do
			is_known = is_known or key == option
		end
		if not is_known then
			local hint = type(key) == "string" and import("words").hint(key, known) or ""
			raise(format("vmrun.%s: unknown option %s%s (known: %s)", name, tostring(key),
				hint, concat(known, ", ")))
		end
	end
	return options or {}
end

-- Returns the seconds that a function waits at most.
local function timeout_of(name, options)
	local timeout = check_options(name, options, { "timeout" }, "timeout = 5").timeout
	if timeout == nil then
		return WAIT
	end
	waits.check_seconds(format("vmrun.%s: timeout", name), timeout)
	return timeout
end

-- Returns an opaque value for vmrun.expect(): an extended regular expression of regcomp(3).
function guest.regex(ere)
	if type(ere) ~= "string" then
		raise("vmrun.regex takes a regular expression as a string, not " .. describe(ere))
	end
	local groups, why = native.regex(ere)
	if not groups then
		raise("vmrun.regex: " .. why)
	end
	local regex = setmetatable({}, {
		__newindex = function()
			raise("what vmrun.regex() returns is read-only")
		end,
		__tostring = function()
			return "vmrun.regex: " .. ere
		end,
		__metatable = false,
		__name = "vmrun.regex",
	})
	regexes[regex] = { regex = ere, groups = groups }
	return regex
end

-- Returns one of the things that vmrun.expect() looks for, as { text } or { regex }; `what` names it
-- in errors.
local function pattern_of(what, value)
	if regexes[value] then
		return { regex = regexes[value].regex }
	elseif type(value) ~= "string" then
		raise(format("vmrun.expect: %s is %s, expected a string or vmrun.regex()", what,
			describe(value)))
	elseif value == "" then
		raise(format("vmrun.expect: %s is empty, and would match at once", what))
	elseif #value > MAX_TEXT then
		raise(format("vmrun.expect: %s has %d bytes, at most %d are allowed", what, #value,
			MAX_TEXT))
	end
	return { text = value }
end

-- Returns the list of patterns of vmrun.expect().
local function patterns_of(what)
	if type(what) ~= "table" or regexes[what] then
		return { pattern_of("what to look for", what) }
	end
	local patterns, count = {}, 0
	for key in next, what do
		if math_type(key) ~= "integer" then
			raise(format("vmrun.expect: the list has a key %s; timeout stands in a second "
				.. "table: vmrun.expect({ ... }, { timeout = 5 })", tostring(key)))
		end
		count = count + 1
	end
	if count == 0 then
		raise("vmrun.expect: the list is empty: expected at least one text or regular expression")
	elseif count > MAX_PATTERNS then
		raise(format("vmrun.expect: the list has %d entries, at most %d are allowed", count,
			MAX_PATTERNS))
	end
	for i = 1, count do
		patterns[i] = pattern_of(format("[%d]", i), rawget(what, i))
	end
	return patterns
end

-- Returns what a dry run finds: the first thing of the list, which has an empty line.
local function found_dry(what)
	local first = type(what) == "table" and not regexes[what] and what[1] or what
	local regex, groups = regexes[first], {}
	if not regex then
		return { index = 1, text = first }
	end
	for i = 1, regex.groups > 0 and regex.groups or 1 do
		groups[i] = ""
	end
	return { index = 1, groups = groups }
end

-- Waits until a text or a match of a regex comes on the guest's console, or the first of a list.
-- Returns its index and the text, or the groups of the regex; nil and "timeout", "gone" or why.
function guest.expect(what, options)
	waits.check_hook "vmrun.expect"
	local patterns, timeout = patterns_of(what), timeout_of("expect", options)
	local answer = waits.ask("expect", { expect = patterns, timeout = timeout },
		native.dry_run and found_dry(what))
	if not answer.index then
		return nil, answer.message
	elseif answer.groups then
		return answer.index, unpack(answer.groups)
	end
	return answer.index, answer.text
end

-- Returns true, or nil and the reason, which C answers.
local function done(answer)
	if answer.ok then
		return true
	end
	return nil, answer.message
end

-- Types a text on the guest's console.  Returns true when the guest has taken all of it, or nil and
-- "timeout", "gone" or why.
function guest.send(text, options)
	waits.check_hook "vmrun.send"
	if type(text) ~= "string" then
		raise("vmrun.send takes a text, not " .. describe(text))
	elseif text == "" then
		raise("vmrun.send: the text is empty")
	end
	local timeout = timeout_of("send", options)
	return done(waits.ask("send", { send = text, timeout = timeout }, { ok = true }))
end

-- By name, the option that a request has beside its name.
local commands = { stop = "status", kill = false, reboot = "target", next = "target", reset = false }
local options_of_request = { "target", "status" }

-- Raises an error unless the options of a request fit its command.
local function check_request(cmd, options)
	for _, key in ipairs(options_of_request) do
		if options[key] ~= nil and commands[cmd] ~= key then
			raise(format('vmrun.request: "%s" has no %s', cmd, key))
		end
	end
	local target, status = options.target, options.status
	local number = type(status) == "number" and tointeger(status)
	if status ~= nil and not (number and number >= 0 and number <= 255) then
		raise("vmrun.request: the status is an integer from 0 to 255")
	elseif target ~= nil and type(target) ~= "string" then
		raise("vmrun.request: the target is a string, not " .. describe(target))
	elseif cmd == "next" and target == nil then
		raise('vmrun.request: "next" needs a target: '
			.. 'vmrun.request("next", { target = "rescue" })')
	end
	return number or nil
end

-- Asks the supervisor to do something, as `vmrunctl NAME cmd` does.  Returns true, or nil and why
-- not.
function guest.request(cmd, options)
	waits.check_hook "vmrun.request"
	if type(cmd) ~= "string" or commands[cmd] == nil then
		local names = { "stop", "kill", "reboot", "next", "reset" }
		local all = concat(names, ", ")
		local hint = type(cmd) == "string" and import("words").hint(cmd, names) or ""
		local said = type(cmd) == "string" and format("unknown request %q%s", cmd, hint)
			or "the request is a string, not " .. describe(cmd)
		raise(format("vmrun.request: %s (known: %s)", said, all))
	end
	options = check_options("request", options, options_of_request,
		cmd == "stop" and "status = 5" or 'target = "default"')
	local status, target = check_request(cmd, options), options.target
	if target ~= nil and not import("words").is_target(target) then
		return nil, import("words").no_target(target)
	end
	return done(waits.ask("request", { request = cmd, target = target, status = status },
		{ ok = true }))
end

return guest
