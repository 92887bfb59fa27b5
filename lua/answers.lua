-- The argument of on_exit, and the decisions that the answers of on_exit and on_start stand for.
local native = ...
local import = native.import
local session, readonly = import "session", import "readonly"
local raise = native.raise
local error, tostring, type = error, tostring, type
local format = string.format

local answers = {}

-- Returns the read-only `exit`: the facts, count.CAUSE (0 for a cause not seen yet), window(s).
function answers.exit(facts)
	local ages = facts.ages or {}
	facts.ages = nil
	facts.history = facts.history or {}
	facts.window = function(seconds)
		if type(seconds) ~= "number" then
			raise("exit.window takes a number of seconds")
		end
		local count = 0
		for i = 1, #ages do
			if ages[i] <= seconds then
				count = count + 1
			end
		end
		return count
	end
	facts.count = readonly(facts.count or {}, "exit", 0)
	return readonly(facts, "exit")
end

-- Raises an error when a hook named a target that does not exist.
local function check_target(hook, target)
	if target ~= nil and not import("targets").exist(target) then
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
		return { refused = true, reason = reason ~= nil and tostring(reason) or nil }
	elseif type(answer) == "string" then
		check_target("on_start", answer)
		return { target = answer }
	elseif answer ~= nil and answer ~= true then
		error(format("on_start returned %s; expected a target, false and a reason, or nothing",
			import("words").describe(answer)), 0)
	end
end

return answers
