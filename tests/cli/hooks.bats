#!/usr/bin/env bats
# Policy in Lua: on_exit and on_prepare, in a spec and in hook files.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load common
	common_setup
}

teardown() {
	common_teardown
}

# policy BODY SCRIPT-LINE...: runs a VM with this on_exit(exit) and the targets a and b; `limit` is
# the hook_timeout for a BODY that does not end
policy() {
	lua "vm.targets = { a = { mem = '128M' }, b = { mem = '256M' } }
		vm.hook_timeout = ${limit:-5}
		function vm.on_exit(exit)
			$1
		end"
	shift
	rm -f starts
	script "$@"
	vmrun vm.lua
}

mems() {
	jq -r '.argv | .[index("-m") + 1]' starts | paste -sd' ' -
}

@test "on_exit answers with a target's name" {
	policy 'if exit.boots < 3 then return exit.cause == "halt" and "b" or "a" end' \
		'exit 3' 'exit 2' 'exit 4'
	is "$status" 4
	is "$(mems)" '64M 128M 256M'
}

@test "true boots, false stops, nil has no opinion" {
	policy 'return exit.boots < 3' 'exit 4' 'exit 1' 'exit 0' 'exit 1'
	is "$status" 0
	is "$(starts)" 3
	policy 'return nil' 'exit 0' 'exit 3' 'exit 1'
	is "$status" 3
	is "$(starts)" 2
	policy 'if exit.cause == "error" then return true end' 'exit 4' 'exit 0' 'exit 1'
	is "$(starts)" 3
}

@test "vmrun.boot(target, { delay = }) and vmrun.stop(status)" {
	policy 'if exit.boots == 1 then return vmrun.boot("a", { delay = 0.05 }) end
		if exit.boots == 2 then return vmrun.boot() end
		return vmrun.stop(42)' 'exit 3' 'exit 3' 'exit 0'
	is "$status" 42
	is "$(mems)" '64M 128M 128M'
	has 'in 0.05 s'
	policy 'return vmrun.stop()' 'exit 3'
	is "$status" 3
	policy 'return vmrun.stop(0)' 'exit 3'
	is "$status" 0
	policy 'return vmrun.stop(256)' 'exit 3'
	is "$status" 3
	has 'vmrun.stop'
}

