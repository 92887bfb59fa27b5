-- shrink: a hook file of one's own, beside shrink.json.  A VM that the host had to kill, because
-- memory was short, boots again with less of it.
--
--	"hooks": [{ "use": "shrink.lua", "sizes": ["12G", "8G"] }]
--
--	sizes  memory after the first kill, the second one, ..., required; after the last the VM stops
--
-- A poweroff starts it all anew.

-- Kind of an option: gives its value, or nil and what was expected.
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

	-- Changes the merged spec of one boot; the file's own is merged anew for the next.
	function hooks.on_prepare(spec)
		local size = options.sizes[vmrun.state.kills or 0]
		if size then
			spec.mem = size
			return spec
		end
	end

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
