-- 0xf8f1000000000001 is a negative integer to Lua: its bits are what counts.
return { name = "demo", cpu = 1, mem = "64M", bootrom = "/fw/rom.fd",
	emulations = { { device = "nvme", ram = 64, eui64 = 0xf8f1000000000001 } } }