@test "what on_exit is told" {
	policy 'if exit.boots < 3 then return "a" end
		print(exit.vm == "'"$vm"'", exit.target, exit.cause, exit.status, exit.signal, exit.boots)
		print(exit.count.reboot, exit.count.killed, exit.count.halt, exit.window(1000), exit.window(0) <= 3)
		print(#exit.history, exit.history[1].cause, exit.history[3].cause, exit.uptime >= 0)
		print(exit.stderr)
		print(pcall(function() exit.cause = "x" end))' 'exit 0' 'exit 0' 'err last_words signal 9'
	is "$status" 137
	grep -qE "true[[:space:]]a[[:space:]]killed[[:space:]]nil[[:space:]]9[[:space:]]3" err
	grep -qE "2[[:space:]]1[[:space:]]0[[:space:]]3[[:space:]]true" err
	grep -qE "3[[:space:]]killed[[:space:]]reboot[[:space:]]true" err
	grep -qx 'vmrun: last words' err
	grep -qE 'false.*read-only' err
}

@test "an answer that is nonsense is told, and the declared policy decides" {
	local answer
	for answer in 5 '{}' '"nowhere"' 'print' 'vmrun.boot("nowhere")' 'vmrun.boot(5)' \
		'vmrun.boot("a", { delay = "x" })' 'vmrun.boot("a", { delay = -1 })' \
		'vmrun.boot("a", { dely = 1 })' 'coroutine.create(print)'; do
		policy "return $answer" 'exit 0' 'exit 3'
		is "$status" 3
		is "$(starts)" 2
		is "$(grep -c 'on_exit of vm.lua failed, the next hook or the declared policy decides' err)" 2
	done
	policy 'return "A"' 'exit 3'
	has 'unknown target "A", did you mean "a"?'
}

@test "an error in a hook is told with its traceback" {
	policy 'local function inner() error("oh no") end
		inner()' 'exit 0' 'exit 3'
	is "$status" 3
	is "$(starts)" 2
	has 'oh no'
	has 'stack traceback:'
	grep -qE 'vm.lua:[0-9]+: in .*inner' err
	policy 'error({ code = 5 })' 'exit 3'
	is "$status" 3
	policy 'error()' 'exit 3'
	is "$status" 3
}

@test "an endless loop in a hook is ended, and the supervisor goes on" {
	local loop
	for loop in 'while true do end' \
		'while true do pcall(function() while true do end end) end' \
		'coroutine.wrap(function() while true do end end)()' \
		'while true do coroutine.resume(coroutine.create(function() while true do pcall(error) end end)) end' \
		'local function f() return f() end f()' \
		'repeat local ok = pcall(function() repeat until false end) until false' \
		'for i = 1, math.huge do end'; do
		limit=0.5 policy "$loop" 'exit 0' 'exit 3'
		is "$status" 3
		is "$(starts)" 2
		is "$(grep -c 'on_exit of vm.lua failed' err)" 2
	done
}

@test "a hook that eats memory is ended" {
	local eat
	for eat in 'local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end' \
		'local s = ("x"):rep(1 << 40)' \
		'local s = "x" while true do s = s .. s end'; do
		lua "vm.hook_memory = '8M'
			function vm.on_exit() $eat end"
		rm -f starts
		script 'exit 0' 'exit 3'
		vmrun vm.lua
		is "$status" 3
		is "$(starts)" 2
		has 'failed, the next hook or the declared policy decides'
	done
}

@test "the chunk itself has a limit" {
	echo 'while true do end' >vm.lua
	vmrun vm.lua
	is "$status" 65
	has 'vm.lua'
	is "$(starts)" ''
}

@test "a target's function comes first, then the spec's" {
	lua 'vm.targets = { a = { on_exit = function(exit)
			print("first") if exit.boots == 2 then return vmrun.stop(7) end end } }
		function vm.on_exit(exit) print("second") return "a" end'
	script 'exit 1' 'exit 1'
	vmrun vm.lua
	is "$status" 7
	is "$(grep -c 'vmrun: first' err)" 1
	is "$(grep -c 'vmrun: second' err)" 1
	rm starts
	script 'exit 1' 'exit 3' 'exit 1'
	vmrun -t a vm.lua
	is "$(grep -E 'first|second' err | paste -sd' ' -)" 'vmrun: first vmrun: second vmrun: first'
}

@test "for stopped the answer is ignored" {
	lua 'function vm.on_exit(exit) print("cause " .. exit.cause) return true end'
	script 'acpi on ready up wait exit 1'
	start vm.lua
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	ends 0
	has 'cause stopped'
	is "$(starts)" 1
}

# --- on_prepare ---

@test "on_prepare changes memory, adds a device, and pins one" {
	lua 'vm.emulations = { { device = "virtio-blk", path = "a" } }
		function vm.on_prepare(spec, boot)
			if boot.boots == 0 then return end
			spec.mem = "128M"
			spec.emulations[1].slot = "9"
			table.insert(spec.emulations, { device = "ahci-cd", path = "cd.iso" })
			return spec
		end'
	script 'exit 0' 'exit 0' 'exit 1'
	vmrun vm.lua
	is "$status" 0
	is "$(mems)" '64M 128M 128M'
	is "$(devices_of 1)" '0:1:0,virtio-blk'
	is "$(devices_of 2 | head -n 1)" '0:9:0,virtio-blk'
	is "$(devices_of 2 | wc -l)" 2
	is "$(devices_of 3)" "$(devices_of 2)"
	vmrun --debug vm.lua
	is "$status" 0
}

