-- A hook of random policies (test_random.c): its answers are its options, one after the other.
return function(options)
	local asked = 0

	return {
		on_exit = function()
			asked = asked + 1
			local answer = options.answers[(asked - 1) % #options.answers + 1]
			if answer == "boot" then
				return vmrun.boot(nil, { delay = 0.002 })
			elseif answer == "stop" then
				return vmrun.stop(7)
			elseif answer == "wait" then
				vmrun.sleep(0.002)
			elseif answer ~= "pass" then
				return answer -- a target, true or false
			end
		end,
	}
end
