-- notify: runs a command when a boot begins or ends, and passes the facts in its environment.
--
--	"hooks": [{ "use": "notify", "command": ["/usr/local/bin/tell"], "on": ["killed", "end"] }]
--
--	command     a program and its arguments, required; words such as LANG=C may come before
--	            the program and set variables
--	on          when to run the command: causes of exits, "start" (the hypervisor runs), "ready"
--	            (the guest is ready), "end" (vmrun exits); default always
--	timeout     seconds after which the command is killed, default 10
--	background  true: the next boot does not wait for the command that reports an exit, and
--	            ends it at the latest; default false
--
-- The variables are VMRUN_EVENT (start, ready, exit or end), VMRUN_VM, VMRUN_TARGET and
-- VMRUN_BOOTS; for start and ready VMRUN_PID; for the others VMRUN_CAUSE, VMRUN_UPTIME (seconds),
-- VMRUN_STATUS or VMRUN_SIGNAL, and at the end VMRUN_EXIT_STATUS.  Unknown facts are not set.
--
-- This hook never answers, so the other hooks and the policy decide.  List it before hooks that
-- answer, because vmrun does not call the hooks after an answer.  The next boot waits for the
-- command unless it runs in the background.
return function(options)
	if not os then
		return nil, "it runs a command, which --sandbox refuses"
	end
	options = vmrun.options(options, {
		command = { "command", required = true },
		on = { "causes", also = { "start", "ready", "end" } },
		timeout = { "seconds", default = 10 },
		background = { "boolean", default = false },
	})

	-- Returns the program of a command: words for its environment may come before it.
	local function program_of(command)
		for _, word in ipairs(command) do
			if not word:find("=", 1, true) then
				return word
			end
		end
	end

	local program = program_of(options.command)
	if not program then
		return nil, "command has no program, only variables for its environment"
	end

	local names = { -- of the facts that an event may have
		start = { "vm", "target", "boots", "pid" },
		ready = { "vm", "target", "boots", "pid" },
		exit = { "vm", "target", "boots", "cause", "uptime", "status", "signal" },
		["end"] = { "vm", "target", "boots", "cause", "uptime", "status", "signal",
			"exit_status" },
	}
	local wanted = {}
	for _, what in ipairs(options.on or {}) do
		wanted[what] = true
	end

	-- Returns the command with env(1) in front, which sets the variables.
	local function command_with(event, facts)
		local argv = { "env", "VMRUN_EVENT=" .. event, timeout = options.timeout,
			background = options.background and event == "exit" }
		for _, name in ipairs(names[event]) do
			if facts[name] ~= nil then
				argv[#argv + 1] = ("VMRUN_%s=%s"):format(name:upper(), facts[name])
			end
		end
		return table.move(options.command, 1, #options.command, #argv + 1, argv)
	end

	local function notify(event, what, facts)
		if options.on and not wanted[what] then
			return
		end
		local status, out, err = vmrun.exec(command_with(event, facts))
		if status == nil and out == "gone" then
			return -- the guest has ended, which the next event reports
		elseif status ~= 0 and status ~= true then
			-- the error without a status names env(1), not the program
			local why = status and ("status %d: %s"):format(status, err)
				or out:gsub("^env ", "it ")
			vmrun.log("warning", ("notify: %s failed: %s"):format(program, why))
		end
	end

	return {
		programs = { program },
		on_started = function(boot)
			notify("start", "start", boot)
		end,
		on_ready = function(boot)
			notify("ready", "ready", boot)
		end,
		on_exit = function(exit)
			notify("exit", exit.cause, exit)
		end,
		on_end = function(report)
			notify("end", "end", report)
		end,
	}
end