@test "an integer of JSON that Lua cannot hold passes on_prepare with all its digits" {
	printf '{"name": "%s", "cpu": 1, "mem": "64M", "hooks": ["hook.lua"], "emulations":
		[{"device": "nvme", "ram": 1, "eui64": 18446744073709551615}]}' "$vm" >vm.json
	echo 'return { on_prepare = function(spec) spec.cpu = 3 return spec end }' >hook.lua
	vmrun -d vm.json
	is "$status" 0
	has 'cpus=3' out
	has 'eui64=0xffffffffffffffff' out
}

@test "on_prepare sees the slots, the target and what happened before" {
	lua 'vm.emulations = { { device = "virtio-blk", path = "a" } }
		vm.targets = { t = { emulations = { { device = "ahci-cd", path = "b" } } } }
		function vm.on_prepare(spec, boot)
			print("slots", spec.emulations[1].slot, spec.emulations[2] and spec.emulations[2].slot)
			print("boot", boot.vm, boot.target, boot.boots, boot.hypervisor, spec.targets)
		end
		function vm.on_exit(exit) if exit.boots == 1 then return "t" end end'
	script 'exit 0' 'exit 1'
	vmrun vm.lua
	is "$(tr '\t' ' ' <err | grep -E 'slots|boot ' | sed 's/^vmrun: //' | grep -E '^(slots|boot) ')" \
		"slots 0:1:0 nil
boot $vm default 0 bhyve nil
slots 0:1:0 0:2:0
boot $vm t 1 bhyve nil"
}

@test "a device that on_prepare adds comes last, and moves neither the screen nor the slot of what is gone" {
	lua 'vm.graphic = { port = 5901 }
		vm.emulations = { { device = "virtio-net", name = "tap1" }, { device = "virtio-rnd", id = "old" } }
		vm.targets = { t = { emulations = { { id = "old", remove = true }, { device = "ahci-cd", path = "c" } } } }
		function vm.on_prepare(spec)
			table.insert(spec.emulations, { device = "e1000", name = "tap2" })
			return spec
		end'
	vmrun -d -t t vm.lua
	is "$status" 0
	is "$(grep -o -- '-s [^ ]*' out | cut -d, -f1,2 | paste -s -d ' ' -)" "-s 0:0:0,hostbridge -s 0:31:0,lpc \
-s 0:1:0,virtio-net -s 0:5:0,ahci-cd -s 0:6:0,e1000 -s 0:3:0,fbuf -s 0:4:0,xhci"
	# the same for the hook after it
	echo 'return { on_prepare = function(spec)
		table.insert(spec.emulations, { device = "e1000", name = "tap3" }) return spec end }' >more.lua
	vmrun -d -t t --hook ./more.lua vm.lua
	is "$status" 0
	is "$(grep -o -- '-s [^ ]*,e1000' out | paste -s -d ' ' -)" '-s 0:6:0,e1000 -s 0:7:0,e1000'
}

@test "on_prepare that raises: 69 on the first boot, check_failed later" {
	lua 'function vm.on_prepare(spec, boot) error("not today") end'
	vmrun vm.lua
	is "$status" 69
	has 'not today'
	is "$(starts)" ''
	vmrun -d vm.lua
	is "$status" 69
	[ ! -s out ]
	lua 'function vm.on_prepare(spec, boot) if boot.boots == 1 then error("not today") end end'
	script 'exit 0' 'exit 1'
	vmrun vm.lua
	is "$status" 69
	is "$(starts)" 1
	has 'not today'
	lua 'function vm.on_prepare(spec, boot) if boot.boots == 1 then error("not today") end end
		function vm.on_exit(exit) if exit.cause == "check_failed" then return vmrun.stop(9) end end'
	rm starts
	script 'exit 0' 'exit 1'
	vmrun vm.lua
	is "$status" 9
}

