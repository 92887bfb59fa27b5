-- A first VM: the demo guest, "installed" from a CD and then booted without it.
--
--	vmrun -t install examples/hello.lua
--
-- The guest is firmware of 64 KiB (examples/guest).  It lists its PCI devices, resets if it sees a
-- CD and powers off if it does not.

local rom = vmrun.env.VMRUN_GUEST
	or vmrun.exists("guest.rom") and "guest.rom" -- installed beside this file
	or "../build/examples/guest/guest.rom"

local vm = {
	name = "hello",
	cpu = 1,
	mem = "64M",
	com1 = "stdio",
	bootrom = rom,
	targets = {
		-- Any file will do as a CD here: the guest only looks whether there is one.
		install = { emulations = { { device = "ahci-cd", path = rom } } },
	},
}

-- Called after every exit; what it returns is the next target, nothing leaves it to the policy.
function vm.on_exit(exit)
	if exit.target == "install" and exit.cause == "reboot" then
		print("installed: from now on without the CD")
		return "default"
	end
end

return vm
