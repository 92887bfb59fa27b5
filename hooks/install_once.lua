-- install_once: boots an install target until the installation succeeds, and then never again.
--
--	"hooks": [{ "use": "install_once", "target": "install" }]
--
--	vmrun vm.json	installs the first time, and boots `next` from then on
--
--	target  the target that installs, default "install"
--	next    another target, which is booted after the installation, default "default"
--	done    the causes of an exit that mean success, default ["reboot", "poweroff", "halt"]
--	auto    whether a start with `next` installs first, default true
--	again   whether to retry an installation whose end is unknown, default false
--	id      a name for this hook's state, where a spec uses the hook twice
--
-- vmrun.state keeps, before the installer boots, that an installation has begun, and later that it
-- is done.  The hook refuses the boot when it cannot read or write that state, and when the end of
-- an installation is unknown: after a stop of vmrun, a fault or a power failure the disk may hold
-- anything, and so after a reboot that vmrun was asked for.  After a reboot, poweroff or halt that
-- is not in `done`, it installs again.
--
-- `vmrunctl NAME forget install_once` drops the state.
return function(options, vm)
	options = vmrun.options(options, {
		target = { "target", default = "install" },
		next = { "target", default = "default", differs = "target" },
		done = { "causes", default = { "reboot", "poweroff", "halt" } },
		auto = { "boolean", default = true },
		again = { "boolean", default = false },
		id = { "id", default = "install_once" },
	})
	local target = options.target
	local is_success = {}
	for _, cause in ipairs(options.done) do
		is_success[cause] = true
	end
	local is_orderly = { reboot = true, poweroff = true, halt = true }

	-- The installation whose end is not known yet: boots before it, whether it is the first.
	local began

	-- Returns the state: { begun = true }, { done = true } or {}.
	local function read()
		local kept, older = vmrun.state[options.id], vmrun.state.installed
		if kept == nil then -- version 0.1 kept { installed = { TARGET = true } }
			return { done = type(older) == "table" and older[target] == true }
		elseif type(kept) ~= "table" then
			error("vmrun.state." .. options.id .. ": expected a table", 0)
		end
		return kept
	end

	-- Saves the state.  Returns true, or false or nil and the error.
	local function keep(what)
		local ok, why = pcall(function() vmrun.state[options.id] = what end)
		if ok then
			ok, why = vmrun.save()
		end
		return ok, why
	end

	-- Returns the answer of on_start that refuses the boot; the reason says what to do.
	local function refuse(text, ...)
		return false, (text .. '; to boot %s without it: "auto": false'):format(...)
	end

	-- Saves that the installation begins.  Returns false and the reason when that fails.
	local function begin(boot, kept)
		local before = vmrun.state[options.id]
		local ok, why = keep { begun = true }
		if not ok then
			vmrun.state[options.id] = before
			return false, ("cannot save that %s begins: %s"):format(target, why)
		end
		began = { boots = boot.boots, is_first = not kept.begun }
	end

	-- Saves the state and logs an error.
	local function set(what)
		local ok, why = keep(what)
		if not ok then
			vmrun.log("error", ("%s: %s"):format(options.id, why))
		end
	end

	-- Saves how a boot of the target ended; `by`: the guest, or the step of a stop that has
	-- ended it for a request.  Returns whether the installation is done.
	local function settle(cause, boots, uptime, by)
		local has_run = boots > (began and began.boots or 0) and cause ~= "loader_failed"
			and (cause ~= "start_failed" or uptime >= 1)
		if by and by ~= "guest" then
			vmrun.log("warning", target .. " was interrupted: its end is unknown")
		elseif is_success[cause] then
			vmrun.log("info", vm.name .. " is installed")
			set { done = true }
		elseif is_orderly[cause] or began and began.is_first and not has_run then
			set(nil)
		end
		began = nil
		return is_success[cause] and not (by and by ~= "guest")
	end

	local hooks = { leads = { { from = target, target = options.next },
		options.auto and { from = options.next, target = target } or nil } }

	function hooks.on_start(boot)
		if began then -- another hook answered before the on_exit below was called
			settle(boot.previous_cause, boot.boots, math.huge)
		end
		local asked = boot.target == target
		local first = options.auto and boot.target == options.next and boot.boots == 0
		if not asked and not first then return end
		local ok, kept = pcall(read)
		if not ok then
			local why = kept:match("^[^:]+%.lua:%d+: (.*)$") or kept
			return refuse("cannot tell whether %s is done: %s", target, why,
				options.next)
		elseif kept.done then
			return asked and options.next or nil
		elseif not asked then
			return target
		elseif kept.begun and not options.again then
			return refuse("%s has begun, and its end is unknown; to boot it "
				.. 'again: "again": true, or vmrunctl %s forget %s', target,
				vm.name, options.id, options.next)
		end
		return begin(boot, kept)
	end

	function hooks.on_exit(exit)
		if exit.target ~= target then return end
		local ok, kept = pcall(read)
		if ok and kept.done then
			return options.next -- its checks failed, for example: no medium
		end
		local is_done = settle(exit.cause, exit.boots, exit.uptime, exit.ended_by)
		if is_done and exit.cause == "reboot" and not exit.next_target then
			return options.next
		end
	end

	-- Handles a stop before the hypervisor started, for which on_exit is not called.
	function hooks.on_end(report)
		if began then
			settle(report.cause, report.boots, report.uptime, report.ended_by)
		end
	end

	return hooks
end