@test "on_prepare that loops, or returns nonsense" {
	lua 'function vm.on_prepare() return {} end'
	vmrun vm.lua
	is "$status" 65
	has 'on_prepare: "name" is missing'
	lacks 'vm.lua:'
	lua 'vm.hook_timeout = 0.2
		function vm.on_prepare() while true do pcall(function() while true do end end) end end'
	vmrun vm.lua
	is "$status" 69
	lua 'function vm.on_prepare() return 5 end'
	vmrun vm.lua
	is "$status" 69
	has 'on_prepare returned a number'
	lua 'function vm.on_prepare(spec) spec.memm = 1 spec.cpu = 0 return spec end'
	vmrun vm.lua
	is "$status" 65
	has 'did you mean "mem"?'
	has 'cpu'
	is "$(starts)" ''
	lua 'function vm.on_prepare(spec) spec.emulations = { { device = "raw", value = "x", slot = 31 } }
		return spec end'
	vmrun vm.lua
	is "$status" 65
	has 'lpc'
}

# --- hook files ---

@test "hook files from JSON, in order, with options" {
	spec '{"hooks": ["one.lua", {"use": "two.lua", "limit": 2, "target": "t"}],
		"targets": {"t": {"mem": "128M"}}}'
	cat >one.lua <<-'END'
		return { on_exit = function(exit) print("one sees " .. exit.cause) end }
	END
	cat >two.lua <<-'END'
		return function(options)
			local count = 0
			return {
				on_exit = function(exit)
					count = count + 1
					if count <= options.limit then return options.target end
					return vmrun.stop(count)
				end,
				on_prepare = function(spec) spec.cpu = 2 return spec end,
			}
		end
	END
	script 'exit 3' 'exit 2' 'exit 1'
	vmrun vm.json
	is "$status" 3
	is "$(mems)" '64M 128M 128M'
	is "$(jq -r '.argv[2]' starts | sort -u)" 'cpus=2,sockets=1,cores=1,threads=2'
	is "$(grep -c 'one sees' err)" 3
}

@test "a hook file that raises at the load; one that fails does not stop the next" {
	echo 'error("bad file")' >bad.lua
	spec '{"hooks": ["bad.lua"]}'
	vmrun vm.json
	is "$status" 65
	has 'bad file'
	echo 'return { on_exit = function() error("first") end }' >first.lua
	echo 'return { on_exit = function() return vmrun.stop(5) end }' >second.lua
	spec '{"hooks": ["first.lua", "second.lua"]}'
	script 'exit 3'
	vmrun vm.json
	is "$status" 5
	has 'on_exit of first.lua failed'
}

@test "a target's list of hooks replaces" {
	echo 'return { on_exit = function() return vmrun.stop(5) end }' >five.lua
	echo 'return { on_exit = function() return vmrun.stop(6) end }' >six.lua
	spec '{"hooks": ["five.lua"], "targets": {"t": {"hooks": ["six.lua"]}, "none": {"hooks": []}}}'
	script 'exit 3'
	vmrun vm.json
	is "$status" 5
	script 'exit 3'
	vmrun -t t vm.json
	is "$status" 6
	script 'exit 3'
	vmrun -t none vm.json
	is "$status" 3
}

@test "hooks may not wait in Lua's own library" {
	local call
	for call in 'os.execute("true")' 'io.popen("true")' 'io.read()' 'os.exit(3)'; do
		policy "$call return vmrun.stop(50)" 'exit 3'
		is "$status" 3
		has 'failed, the next hook or the declared policy decides'
	done
}

# --- the other hooks ---

@test "on_start may refuse a boot: 69, and nothing is started" {
	lua 'function vm.on_start(boot) return false, "not on " .. boot.target end'
	vmrun vm.lua
	is "$status" 69
	has 'on_start of vm.lua refused the boot: not on default'
	[ ! -e starts ]
}

