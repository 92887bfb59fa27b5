-- backoff: boots again after a fault, and waits longer before each further boot.
--
--	"hooks": [{ "use": "backoff", "initial": 2, "factor": 3, "max": 300 }]
--
--	initial      seconds before the first boot after a fault, default 1
--	factor       each further wait is longer by this factor, default 2
--	max          the longest wait in seconds, default 60
--	reset_after  a boot of this many seconds resets the wait to `initial`, default 60
--	causes       the causes that are faults, default ["triple_fault", "error", "killed",
--	             "start_failed"]
--
-- The key `backoff` of a spec only delays boots that another policy has decided; this hook also
-- decides to boot.  The spec's restart_limit applies; `"restart_limit": false` retries for ever.
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

	local is_fault, leads = {}, {}
	for _, cause in ipairs(options.causes) do
		is_fault[cause] = true
		leads[#leads + 1] = { cause = cause } -- to the same target
	end

	local hooks = { leads = leads }
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
