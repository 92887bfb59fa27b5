-- The arguments of hooks, and the decisions that the answers of on_exit and on_start stand for.
local native = ...
local import = native.import
local session, readonly, merge = import "session", import "readonly", import "merge"
local raise, content_key = native.raise, native.content_key
local error, ipairs, next, tostring, type = error, ipairs, next, tostring, type
local setmetatable, tonumber = setmetatable, tonumber
local format, gmatch, gsub = string.format, string.gmatch, string.gsub

local answers = {}

-- The members that may have no value: all others are in the facts that C gives.
local members_of_past = { target = true, cause = true, status = true, signal = true, uptime = true,
	ended_by = true }
local members_of_exit = { vm = true, boots = true, next_target = true, stderr = true, count = true,
	history = true, window = true }
for name in next, members_of_past do
	members_of_exit[name] = true
end
local members_of_boot = { vm = true, target = true, boots = true, hypervisor = true, pid = true,
	previous_cause = true, spec = true, devices = true }
local boot_kind = readonly.kind("boot", members_of_boot)

-- Returns the read-only `boot`.
function answers.boot(facts)
	return readonly.view(facts, boot_kind)
end

-- The lines of one exit, as history.c packs it: time, cause, status, signal, uptime, what ended it
-- and target.
local PAST = "([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n"

-- Returns the list of exits, { time = ms } with the members of exit.history[i].  Most hooks look at
-- none: the text is read when the list is wanted.
local function read(past)
	if past.list then
		return past.list
	end
	local list = {}
	for time, cause, status, signal, uptime, by, target in gmatch(past.history, PAST) do
		list[#list + 1] = {
			time = tonumber(time),
			target = target,
			cause = cause,
			status = tonumber(status),
			signal = tonumber(signal),
			uptime = tonumber(uptime) / 1000,
			ended_by = by ~= "" and by or nil,
		}
	end
	past.list = list
	return list
end

-- Returns the read-only `exit.history`, whose exits become views when they are looked at.
local function history(past)
	local made = {}

	local function exit_at(i)
		local exit = not made[i] and read(past)[i]
		if exit then
			local content = merge.shallow(exit)
			local kind = readonly.kind(format("exit.history[%d]", i), members_of_past)
			content.time = nil
			made[i] = readonly.flat(content, kind)
		end
		return made[i]
	end

	local function all()
		local list = {}
		for i = 1, #read(past) do
			list[i] = exit_at(i)
		end
		return list
	end

	return setmetatable({}, {
		[content_key] = all, -- for copies into C
		__index = function(_, i)
			return exit_at(i)
		end,
		__newindex = function()
			raise("exit is read-only")
		end,
		__len = function()
			return #read(past)
		end,
		__pairs = function(view)
			local list = all()
			return function(_, i)
				return next(list, i)
			end, view, nil
		end,
		__metatable = false,
	})
end

-- Returns how many of the exits were in the last seconds.
local function count_since(past, seconds)
	if type(seconds) ~= "number" then
		raise("exit.window takes a number of seconds")
	end
	local count = 0
	for _, exit in ipairs(read(past)) do
		if (past.now - exit.time) / 1000 <= seconds then
			count = count + 1
		end
	end
	return count
end

-- The members of `exit` that few hooks look at: count.CAUSE (0 for a cause not seen yet, which C
-- leaves out), history and window(s).
local exit_kind = readonly.kind("exit", members_of_exit, {
	count = function(past)
		local count = past.count
		for _, cause in ipairs(session.causes) do
			count[cause] = count[cause] or 0
		end
		return readonly.flat(count, readonly.kind("exit.count", {}))
	end,
	history = history,
	window = function(past)
		return native.framed(function(seconds)
			return count_since(past, seconds)
		end)
	end,
})

-- Returns the read-only `exit`.
function answers.exit(argument)
	return readonly.late(argument.exit, exit_kind, argument.past)
end

-- Raises an error when a hook named a target that does not exist.
local function check_target(hook, target)
	if target ~= nil and not import("words").is_target(target) then
		error(format("%s: %s", hook, import("words").no_target(target)), 0)
	end
end

-- Returns the decision of a hook, { action = "boot" | "stop", target, delay, status }, or nil when
-- the hook leaves the decision to the next one.
function answers.decision(hook, answer)
	if answer == nil then
		return nil
	elseif answer == true then
		return { action = "boot" }
	elseif answer == false then
		return { action = "stop" }
	end
	local action = session.actions[answer]
	if type(answer) == "string" then
		action = { action = "boot", target = answer }
	elseif not action then
		error(format("%s returned %s; expected a target name, vmrun.boot(), vmrun.stop(), "
			.. "true, false or nothing", hook, import("words").describe(answer)), 0)
	end
	check_target(hook, action.target)
	return action
end

-- Returns what on_start decided: { refused, reason } for false, { target } for the name of a target
-- to boot instead, nil to go on with the boot.
function answers.start(answer, reason)
	if answer == false then
		local text = reason ~= nil and gsub(tostring(reason), "\0", "?") or nil
		return { refused = true, reason = text }
	elseif type(answer) == "string" then
		check_target("on_start", answer)
		return { target = answer }
	elseif answer ~= nil and answer ~= true then
		error(format("on_start returned %s; expected a target, false and a reason, or nothing",
			import("words").describe(answer)), 0)
	end
end

return answers