# detours N [MORE]: runs a VM whose on_start names another target N times, then accepts
detours() {
	rm -f starts
	lua "local n = 0
		vm.targets = { a = {}, b = {} }
		${2-}
		function vm.on_start(boot)
			n = n + 1
			vmrun.log('info', 'asked ' .. n)
			if n <= $1 then return boot.target == 'a' and 'b' or 'a' end
		end"
	script 'exit 1'
	vmrun vm.lua
}

@test "on_start may name another target eight times, not nine" {
	detours 8
	is "$status" 0
	is "$(starts)" 1
	has 'asked 9'
	detours 9
	is "$status" 69
	is "$(starts)" ''
	has 'asked 9'
	lacks 'asked 10'
	has 'endless loop in on_start'
	detours 1000
	is "$status" 69
	lacks 'asked 10'
	# The next boot that the policy decides on may name eight more targets.
	detours 17 'vm.on = { check_failed = "boot" }'
	is "$status" 0
	is "$(starts)" 1
	has 'asked 18'
	is "$(grep -c 'endless loop in on_start' err)" 1
}

@test "on_start that fails refuses the boot, and the policy decides what comes then" {
	local body
	for body in 'error("oops")' 'error(setmetatable({}, {}))' 'return 5' 'return "nowhere"' \
		'while true do end' 'return nil + 1' 'vmrun.state.f = print' 'vmrun.sleep(0.01) error("late")' \
		'vmrun.exec { "true" } return {}'; do
		lua "vm.hook_timeout = 0.2 vm.targets = { rescue = {} }
			vm.on = { check_failed = { boot = 'rescue' } }
			function vm.on_start(boot) if boot.target == 'default' then $body end end
			function vm.on_exit(exit) print('exit: ' .. exit.cause) end"
		rm -f starts
		script 'exit 1'
		vmrun --state-dir "$PWD/state" vm.lua
		is "$status" 0
		is "$(starts)" 1
		has 'on_start of vm.lua failed: '
		has 'target default: the boot could not be prepared: on_start of vm.lua refused the boot: it failed: '
		has 'exit: check_failed'
		has 'target rescue runs under'
		vmrun --state-dir "$PWD/state" --simulate poweroff vm.lua
		is "$status" 0
		is "$(cut -f 2,3,5 out | paste -sd' ' -)" 'default	check_failed	rescue rescue	poweroff	-'
		has 'on_start of vm.lua refused the boot: it failed: '
	done
}

@test "on_start that fails: 69, its traceback once, and no hook after it is asked" {
	echo 'return { on_start = function() print("asked after it") end }' >after.lua
	lua 'vm.hooks = { "after.lua" }
		function vm.on_start() error("oops") end'
	vmrun --events events vm.lua
	is "$status" 69
	is "$(starts)" ''
	lacks 'asked after it'
	is "$(grep -c 'stack traceback' err)" 1
	is "$(jq -r 'select(.event == "hook_failed") | .by' events)" 'on_start of vm.lua'
	has 'vm.lua:3: oops' events
	is "$(jq -r 'select(.event == "exit") | .cause' events)" check_failed
}

