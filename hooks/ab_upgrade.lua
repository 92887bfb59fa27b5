-- ab_upgrade: two slots, one in use; an upgrade goes to the other, which is tried and must stay up.
--
--	"hooks": [{ "use": "ab_upgrade", "a": "disk-a", "b": "disk-b", "request": "share/upgrade" }]
--	vmrun -t disk-a vm.json		boots the slot in use, whichever that is
--
--	a, b      the targets that are the slots, "a" and "b"
--	stays_up  a new slot that runs for so many seconds is taken, 300
--	request   a file: when it is there at a reboot, it is removed and the other slot is tried
--	confirm   a file: a new slot that makes it is taken also when it ends before that
--	id        a name for what it keeps, where a spec uses this hook twice
--
-- A next_target or another hook can begin a try too.  A new slot that ends before its time is left
-- again, unless it powers off.  vmrun.state keeps which slot is in use, at first the one that is
-- started first.  A slot is not booted where that cannot be read, or not be kept of the first one.
-- Let it be the last hook: those after it hear of a start only when a try is over.
--
-- `vmrunctl NAME forget ab_upgrade` makes it forget which slot is in use.
return function(options)
	options = vmrun.options(options, {
		a = { "target", default = "a" }, b = { "target", default = "b" },
		stays_up = { "seconds", default = 300 },
		request = { "path" }, confirm = { "path" },
		id = { "id", default = "ab_upgrade" },
	})
	if not os and (options.request or options.confirm) then
		return nil, "request and confirm need rm(1), which --sandbox does not let it run"
	end
	local other = { [options.a] = options.b, [options.b] = options.a }
	local gone = {} -- files taken in a simulation, in which rm(1) does not run

	-- Nothing before the first boot, or when the slots have got other names since.
	local function in_use()
		local kept, slot = vmrun.state[options.id], vmrun.state.slot -- of version 0.1
		if kept ~= nil then
			slot = kept.slot
		end
		return other[slot] and slot
	end

	-- true, or nil and why vmrun started again would not know it.
	local function keep(slot)
		vmrun.state[options.id] = { slot = slot }
		return vmrun.save()
	end

	local function is_new(slot)
		return other[slot] and slot ~= in_use()
	end

	-- True when the file was there and is gone now, false when it cannot be removed.
	local function take_file(path)
		if path and not gone[path] and vmrun.exists(path) then
			local status, why, said = vmrun.exec { "rm", "-f", path }
			gone[path] = why == "dry run"
			if status ~= 0 and not gone[path] then
				why = said or why
				vmrun.log("warning", "cannot remove " .. path .. ": " .. why)
			end
			return status == 0 or gone[path]
		end
	end

	local function accept(slot)
		vmrun.log("info", "slot " .. slot .. " is good and in use from now on")
		local ok, why = keep(slot)
		if not ok then
			why = "slot " .. slot .. " is in use until vmrun ends: " .. why
			vmrun.log("error", why)
		end
	end

	local function begin(slot)
		local before = vmrun.state[options.id]
		local ok, why = keep(slot)
		if not ok then
			vmrun.state[options.id] = before
			return false, ("cannot keep that slot %s is in use: %s"):format(slot, why)
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
		if take_file(options.confirm) == false and is_new(slot) then -- of an earlier try
			return false, options.confirm .. " would confirm what was not tried"
		end
	end

	local function on_started(boot)
		if is_new(boot.target) then
			vmrun.sleep(options.stays_up) -- which the end of the boot ends too
			accept(boot.target)
		end
	end

	local function on_exit(exit)
		local slot = exit.target
		if is_new(slot) then
			if exit.uptime >= options.stays_up or take_file(options.confirm) then
				accept(slot)
			elseif exit.cause ~= "poweroff" then
				return in_use()
			end
		elseif other[slot] and exit.cause == "reboot" and take_file(options.request) then
			return other[slot]
		end
	end

	return { on_start = on_start, on_started = on_started, on_exit = on_exit }
end
