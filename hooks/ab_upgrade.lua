-- ab_upgrade: switches between two slots; an upgrade is written to the slot that is not in use, and
-- the hook tries that slot.
--
--	"hooks": [{ "use": "ab_upgrade", "a": "disk-a", "b": "disk-b", "request": "share/upgrade" }]
--	vmrun -t disk-a vm.json		boots the slot that is in use, disk-a or disk-b
--
--	a, b      the two targets that are the slots, default "a" and "b"
--	stays_up  seconds that a new slot without the key `ready` must run to be accepted; default
--	          300
--	request   a file; if it exists when the guest in the slot in use reboots, the hook tries the
--	          other slot, and removes the file as the try starts
--	confirm   a file; the hook accepts a new slot that creates it, even if it ends too early
--	id        a name for this hook's state, where a spec uses the hook twice
--
-- A new slot whose target has the key `ready` is accepted when it is ready, and not before.
--
-- A next_target or another hook can begin a try, too.  If a new slot ends too early, the hook boots
-- the slot in use again, except after a poweroff.  vmrun.state keeps which slot is in use: at first
-- the slot that is started first.  The hook refuses a boot if it cannot read that state, or cannot
-- save it for the first slot.
--
-- `vmrunctl NAME forget ab_upgrade` drops the state.
return function(options)
	options = vmrun.options(options, {
		a = { "target", default = "a" },
		b = { "target", default = "b", differs = "a" },
		stays_up = { "seconds", default = 300 },
		request = { "path" }, confirm = { "path" },
		id = { "id", default = "ab_upgrade" },
	})
	if not os and (options.request or options.confirm) then
		return nil, "request and confirm need rm(1), which --sandbox refuses"
	end
	local other = { [options.a] = options.b, [options.b] = options.a }
	local asks = {} -- targets with `ready`, which decides whether to accept them
	local gone = {} -- files removed in a simulation, which does not run rm(1)

	-- Returns the slot in use; nil before the first boot and after the slots were renamed.
	local function in_use()
		local kept, slot = vmrun.state[options.id], vmrun.state.slot -- of version 0.1
		if kept ~= nil then
			slot = kept.slot
		end
		return other[slot] and slot
	end

	-- Saves the slot in use.  Returns true, or nil and the error.
	local function keep(slot)
		vmrun.state[options.id] = { slot = slot }
		return vmrun.save()
	end

	-- Returns whether a target is a slot and not the one in use.
	local function is_new(slot)
		return other[slot] and slot ~= in_use()
	end

	local function is_there(path)
		return path and not gone[path] and vmrun.exists(path)
	end

	-- Removes a file.  Returns true when it is gone, false when it cannot be removed, nil when
	-- there is none.
	local function take_file(path)
		if is_there(path) then
			local status, why, said = vmrun.exec { "rm", "-f", path }
			gone[path] = vmrun.dry_run and status == 0
			if status ~= 0 then
				why = said or why
				vmrun.log("warning", "cannot remove " .. path .. ": " .. why)
			end
			return status == 0
		end
	end

	-- Makes a new slot the one in use.
	local function accept(slot)
		vmrun.log("info", "slot " .. slot .. " is good and in use from now on")
		local ok, why = keep(slot)
		if not ok then
			why = "slot " .. slot .. " is in use only until vmrun exits: " .. why
			vmrun.log("error", why)
		end
	end

	-- Saves the first slot.  Returns false and the reason when that fails.
	local function begin(slot)
		local before = vmrun.state[options.id]
		local ok, why = keep(slot)
		if not ok then
			vmrun.state[options.id] = before
			return false, ("cannot save that slot %s is in use: %s"):format(slot, why)
		end
	end

	local function on_start(boot)
		local slot = boot.target
		if is_new(slot) and not in_use() then
			local ok, why = begin(slot)
			if ok == false then
				return ok, why
			end
		elseif is_new(slot) and boot.boots == 0 then
			return in_use()
		end
		if is_new(slot) and take_file(options.request) == false then
			return in_use() -- the file would ask for the next try at once
		elseif take_file(options.confirm) == false and is_new(slot) then
			return false, options.confirm .. " of an earlier try would confirm this one"
		end
	end

	local function on_started(boot)
		local slot = boot.target
		asks[slot] = boot.spec and boot.spec.ready and true
		if is_new(slot) and not asks[slot] and vmrun.sleep(options.stays_up) then
			accept(slot) -- unless the end of the boot has ended the sleep
		end
	end

	local function on_ready(boot)
		if is_new(boot.target) then
			accept(boot.target)
		end
	end

	local function on_exit(exit)
		local slot = exit.target
		if is_new(slot) then
			local has_stayed = not asks[slot] and exit.uptime >= options.stays_up
			if has_stayed or take_file(options.confirm) then
				accept(slot)
			elseif exit.cause ~= "poweroff" then
				return in_use()
			end
		elseif other[slot] and exit.cause == "reboot" and is_there(options.request) then
			return other[slot] -- a request may overrule this, and the file stays then
		end
	end

	return {
		on_start = on_start, on_started = on_started,
		on_ready = on_ready, on_exit = on_exit,
		leads = {
			{ from = options.a, target = options.b },
			{ from = options.b, target = options.a },
		},
	}
end
