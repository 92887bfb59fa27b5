#!/usr/bin/env bats
# Scripts of the guest: on_started on the console, its verdict, and commands in the background.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	export VMRUN_BHYVE=$SOURCE/tests/cli/serial_guest.sh
}

teardown() {
	common_teardown
}

console() {
	lua "vm.com1 = 'console' vm.stop = { { ['do'] = 'kill', wait = 9 } } $1"
}

@test "log in, ask, and let the verdict be the exit status" {
	console 'function vm.on_started()
			print(vmrun.expect "login: ")
			print("typed", vmrun.send "hello\n")
			print(vmrun.expect(vmrun.regex "^got (h.*)o$"))
			vmrun.send "odd\n"
			print(vmrun.expect { "nothing", "\0b\27[1mc" } )
			print(vmrun.expect("nothing", { timeout = 0.01 }))
			print("asked", vmrun.request("stop", { status = 7 }))
			print(vmrun.expect "nothing")
		end'
	vmrun vm.lua
	is "$status" 7
	has '1	login: '
	has 'typed	true'
	has '1	hell'
	has 'nil	timeout'
	has 'asked	true'
	has 'nil	gone'
	is "$(grep -c ': stopping: ' err)" 1
}

@test "that status counts also with --exit-status guest" {
	console 'function vm.on_started() vmrun.request("stop", { status = 7 }) end'
	vmrun --exit-status guest vm.lua
	is "$status" 7
	console 'function vm.on_started() vmrun.request "stop" end'
	vmrun --exit-status guest vm.lua
	is "$status" 137
}

@test "the last words before a power-off are found, then the boot is gone" {
	console 'function vm.on_started()
			vmrun.expect "login: "
			vmrun.send "off\n"
			print(vmrun.expect "last words")
			print(vmrun.expect "nothing")
			vmrun.request("stop", { status = 9 })
		end
		function vm.on_exit(exit) print("asked", exit.cause) return true end'
	vmrun vm.lua
	is "$status" 9
	has '1	last words'
	has 'nil	gone'
	has 'asked	poweroff'
}

@test "a flood: signals are heeded, and the hook is told that the boot is gone" {
	console 'function vm.on_started()
			vmrun.expect "login: "
			vmrun.send "flood\n"
			local _, why = vmrun.expect { "nothing", vmrun.regex "(x|[a-w])*z" }
			print("why", why)
		end'
	start vm.lua
	await_text 'runs under'
	await pgrep -P "$(pgrep -P "$pid" -f serial_guest)" yes
	kill -TERM "$pid"
	await_text ': stopping: '
	ends 0
	has 'why	gone'
}

@test "a command in the background ends with its boot" {
	console 'function vm.on_started()
			print("began", vmrun.exec { "sh", "-c", "sleep 600 & echo $! >child; wait", background = true })
			vmrun.exec { "sh", "-c", "until [ -s child ]; do sleep 0.02; done" }
			vmrun.expect "login: "
			vmrun.send "off\n"
		end'
	vmrun vm.lua
	is "$status" 0
	has 'began	true'
	await is_gone "$(cat child)"
	lacks 'in the background'
}
