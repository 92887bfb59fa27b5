-- Tests kernels: boots each kernel of a matrix, logs in on its serial console, runs its tests and
-- ends with status 0 only if every test of every kernel has run and passed.
--
--	vmrun --hypervisor qemu --arg kernel=PATH --arg initrd=PATH ci.lua
--	vmrun --hypervisor qemu --arg matrix=matrix.lua ci.lua
--
-- matrix.lua returns a list of { name, kernel, initrd, append, tests }: the paths are absolute or
-- relative to this file, and a test is a shell command that must end with 0 in the guest.  Further
-- arguments with their defaults: user=root, password=secret, limit=120 (seconds for one test),
-- log=FILE (the console), tap=FILE (the results).  --set changes the limits of a boot, for example
-- --set ready.within=60.  docs/testing-kernels.md explains the rest.

local args = vmrun.args
local limit = tonumber(args.limit or 120)
local matrix = args.matrix and vmrun.include(args.matrix) or {
	{ name = "kernel", kernel = args.kernel, initrd = args.initrd,
		tests = { "uname -r", "test -d /sys/class/tty/ttyS0" } },
}
if not matrix[1].kernel then
	error("no kernel: give --arg kernel=PATH --arg initrd=PATH, or --arg matrix=FILE", 0)
end

local vm = {
	name = args.name or "ci",
	cpu = 1,
	mem = "256M",
	com1 = "console", -- vmrun's own console, so that this script can read it and type on it
	console = args.log and { log = args.log } or nil,
	ready = { console = " login: ", within = 300 }, -- else the boot ends as not_ready
	alive = { console = true, every = 30, failures = 3 }, -- no output for 90 seconds: unhealthy
	time_limit = 3600, -- the boot and all tests; else timed_out
	stop = { { ["do"] = "kill", wait = 10 } }, -- the guest has nothing to lose
	restart_limit = false, -- one boot follows another
	backoff = false,
	targets = {},
}

-- Each kernel is a target; vmrun begins with target "default", which is the first kernel.  In each
-- run, results[0] is the login and results[i] the i-th test: true if it passed, the reason if it
-- failed, nil if it has not ended.
local runs = {}
for number, entry in ipairs(matrix) do
	local append = "console=ttyS0 panic=-1 quiet " .. (entry.append or "")
	local run = { entry = entry, results = {}, next = matrix[number + 1] and matrix[number + 1].name }
	vm.targets[entry.name] = {
		qemu = { kernel = entry.kernel, initrd = entry.initrd, append = append },
	}
	runs[number], runs[entry.name] = run, run
end
vm.targets.default = { extends = matrix[1].name }
runs.default = runs[1]

-- Waits for a text or a pattern and returns the text or the pattern's group.
local function expect(what, seconds)
	local found, got = vmrun.expect({ what, "Kernel panic" }, { timeout = seconds })
	if found ~= 1 then
		error(found and "kernel panic" or got, 0) -- got: "timeout", or "gone" if the boot has ended
	end
	return got
end

local function send(text)
	local ok, why = vmrun.send(text .. "\n")
	if not ok then
		error(why, 0)
	end
end

local function login()
	expect(" login: ", limit)
	send(args.user or "root")
	expect("Password: ", limit)
	send(args.password or "secret")
	expect("# ", limit)
end

-- Returns the exit status of a command in the guest.  The guest also prints what is typed, but the
-- pattern matches only a line with the status itself.
local function run_command(command)
	send(command .. "; printf '\\nSTATUS %s\\n' $?")
	return tonumber(expect(vmrun.regex("^STATUS ([0-9]+)$"), limit))
end

local function run_tests(run)
	login()
	run.results[0] = true
	for i, command in ipairs(run.entry.tests) do
		local status = run_command(command)
		run.results[i] = status == 0 or "status " .. status
	end
end

-- Returns the exit status of vmrun: 0 only if every test of every kernel has passed.
local function verdict()
	for _, run in ipairs(runs) do
		for i = 0, #run.entry.tests do
			if run.results[i] ~= true then
				return 1
			end
		end
	end
	return 0
end

-- The script of a boot.  pcall catches every error: the unfinished tests count as failed, and the next
-- kernel boots.  If the boot has ended by itself, on_exit decides.
function vm.on_ready(boot)
	local run = runs[boot.target]
	local ok, why = pcall(run_tests, run)
	run.why = not ok and tostring(why) or nil
	if why == "gone" then
		return
	elseif run.next then
		vmrun.request("reboot", { target = run.next })
	else
		vmrun.request("stop", { status = verdict() })
	end
end

-- Returns what follows a boot that has ended in any other way.
local function after(exit)
	local run = runs[exit.target]
	if not run.why or run.why == "gone" then
		run.why = exit.cause
	end
	if exit.cause == "stopped" then -- by on_ready, or by a user, after whose stop vmrun would exit with 0
		vmrun.request("stop", { status = verdict() })
	end
	return run.next or vmrun.stop(verdict())
end

function vm.on_exit(exit)
	local ok, answer = pcall(after, exit)
	return ok and answer or vmrun.stop(1) -- otherwise vmrun would exit with 0 after a power-off
end

-- Prints the results, a line for each test in the format of TAP.
function vm.on_end()
	local lines = {}
	for _, run in ipairs(runs) do
		for i = 0, #run.entry.tests do
			local result = run.results[i] or run.why or "did not run"
			lines[#lines + 1] = ("%s %d - %s: %s%s"):format(result == true and "ok" or "not ok",
				#lines + 1, run.entry.name, i == 0 and "login" or run.entry.tests[i],
				result == true and "" or " (" .. result .. ")")
			vmrun.log("info", lines[#lines])
		end
	end
	if args.tap then
		local file <close> = assert(io.open(args.tap, "w"))
		assert(file:write("1..", #lines, "\n", table.concat(lines, "\n"), "\n"))
	end
end

return vm
