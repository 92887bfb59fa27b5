-- Installs a guest by answering its installer on the serial console, then boots the disk and waits
-- for a login prompt with the new host name.  vmrun exits with 0 only if that prompt appears.
--
--	truncate -s 16M PATH
--	vmrun --hypervisor qemu -t install --arg kernel=PATH --arg initrd=PATH --arg disk=PATH install.lua
--
-- Paths are absolute or relative to this file.  Further arguments with their defaults: hostname=demo,
-- within=300 (seconds for the first boot), log=FILE (the console).  Without -t install the disk boots
-- as it is.  docs/testing-kernels.md explains it.

local args = vmrun.args
local hostname = args.hostname or "demo"

-- The questions of the installer, as the console shows them, and the answers.
local questions = {
	{ "Disk to install to:", "/dev/nvme0n1" },
	{ "Host name:", hostname },
	{ "(yes/no)?", "yes" },
}

local vm = {
	name = args.name or "install",
	cpu = 1,
	mem = "256M",
	com1 = "console", -- vmrun's own console, so that this script can read it and type on it
	console = args.log and { log = args.log } or nil,
	emulations = { { device = "nvme", path = args.disk or "disk.img" } },
	qemu = { kernel = args.kernel, append = "console=ttyS0 quiet root=/dev/nvme0n1 rw init=/init" },
	ready = { console = hostname .. " login: ", within = tonumber(args.within or 300) },
	stop = { { ["do"] = "kill", wait = 10 } },
	targets = {
		install = {
			ready = false, -- an installer has no login prompt
			time_limit = 3600,
			qemu = { initrd = args.initrd, append = "console=ttyS0 quiet guest=installer" },
		},
	},
}

-- Answers the installer, which must report success.
local installed, up = false, false
local function answer_questions()
	for _, question in ipairs(questions) do
		local found, why = vmrun.expect({ question[1], "installer: " }, { timeout = 600 })
		if found ~= 1 then
			error(question[1] .. " " .. (found and "the installer failed" or why), 0)
		end
		assert(vmrun.send(question[2] .. "\n"))
	end
	installed = vmrun.expect("Installation complete.", { timeout = 600 }) == 1
end

function vm.targets.install.on_started()
	local ok, why = pcall(answer_questions)
	if not ok then
		vmrun.log("error", tostring(why))
		vmrun.request("stop", { status = 1 })
	end
end

-- Ends the VM once the installed system is up.  Omit the request to keep the VM running.
function vm.on_ready()
	up = true
	vmrun.log("info", "installed and up: " .. hostname)
	vmrun.request("stop", { status = 0 })
end

function vm.on_exit(exit)
	local has_ended = exit.cause == "reboot" or exit.cause == "poweroff"
	if exit.target == "install" and installed and has_ended then
		return "default"
	elseif not up then
		vmrun.request("stop", { status = 1 }) -- after any cause, even a power-off or a stop request
	end
end

return vm
