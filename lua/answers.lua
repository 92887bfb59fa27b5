-- What on_exit is told, and what its answer means.
local native = ...
local import = native.import
local session, readonly = import "session", import "readonly"
local raise = native.raise
local error, tostring, type = error, tostring, type
local format = string.format

local answers = {}

-- `exit`: the facts, count.CAUSE with 0 for causes not seen yet, and window(s).
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

local function check_target(hook, target)
	if target ~= nil and not import("targets").exist(target) then
		error(format("%s: %s", hook, import("words").no_target(target)), 0)
	end
end

-- { action = "boot" | "stop", target, delay, status }, or nothing: no opinion.
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

-- on_start: false and a reason refuse the boot, a target is booted in its place.
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
