-- backoff: boots again after a fault, and waits longer before each further one.
--
--	"hooks": [{ "use": "backoff", "initial": 2, "factor": 3, "max": 300 }]
--
--	initial      seconds before the first boot after a fault, 1
--	factor       each further wait is so many times as long, 2
--	max          but never longer than this, in seconds, 60
--	reset_after  a boot that was up for so many seconds starts it all anew, 60
--	causes       what counts as a fault, ["triple_fault", "error", "killed", "start_failed"]
--
-- The key `backoff` of a spec delays what another policy boots; this hook also says that there is a
-- boot.  The spec's restart_limit holds all the same: `"restart_limit": false` tries for ever.
return function(options)
	options = vmrun.options(options, {
		initial = { "seconds", default = 1 },
		factor = { "number", default = 2, min = 1 },
		max = { "seconds", default = 60 },
		reset_after = { "seconds", default = 60 },
		causes = {
			"causes",
			default = { "triple_fault", "error", "killed", "start_failed" },
		},
	})

	local is_fault = {}
	for _, cause in ipairs(options.causes) do
		is_fault[cause] = true
	end

	local hooks = {}
	local delay = options.initial -- of the next boot after a fault

	function hooks.on_exit(exit)
		if exit.uptime >= options.reset_after then
			delay = options.initial
		end
		if is_fault[exit.cause] then
			local now = math.min(delay, options.max)
			delay = now * options.factor
			return vmrun.boot(nil, { delay = now })
		end
	end

	return hooks
end
