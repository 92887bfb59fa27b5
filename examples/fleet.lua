-- A fleet in one file: the name of a machine determines all values that differ between machines.
--
--	VM=web2 vmrun fleet.lua
--	VM=db1 vmrun -d fleet.lua
--
-- Adding or removing other machines does not change the MAC address, VNC port and disk of a machine.

local roles = {
	web = { first = 10, most = 9, cpu = 2, mem = "2G" },
	db = { first = 20, most = 4, cpu = 4, mem = "16G", data = true },
	ci = { first = 30, most = 20, cpu = 8, mem = "8G" },
}

-- Returns the role of a machine and its id, which is unique in the fleet.
local function machine(name)
	local role, number = name:match("^(%l+)([1-9]%d*)$")
	local kind = roles[role]
	if kind and tonumber(number) <= kind.most then
		return kind, kind.first + tonumber(number) -- an id from 1 to 254
	end
	local known = {}
	for one, has in pairs(roles) do
		table.insert(known, ("%s1 to %s%d"):format(one, one, has.most))
	end
	table.sort(known)
	error(('no machine "%s": set VM to one of %s'):format(name, table.concat(known, ", ")), 0)
end

local name = vmrun.env.VM or ""
local kind, id = machine(name)

local vm = {
	name = name,
	cpu = kind.cpu,
	mem = kind.mem,
	com1 = ("/dev/nmdm%sA"):format(name),
	graphic = { port = 5900 + id },
	emulations = {
		{ device = "virtio-blk", path = "/dev/zvol/zroot/vm/" .. name, slot = 3 },
		{ device = "virtio-net", bridge = "bridge0", slot = 4, mac = ("58:9c:fc:00:00:%02x"):format(id) },
	},
}
if kind.data then
	table.insert(vm.emulations, { device = "nvme", path = "/dev/zvol/zdata/vm/" .. name, slot = 5 })
end
return vm
