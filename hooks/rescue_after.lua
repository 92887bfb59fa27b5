-- rescue_after: boots a rescue target when the VM has failed several times in a row.
--
--	"hooks": [{ "use": "rescue_after", "faults": 3, "within": 600, "target": "rescue" }]
--
--	faults  so many in a row, 3 ...
--	within  ... in so many seconds, 600
--	target  what is booted then, "rescue"
--	causes  what counts as a fault, ["triple_fault", "error", "killed"]
--	retry   after fewer faults the same target is booted again, true; with false the next hook
--	        or the declared policy decides
--
-- Any other end of a boot, and every boot of the rescue target, starts the row anew.  What happens
-- after the rescue target is its own next_target's business.
return function(options)
	options = vmrun.options(options, {
		faults = { "count", default = 3, max = 64 }, -- exit.history has no more
		within = { "seconds", default = 600 },
		target = { "target", default = "rescue" },
		causes = { "causes", default = { "triple_fault", "error", "killed" } },
		retry = { "boolean", default = true },
	})

	local is_fault = {}
	for _, cause in ipairs(options.causes) do
		is_fault[cause] = true
	end

	-- The newest exit is history[1].
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

	local hooks = {}

	function hooks.on_exit(exit)
		local faults = faults_in_a_row(exit)
		if faults >= options.faults then
			vmrun.log("warning", faults .. " faults in a row, now " .. options.target)
			return options.target
		elseif faults > 0 and options.retry then
			return exit.target
		end
	end

	return hooks
end
