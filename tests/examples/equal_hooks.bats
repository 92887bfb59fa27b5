#!/usr/bin/env bats
# What --simulate says is what a run does: the same targets, causes, actions and deciders, and the
# same end. Here: hooks in Lua.
# shellcheck disable=SC2154 # vm and rom: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	load examples
	walking_setup
}

teardown() {
	common_teardown
}

@test "hooks in Lua: answers, waits, errors, refusals, state" {
	local list
	lua "vm.targets = { a = {}, b = {} }
		vm.hook_timeout = 1
		local n = 0
		function vm.on_prepare(spec, boot)
			if boot.boots == 6 then error('no more', 0) end
		end
		function vm.on_start(boot)
			vmrun.state.starts = (vmrun.state.starts or 0) + 1
			if vmrun.state.starts == 5 then return false, 'enough' end
		end
		function vm.on_started() vmrun.sleep(0.6) vmrun.state.up = (vmrun.state.up or 0) + 1 end
		function vm.on_exit(exit)
			n = n + 1
			if exit.cause == 'halt' then while true do end end
			if exit.cause == 'error' then error('broken') end
			if exit.count.killed == 2 then return vmrun.stop(exit.boots) end
			if exit.cause == 'killed' then return vmrun.boot('a', { delay = 0.01 }) end
			if exit.cause == 'triple_fault' then vmrun.sleep(0.01) return 'b' end
			if exit.cause == 'check_failed' then return exit.history[2] ~= nil end
			if vmrun.state.up == 2 then return 'a' end
			if exit.uptime >= 0.6 and #exit.history > 1 and exit.window(0.6) < 2 then return 'b' end
		end"
	for list in reboot,reboot,reboot,reboot,reboot,reboot,reboot killed,reboot,killed,reboot halt,reboot \
		reboot,halt reboot,error,reboot triple_fault,triple_fault,killed,poweroff check_failed \
		reboot,check_failed,reboot,poweroff; do
		same "$list" vm.lua
		same "$list" -t a --reboot-on reboot,triple_fault,check_failed,error vm.lua
	done
	# Far from the 0.6 s of the hooks, however busy the machine is.
	same reboot@1.2,reboot@1.2,reboot,poweroff vm.lua
	same reboot,reboot@1.2,stopped vm.lua
}

@test "hooks that refuse boot after boot: a simulation ends and says so" {
	lua 'vm.on = { check_failed = "boot" }
		function vm.on_prepare(spec, boot)
			if boot.boots == 1 then error("never again", 0) end
		end'
	supervised --simulate reboot,reboot,poweroff vm.lua
	is "$status" 0
	is "$(head -n 2 out | cut -f 2,3,4,6 | tr '\t' ' ' | paste -sd, -)" \
		'default reboot boot default,default check_failed boot on.check_failed'
	is "$(wc -l <out)" 201
	has 'endless loop: hooks refuse every boot and the policy keeps retrying'
}
