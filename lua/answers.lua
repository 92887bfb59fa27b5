-- The arguments of hooks, and the decisions that the answers of on_exit and on_start stand for.
local native = ...
local import = native.import
local session, readonly = import "session", import "readonly"
local raise = native.raise
local error, ipairs, next, tostring, type = error, ipairs, next, tostring, type
local format, gsub = string.format, string.gsub

local answers = {}

-- The members that may have no value: all others are in the facts that C gives.
local members_of_past = { target = true, cause = true, status = true, signal = true, uptime = true,
	ended_by = true }
local members_of_exit = { vm = true, boots = true, next_target = true, stderr = true }
for name in next, members_of_past do
	members_of_exit[name] = true
end
local members_of_boot = { vm = true, target = true, boots = true, hypervisor = true, pid = true,
	previous_cause = true, spec = true, devices = true }

-- Returns the read-only `boot`.
function answers.boot(facts)
	return readonly(facts, "boot", members_of_boot)
end

-- Returns the read-only `exit`: the facts, count.CAUSE (0 for a cause not seen yet), window(s).
function answers.exit(facts)
	local ages = facts.ages or {}
	facts.ages = nil
	facts.history = facts.history or {}
	for i, past in ipairs(facts.history) do
		facts.history[i] = readonly(past, format("exit.history[%d]", i), members_of_past)
	end
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
	local count = facts.count or {}
	for _, cause in ipairs(session.causes) do
		count[cause] = count[cause] or 0
	end
	facts.count = readonly(count, "exit.count", {})
	return readonly(facts, "exit", members_of_exit)
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
