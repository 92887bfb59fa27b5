#!/usr/bin/env bats
# The time of a simulation: vmrun.sleep(), uptimes and delays, and the clock that Lua sees.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
}

teardown() {
	common_teardown
}

# hour N: the time of day in N hours, as GNU or FreeBSD has it
hour() {
	date -d "+$1 hours" +%H:%M 2>/dev/null || date -v "+$1H" +%H:%M
}

@test "os.time() and os.date() go on with uptimes, sleeps and delays; a given time is that time" {
	lua 'local began = os.time()
		local then_ = os.date("*t")
		vm.backoff = { initial = 3600, factor = 1, max = 3600 }
		vm.on = nil
		function vm.on_start() print("start " .. os.time() - began) end
		function vm.on_exit(exit)
			print("exit " .. os.time() - began)
			vmrun.sleep(86400)
			print("slept " .. os.time() - began)
			local day = os.date("*t")
			assert(os.time(day) == os.time() and day.yday ~= then_.yday)
			assert(os.time(then_) - began <= 1 and os.date("!%Y-%m-%d", 0) == "1970-01-01")
			assert(os.date() == os.date("%c") and os.date("%c", nil) == os.date("%c", os.time()))
			return exit.cause ~= "poweroff"
		end'
	vmrun --simulate triple_fault@100,poweroff vm.lua
	is "$status" 0
	# A second may pass on the host meanwhile.
	is "$(sed -n 's/^.*\(start\|exit\|slept\) \([0-9]*\)[0-9]$/\1 \2/p' err | paste -sd, -)" \
		'start ,exit 10,slept 8650,start 9010,exit 9010,slept 17650'
	is "$(wc -l <out)" 2
}

@test "a run is on the clock of the host" {
	lua 'function vm.on_exit() print(os.time() == os.time(os.date("*t")), math.type(os.time())) end'
	script 'exit 1'
	vmrun vm.lua
	has 'true	integer'
}

@test "arguments of os.date and os.time that are wrong are told as ever" {
	local wrong
	for wrong in 'os.date("%Ez", 1, 2)' 'os.date({})' 'os.time({})' 'os.time("x")' 'os.date("%Y", "x")'; do
		lua "$wrong"
		vmrun -d vm.lua
		is "$status $wrong" "65 $wrong"
		has 'vm.lua'
	done
}

@test "daily_window waits on the simulated clock, at every boot, and goes on at once" {
	local from to
	from=$(hour 2)
	to=$(hour 3)
	spec '{"hooks": [{"use": "daily_window", "from": "'"$from"'", "to": "'"$to"'"}]}'
	vmrun --simulate reboot@600,reboot@7200,poweroff vm.json
	is "$status" 0
	is "$(wc -l <out)" 3
	is "$(grep -c 'waits until' err)" 2
	lacks failed
}
