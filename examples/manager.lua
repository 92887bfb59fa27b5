-- A VM manager in Lua 5.4: runs the VMs of several specs in one process, prints their events, and
-- stops all VMs on SIGINT or SIGTERM.  docs/managers.md explains it.
--
--	lua5.4 manager.lua web.json db.lua

local vmrun = require("vmrun")

local env = os.getenv
local vms, highest = {}, 0

if #arg == 0 then
	io.stderr:write("usage: manager.lua FILE...\n")
	os.exit(64)
end

-- Boots a guest that crashed again, at most twice; the policy of its spec decides on all else.
local function decide(decision)
	if decision.cause == "triple_fault" then return decision.boots < 3 end
end

-- Notes a VM that has ended with this status, and the reason if it failed.
local function note(status, why)
	if why then io.stderr:write(why, "\n") end
	highest = math.max(highest, status)
end

local function report(e)
	if e.event == "policy" then return end
	local line = e.vm .. ": " .. e.event
	for _, key in ipairs { "target", "cause", "action" } do
		if e[key] then line = line .. " " .. e[key] end
	end
	print(line)
end

-- Handles what has happened to a VM; returns whether it goes on.
local function serve(vm)
	local done, why, status = vm:dispatch()
	for e in vm:events() do report(e) end
	if done and not vm:ended() then return true end
	note(status or vm:status(), why)
	vm:close()
	return false
end

vmrun.catch("INT", "TERM")
for _, file in ipairs(arg) do
	local vm, why, status = vmrun.open {
		file = file,
		control = true, -- vmrunctl(8) works with these VMs, too
		hypervisor = env("VMRUN_HYPERVISOR"),
		bhyve = env("VMRUN_BHYVE"),
		run_dir = env("RUN_DIR"),
		state_dir = env("STATE_DIR"),
		decide = decide,
	}
	local started
	if vm then
		started, why, status = vm:start()
	end
	if started then
		vms[vm] = true
	else
		note(status, why)
	end
end

local function list()
	local all = {}
	for vm in pairs(vms) do table.insert(all, vm) end
	return all
end

for _, vm in ipairs(list()) do
	if not serve(vm) then vms[vm] = nil end
end
while next(vms) do
	local ready, signal = vmrun.wait(list())
	if signal then
		for vm in pairs(vms) do vm:stop() end
	end
	for _, vm in ipairs(ready) do
		if not serve(vm) then vms[vm] = nil end
	end
end
os.exit(highest, true)
