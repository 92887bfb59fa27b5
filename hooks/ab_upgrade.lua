-- ab_upgrade: two slots, one in use; an upgrade goes to the other, which is tried and must stay up.
--
--	"hooks": [{ "use": "ab_upgrade", "a": "disk-a", "b": "disk-b", "stays_up": 300,
--		"request": "share/upgrade" }]
--
--	vmrun -t disk-a vm.json		boots the slot in use, whichever of the two that is
--
--	a, b      the targets that are the slots, "a" and "b"
--	stays_up  a new slot that runs for so many seconds is taken, 300
--	request   a file: when it is there at a reboot of the slot in use, it is removed and the other
--	          slot is tried.  In a shared folder (virtio-9p) the guest itself can make it
--	confirm   a file: a new slot that makes it is taken also when it ends before that
--
-- A try also begins when anything else boots the other slot: a next_target, another hook.  A new
-- slot that ends before its time is left again, unless it powers off.  Which slot is in use is kept
-- in vmrun.state and holds when vmrun is started again; the first one ever started is the first.
return function(options)
	options = vmrun.options(options, {
		a = { "target", default = "a" },
		b = { "target", default = "b" },
		stays_up = { "seconds", default = 300 },
		request = { "path" },
		confirm = { "path" },
	})
	local other = { [options.a] = options.b, [options.b] = options.a }

	local function is_new(slot)
		return other[slot] ~= nil and slot ~= vmrun.state.slot
	end

	-- Was the file there?  It is not, afterwards.
	local function take_file(path)
		return path ~= nil and vmrun.exists(path) and os.remove(path) ~= nil
	end

	local function accept(slot)
		vmrun.log("info", "slot " .. slot .. " is good and in use from now on")
		vmrun.state.slot = slot
	end

	local hooks = {}

	function hooks.on_start(boot)
		if other[boot.target] and not vmrun.state.slot then
			vmrun.state.slot = boot.target
		elseif is_new(boot.target) and boot.boots == 0 then
			return false, "the slot in use is " .. vmrun.state.slot
		end
	end

	function hooks.on_started(boot)
		if is_new(boot.target) then
			vmrun.sleep(options.stays_up) -- an exit ends this hook too
			accept(boot.target)
		end
	end

	function hooks.on_exit(exit)
		if is_new(exit.target) then
			if exit.uptime >= options.stays_up or take_file(options.confirm) then
				accept(exit.target)
			elseif exit.cause ~= "poweroff" then
				return vmrun.state.slot
			end
		elseif exit.cause == "reboot" and take_file(options.request) then
			return other[exit.target]
		end
	end

	return hooks
end
