-- shrink: an example of a hook file, used by shrink.json.  A VM that the host killed because memory
-- was short boots again with less memory.
--
--	"hooks": [{ "use": "shrink.lua", "sizes": ["12G", "8G"] }]
--
--	sizes  memory after the first kill, the second kill and so on, required; after the last size the
--	       VM stops
--
-- A poweroff resets the count of kills.

-- Checks an option: returns its value, or nil and a description of the expected value.
local function list_of_sizes(value)
	local good = type(value) == "table" and #value > 0
	for _, size in ipairs(good and value or {}) do
		good = good and type(size) == "string" and size:find("^%d+[kKmMgGtT]$") ~= nil
	end
	return good and value or nil, 'sizes of memory, ["12G", "8G"]'
end

return function(options)
	options = vmrun.options(options, { sizes = { list_of_sizes, required = true } })

	local hooks = {}

	-- Changes the merged spec of this boot only, because each boot merges the file anew.
	function hooks.on_prepare(spec)
		local size = options.sizes[vmrun.state.kills or 0]
		if size then
			spec.mem = size
			return spec
		end
	end

	-- Counts kills, and boots again while there is a smaller size.
	function hooks.on_exit(exit)
		if exit.cause == "poweroff" then
			vmrun.state.kills = nil
		elseif exit.cause == "killed" and (vmrun.state.kills or 0) < #options.sizes then
			vmrun.state.kills = (vmrun.state.kills or 0) + 1
			return exit.target
		end
	end

	return hooks
end
