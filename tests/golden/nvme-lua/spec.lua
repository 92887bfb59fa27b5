-- 0xf8f1000000000001 is a negative integer to Lua, as 0xffffffffffffffff is: the bits count.
return { name = "demo", cpu = 1, mem = "64M", bootrom = "/fw/rom.fd",
	emulations = { { device = "nvme", ram = 64, eui64 = 0xf8f1000000000001 },
		{ device = "nvme", ram = 64, eui64 = 0xffffffffffffffff } } }