# on_prepare uses up the memory, so that vmrun cannot make the list of on_start functions; with some
# releases of Lua there is enough for the list, and calling the function fails.
@test "where it cannot be found out which functions to ask, the boot is refused" {
	lua 'vm.hook_memory = "2M"
		function vm.on_prepare(spec, boot)
			kept = { spec, boot }
			for _, size in ipairs { 16384, 1024, 64, 1 } do
				while pcall(function() kept[#kept + 1] = ("x"):rep(size) .. #kept end) do end
			end
		end
		function vm.on_start() print("asked") end'
	vmrun vm.lua
	is "$status" 69
	is "$(starts)" ''
	lacks asked
	grep -Eq 'on_start( of vm\.lua)? refused the boot: it failed: needs more than 2 MiB of memory' err
}

# The answer for one boot does not apply to the next one.
@test "on_start that names its own target says nothing of the boots after it" {
	lua 'vm.targets = { a = {} }
		function vm.on_start(boot) if boot.boots == 0 then return "a" end end
		function vm.on_exit(exit) if exit.boots < 2 then return "default" end end'
	script 'exit 0' 'exit 1'
	vmrun -t a vm.lua
	is "$status" 0
	is "$(sed -n 's/.*: target \(.*\) runs under .*/\1/p' err | paste -sd' ' -)" 'a default'
}

@test "on_started and on_end are called, from a spec and from a file" {
	cat >more.lua <<-'END'
		return {
			on_started = function(boot) print("file: up as pid " .. boot.pid) end,
			on_end = function(report) print("file: over with " .. report.exit_status) end,
		}
	END
	lua 'vm.hooks = { "more.lua" }
		function vm.on_started(boot) print("spec: up") end
		function vm.on_end(report) print("spec: over after " .. report.boots .. " boot, " .. report.cause) end'
	script 'exit 3'
	vmrun vm.lua
	is "$status" 3
	has 'spec: up'
	has 'file: up as pid '
	has 'spec: over after 1 boot, triple_fault'
	has 'file: over with 3'
}

@test "a stop while the first on_prepare waits: on_end is called" {
	lua 'function vm.on_prepare() vmrun.exec { "sh", "-c", ": >waits; exec sleep 1000" } end
		function vm.on_end(report) print("over", report.cause, report.boots, report.vm) end'
	start vm.lua
	await_file waits
	kill -TERM "$pid"
	ends 0
	is "$(tr '\t' ' ' <err | grep -c "over stopped 0 $vm")" 1
}

@test "on_exit hears of given_up, and its answer does not count" {
	lua 'vm.restart_limit = { count = 1, within = 3600 }
		function vm.on_exit(exit) print("heard " .. exit.cause) return true end'
	script 'exit 0' 'exit 0' 'exit 0'
	vmrun vm.lua
	is "$status" 10
	has 'heard given_up'
	is "$(grep -c 'runs under' err)" 2
}

@test "null in a target: the functions of a hook, or the list of files, not both" {
	echo 'return { on_end = function() print("file") end }' >hook.lua
	lua 'vm.hooks = { "hook.lua" }
		function vm.on_end() print("spec") end
		vm.targets = {
			above = { on_end = function() print("above") end },
			functions = { extends = "above", on_end = vmrun.null },
			files = { extends = "above", hooks = vmrun.null },
		}'
	said() {
		vmrun -t "$1" vm.lua
		grep -xE 'vmrun: (file|spec|above)' err | cut -c 8- | paste -sd' ' -
	}
	is "$(said above)" 'above spec file'
	is "$(said functions)" 'file'
	is "$(said files)" 'above spec'
}

# The exit of the boot that runs at the reload belongs to the old files.
@test "one table of globals for all files; a reload begins it and all locals anew" {
	echo 'local n = 0 return { on_exit = function() n = n + 1 print("file", n, shared) end }' >hook.lua
	lua 'vm.hooks = { "hook.lua" }
		shared = "of the spec"
		local n = 0
		function vm.on_exit() n = n + 1 shared = n print("spec", n) end
		vm.on = { reboot = "boot" }'
	script 'exit 0' 'ready two waitfile go2 exit 0' 'ready three waitfile go3 exit 0' 'exit 1'
	start vm.lua
	await_file two
	cp vm.lua good.lua
	echo 'return return' >vm.lua
	kill -HUP "$pid"
	await_text 'keeping the previous spec'
	touch go2
	await_file three
	cp good.lua vm.lua
	kill -HUP "$pid"
	await_text 'spec reloaded: it takes effect'
	touch go3
	ends 0
	is "$(grep -E '^vmrun: (spec|file)' err | cut -c 8- | tr '\t' ' ' | paste -sd, -)" \
		'spec 1,file 1 1,spec 2,file 2 2,spec 3,file 3 3,spec 1,file 1 1'
}
