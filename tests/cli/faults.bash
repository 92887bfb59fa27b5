# Hooks that fail; used with common.bash.
# shellcheck shell=bash disable=SC2154 # status: common.bash

# fault BODY [SECONDS]: runs a VM whose first on_exit call runs BODY, which fails, and whose second one
# works.  The declared policy boots after a reboot, so there are two starts, and the second call
# decides the exit status.  SECONDS is the hook_timeout for a BODY that does not end; on a busy host it
# must be long enough for preparing the second boot.
fault() {
	lua "vm.hook_timeout = ${2:-5}
		local calls = 0
		function vm.on_exit(exit)
			calls = calls + 1
			if calls == 2 then return vmrun.stop(9) end
$1
		end"
	rm -f starts
	script 'exit 0' 'exit 0' 'exit 1'
	vmrun vm.lua
	is "$status" 9
	is "$(starts)" 2
	is "$(grep -c 'on_exit of vm.lua failed, the next hook or the declared policy decides: ' err)" 1
	has "next boot: target default (default)"
	nothing_runs
}
