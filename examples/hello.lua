-- A first VM: the demo guest is "installed" from a CD and then booted without the CD.
--
--	vmrun -t install examples/hello.lua
--
-- The guest is a firmware image of 64 KiB (examples/guest).  It lists its PCI devices, resets if it
-- finds a CD and powers off if it does not.

local rom = vmrun.env.VMRUN_GUEST
	or vmrun.exists("guest.rom") and "guest.rom" -- in an installed vmrun, beside this file
	or "../build/examples/guest/guest.rom"

local vm = {
	name = "hello",
	cpu = 1,
	mem = "64M",
	com1 = "stdio",
	bootrom = rom,
	targets = {
		-- Any file serves as the CD, because the guest only checks whether there is one.
		install = { emulations = { { device = "ahci-cd", path = rom } } },
	},
}

-- Returns the target to boot after an exit, or nothing to let the declared policy decide.
function vm.on_exit(exit)
	if exit.target == "install" and exit.cause == "reboot" then
		print("installed: from now on without the CD")
		return "default"
	end
end

return vm
