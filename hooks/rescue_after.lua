-- rescue_after: boots a rescue target when the VM has failed several times in a row.
--
--	"hooks": [{ "use": "rescue_after", "faults": 3, "within": 600, "target": "rescue" }]
--
--	faults  the number of faults in a row after which to boot the rescue target, 1 to 64,
--	        default 3; at most the count of restart_limit, which gives up after more boots
--	within  seconds within which these faults must happen, default 600
--	target  the rescue target, default "rescue"
--	causes  the causes that are faults, default ["triple_fault", "error", "killed"]
--	retry   true, the default: after fewer faults the hook boots the same target again;
--	        false: the next hook or the declared policy decides
--
-- Any other exit, and every boot of the rescue target, resets the count.  The next_target of the
-- rescue target decides what is booted after it.
return function(options, vm)
	options = vmrun.options(options, {
		faults = { "count", default = 3, max = 64 }, -- exit.history has at most 64 entries
		within = { "seconds", default = 600 },
		target = { "target", default = "rescue" },
		causes = { "causes", default = { "triple_fault", "error", "killed" } },
		retry = { "boolean", default = true },
	})

	local limit = vm.restart_limit
	if limit and options.faults > limit then
		local why = "faults is %d, but restart_limit gives up after %d boots, so that the "
			.. "rescue target never boots: lower faults, raise restart_limit.count or "
			.. "set restart_limit to false"
		return nil, why:format(options.faults, limit)
	end

	local is_fault, leads = {}, {}
	for _, cause in ipairs(options.causes) do
		is_fault[cause] = true
		leads[#leads + 1] = { cause = cause, target = options.target }
	end

	-- Returns the number of faults in a row up to the last exit, which is history[1].
	local function faults_in_a_row(exit)
		local count = 0
		for i = 1, exit.window(options.within) do
			local past = exit.history[i]
			if not is_fault[past.cause] or past.target == options.target then
				break
			end
			count = i
		end
		return count
	end

	local hooks = { leads = leads }

	function hooks.on_exit(exit)
		local faults = faults_in_a_row(exit)
		if faults >= options.faults then
			local text = "%d faults in a row: booting %s"
			vmrun.log("warning", text:format(faults, options.target))
			return options.target
		elseif faults > 0 and options.retry then
			return exit.target
		end
	end

	return hooks
end
