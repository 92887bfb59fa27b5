-- A spec in Lua, with a hook that changes the boot.
local vm = { name = "demo", cpu = 1, mem = "64M", bootrom = "/fw/rom.fd", emulations = {} }
for i = 1, 3 do
	vm.emulations[i] = { device = "virtio-blk", path = ("disk%d.img"):format(i) }
end
function vm.on_prepare(spec, boot)
	spec.emulations[4] = { device = "virtio-net", name = "tap" .. #boot.target }
	return spec
end
return vm
