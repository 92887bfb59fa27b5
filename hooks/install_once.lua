-- install_once: an install target is booted until it has succeeded, and then never again.
--
--	"hooks": [{ "use": "install_once", "target": "install" }]
--
--	vmrun vm.json	the first time it installs, from then on it boots `next`
--
--	target  what installs, "install"
--	next    what is booted in its place once that is done, "default"
--	done    how it ends when it has succeeded, ["reboot", "poweroff"]
--	auto    also a start with `next` installs first, true; with false only -t install does
--
-- That it is done is kept in vmrun.state: it holds for the life of the VM, also when vmrun is
-- started again.  A stop of vmrun or a fault in the middle of it is no success.  To install again,
-- remove that state: see FILES in vmrun-hooks(5).
return function(options, vm)
	options = vmrun.options(options, {
		target = { "target", default = "install" },
		next = { "target", default = "default" },
		done = { "causes", default = { "reboot", "poweroff" } },
		auto = { "boolean", default = true },
	})

	local is_success = {}
	for _, cause in ipairs(options.done) do
		is_success[cause] = true
	end

	local hooks = {}

	local function is_done()
		local installed = vmrun.state.installed
		return installed ~= nil and installed[options.target] == true
	end

	local function set_done()
		local installed = vmrun.state.installed or {}
		installed[options.target] = true
		vmrun.state.installed = installed
	end

	function hooks.on_start(boot)
		if boot.target == options.target and is_done() then
			return options.next
		elseif boot.target == options.next and boot.boots == 0 and options.auto
			and not is_done() then
			return options.target
		end
	end

	function hooks.on_exit(exit)
		if exit.target ~= options.target then
			return
		elseif not is_done() and is_success[exit.cause] then
			vmrun.log("info", vm.name .. " is installed")
			set_done()
			if exit.cause ~= "reboot" or exit.next_target then
				return -- as the target itself says
			end
		end
		-- A reboot, or a boot whose medium has gone since.
		if is_done() then
			return options.next
		end
	end

	return hooks
end
