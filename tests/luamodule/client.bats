#!/usr/bin/env bats
# require "vmrun": clients of vmruns in other processes, and JSON.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load module
	module_setup
	export RUN=$BATS_RUN_TMPDIR/run
}

teardown() {
	common_teardown
}

# up: starts a VM that runs until a stop request
up() {
	spec '{"targets": {"a": {}, "b": {}}}'
	script 'acpi on ready up wait exit 1' 'acpi on ready up2 wait exit 1' 'acpi on ready up3 wait exit 1'
	start vm.json
	await_file up
}

# serve PART...: in place of a vmrun, answers the request of each client with these parts, one after the
# other; ID stands for the id of the request
serve() {
	mkdir -p fake/x
	python3 - fake/x/control "$@" 3>&- <<-'END' &
		import json, socket, sys, time
		server = socket.socket(socket.AF_UNIX)
		server.bind(sys.argv[1])
		server.listen(1)
		open("serves", "w").close()
		while True:
		    client, _ = server.accept()
		    request = client.makefile().readline()
		    for part in sys.argv[2:] if request else []:
		        if part.startswith("@"):
		            part = open(part[1:]).read()
		        client.sendall(part.replace("ID", str(json.loads(request)["id"])).encode())
		        time.sleep(0.05)
		    client.close()
	END
	server=$!
	pids+=("$server")
	await_file serves
}

@test "ask: a request as a table or as JSON, the answer as a table" {
	up
	PID=$pid passes <<-'END'
		local client <close> = assert(vmrun.connect(os.getenv("VM"), os.getenv("RUN")))
		local status = assert(client:ask { cmd = "status" })
		is(status.ok, true)
		is(status.vm, os.getenv("VM"))
		is(status.state, "running")
		is(math.type(status.pid), "integer")
		is(assert(client:ask('{"cmd": "status"}')).target, "default")
		local pid, is_vmrun = client:survivor()
		is(pid, tonumber(os.getenv("PID")))
		is(is_vmrun, true)
		local fd, writes = client:fd()
		assert(fd >= 0)
		is(writes, false)
		has(tostring(client), "open")

		-- A client that is collected is closed.
		for i = 1, 60 do
			assert(vmrun.connect(os.getenv("VM"), os.getenv("RUN")))
			collectgarbage()
		end
		assert(assert(vmrun.connect(os.getenv("VM"), os.getenv("RUN"))):fd() < fd + 20)

		-- A refusal: nil, the reason, the status, the answer.
		local answer, why, code, refusal = client:ask { cmd = "next", target = "nowhere" }
		is(answer, nil)
		has(why, "nowhere")
		is(code, 1)
		is(refusal.ok, false)
		is(refusal.error, why)
		answer, why, code, refusal = client:ask { target = "a" }
		is(code, 64)
		has(why, '"cmd" is missing')
		is(refusal, nil)
		for _, wrong in ipairs { false, { cmd = print }, "status\0" } do
			is(pcall(client.ask, client, wrong), false)
		end
		is(assert(client:ask { cmd = "next", target = "b" }).ok, true)
		assert(client:ask { cmd = "stop" })
		assert(client:wait("gone"))
		is(client:survivor(), nil)
		client:close()
		has(tostring(client), "closed")
		is(select(2, pcall(client.ask, client, { cmd = "status" })), "the client is closed")
		is(pcall(vmrun.wait, { client }, 0), false)
	END
	ends 0
}

@test "without a vmrun: nil, why, the status, and a client that can wait until all is gone" {
	passes <<-'END'
		local client, why, status, absent = vmrun.connect("nobody-" .. os.getenv("VM"), os.getenv("RUN"))
		is(client, nil)
		has(why, "not running")
		is(status, 69)
		is(absent:survivor(), nil)
		assert(absent:wait("gone"))
		is(absent:fd(), -1)
		has(select(2, pcall(vmrun.wait, { absent })), "entry 1 of the list is a client without a connection")
		has(tostring(absent), "closed")
		local _, reason, code = absent:ask { cmd = "status" }
		has(reason, "not connected")
		is(code, 64)
		is(select(3, absent:next(0)), 64)
		client, why, status = vmrun.connect("../x")
		is(client, nil)
		is(status, 64)
		is(pcall(vmrun.connect), false)
		is(pcall(vmrun.connect, "a\0b"), false)
	END
}

@test "events and answers: follow, send, next, and vmrun.wait over clients and VMs" {
	up
	passes <<-'END'
		local client <close> = assert(vmrun.connect(os.getenv("VM"), os.getenv("RUN")))
		local later <close> = assert(vmrun.connect(os.getenv("VM"), os.getenv("RUN"), math.huge))
		assert(later:follow())
		assert(client:follow(1))
		local event, kind = assert(client:next(10))
		is(kind, "event")
		is(event.seq, 1)
		assert(event.event)
		repeat event = assert(client:next(10)) until event.event == "spawned"
		local nothing, why, status = client:next(0)
		is(nothing, nil)
		is(status, 75)
		assert(#why > 0)
		is(client:next(0.01), nil)
		is(client:next(0 / 0), nil)

		local vm <close> = assert(open { name = "other" })
		local id = assert(client:send { cmd = "reboot", target = "a" })
		is(math.type(id), "integer")
		local answered, rebooted
		repeat
			local ready = vmrun.wait({ vm, client }, 30)
			is(ready[1], client)
			while true do
				local message, what = client:next(0)
				if not message then break end
				if what == "answer" then
					is(message.id, id)
					is(message.ok, true)
					answered = true
				elseif message.event == "spawned" then
					is(message.target, "a")
					rebooted = true
				end
			end
		until answered and rebooted
		assert(later:next(30).seq > 1)
		is(select("#", vmrun.wait({ client }, 0)), 2)
		local _, wrong = pcall(vmrun.wait, { client, 1 }, 0)
		has(wrong, "entry 2 of the list is a number: expected a VM or a client")
		is(client:ask { cmd = "status" }, nil) -- it follows events
		assert(client:send({ cmd = "stop" }))
		local last
		repeat
			local message = client:next(30)
			last = message and message.event or last
		until not message
		is(last, "ended")
		_, why, status = client:next(30)
		is(status, 69)
	END
	ends 0
}

@test "wait: states, ready, texts of the console" {
	unset FAKEBHYVE_NODISK
	script 'acpi on print hello print login: wait exit 1'
	spec '{"com1": "console"}'
	start vm.json
	await_text 'booting'
	passes <<-'END'
		local client <close> = assert(vmrun.connect(os.getenv("VM"), os.getenv("RUN")))
		assert(client:wait("running"))
		assert(client:wait_for("login:", 30, true))
		local ok, why, status = client:wait_for("login:", 0.05)
		is(ok, nil)
		is(status, 1)
		ok, why, status = client:wait("backoff", 0.05)
		is(ok, nil)
		is(status, 1)
		ok, why, status = client:wait("nonsense")
		is(ok, nil)
		has(why, "nonsense")

		-- The console.
		local console <close> = assert(vmrun.connect(os.getenv("VM"), os.getenv("RUN")))
		ok, why, status = console:read(0)
		is(status, 64)
		assert(console:attach(true))
		local text = ""
		repeat text = text .. assert(console:read(10)) until text:find("login:", 1, true)
		has(text, "hello")
		ok, why, status = console:read(0)
		is(ok, nil)
		is(status, 75)
		is(console:write("root\r"), 5)
		is(console:write(""), 0)
		is(select(3, console:attach(true)), 64)
		local reader <close> = assert(vmrun.connect(os.getenv("VM"), os.getenv("RUN")))
		is(pcall(reader.attach, reader, 5), false)
		assert(reader:attach())
		local n, reason, code, written = reader:write("x")
		is(n, nil)
		has(reason, "typing")
		is(code, 64)
		is(written, 0)
		assert(client:ask { cmd = "stop" })
		while reader:read(30) do end
		is(select(3, reader:read(30)), 69)
		assert(client:wait("gone", 30))
	END
	ends 0
}

@test "^C raises while a client waits for a message" {
	up
	cat >script.lua <<-'END'
		vmrun = require("vmrun")
		local client = assert(vmrun.connect(os.getenv("VM"), os.getenv("RUN")))
		io.open("waits", "w"):close()
		print(pcall(client.next, client))
	END
	"$LUA" script.lua >said 2>wrong &
	waiter=$!
	pids+=("$waiter")
	await_file waits
	# Until it waits in the kernel, ^C comes in an instruction of Lua, which raises it as well.
	(trap - INT && kill -INT "$waiter")
	wait "$waiter" || :
	cat said wrong >&2
	has interrupted said
	kill "$pid"
	ends 0
}

@test "list: the VMs of a runtime directory" {
	up
	passes <<-'END'
		local found
		for _, vm in ipairs(assert(vmrun.list(os.getenv("RUN")))) do
			if vm.name == os.getenv("VM") then found = vm end
		end
		is(found.state, "running")
		is(found.status.target, "default")
		is(found.status.vm, found.name)
		is(#assert(vmrun.list("missing")), 0)
		io.open("file", "w"):close()
		local vms, why, status = vmrun.list("file")
		is(vms, nil)
		has(why, "file: ")
		is(status, 71)
	END
	kill "$pid"
	ends 0
}

@test "forget: what a stock hook saved" {
	spec '{"targets": {"install": {}}, "hooks": [{"use": "install_once", "with": {"install": "install"}}]}'
	passes <<-'END'
		local ok, why, status = vmrun.forget(os.getenv("VM"), "install_once", "run", "keep")
		is(ok, nil)
		is(status, 69)
		has(why, "install_once")
		ok, why, status = vmrun.forget(os.getenv("VM"), "nothing", "run", "keep")
		is(status, 69)
		ok, why, status = vmrun.forget("../x", "install_once", "run", "keep")
		is(status, 64)
	END
	mkdir -p "keep/$vm"
	echo '{"installed":{"install":true}}' >"keep/$vm/state.json"
	passes <<-'END'
		is(vmrun.forget(os.getenv("VM"), "install_once", "keep", "run"), nil)
		is(vmrun.forget(os.getenv("VM"), "install_once", "run", "keep"), true)
		is(vmrun.forget(os.getenv("VM"), "install_once", "run", "keep"), nil)
	END
}

@test "import: a spec that opens, notes, and problems" {
	echo 'bhyve -c 2 -m 1G -s 0,hostbridge -s 3,ahci-cd,/vm/x.iso -l com1,stdio -s 31,lpc guest' >guest.sh
	echo 'bhyve -m 1G -s 3,nothing guest' >wrong.sh
	passes <<-'END'
		local spec, notes = assert(vmrun.import("guest.sh"))
		is(vmrun.decode(spec).name, "guest")
		local vm <close> = assert(vmrun.open { text = spec, dry_run = true, set = { ["bhyve.release"] = 14 } })
		has(vm:command(), "ahci-cd,/vm/x.iso")
		has(notes, "bhyveload")
		is(select(2, vmrun.import { text = "bhyve -c 1 -m 1G -s 31,lpc -l bootrom,/x a" }), nil)
		notes = select(2, vmrun.import { text = "bhyve -c 1 -m 1G -s 29,fbuf,tcp=0.0.0.0:5900,wait a" })
		has(notes, "wait: vmrun waits for a VNC client at the first boot only")
		spec, notes = assert(vmrun.import { text = "bhyve -c 1 -m 1G a\n", name = "line", set = { ["bhyve.release"] = "14" } })
		is(vmrun.decode(spec).name, "a")
		local why, status
		spec, why, status = vmrun.import("wrong.sh")
		is(spec, nil)
		has(why, "wrong.sh")
		is(status, 65)
		spec, why, status = vmrun.import("missing.sh")
		is(status, 66)
		is(pcall(vmrun.import, { nothing = 1 }), false)
		spec, why, status = vmrun.import { text = "bhyve", format = "nonsense" }
		is(status, 64)
	END
}

@test "a device and the findings as JSON, and the words that a config has no place for" {
	passes <<-'END'
		has(vmrun.describe_device("virtio-net"), "virtio-net")
		is(type(vmrun.decode(vmrun.describe_device("virtio-net", true))), "table")
		local text, why, status = vmrun.describe_device("virtio-nte")
		is(text, nil)
		has(why, "virtio-nte")
		is(status, 64)
		local vm <close> = assert(open({ check = true, args = { "-x" } }, '"emulations": [{"device": "virtio-net", "name": "tap3"}]'))
		is(vm:check_json(), nil)
		vm:check()
		is(vmrun.decode(vm:check_json()).problems[1].device, "virtio-net")
		has(vm:bhyve_words()[1], "-x: ")
	END
}

@test "decode: every kind of value; malformed text is nil and why" {
	passes <<-'END'
		local v = vmrun.decode('{"a": [1, -2.5, 1e2, true, false, null, "x", []], "b": {"c": "\\u00e9\\n"}, "d": null}')
		is(math.type(v.a[1]), "integer")
		is(v.a[2], -2.5)
		is(v.a[3], 100.0)
		is(v.a[4], true)
		is(v.a[5], false)
		is(v.a[6], nil)
		is(v.a[7], "x")
		is(next(v.a[8]), nil)
		is(vmrun.decode("1E2"), 100.0)
		is(tostring(vmrun.decode("-0.0")), "-0.0")
		is(v.b.c, "\u{e9}\n")
		is(v.d, nil)
		is(vmrun.decode("9223372036854775807"), math.maxinteger)
		is(vmrun.decode("9223372036854775808"), 2.0 ^ 63)
		is(vmrun.decode(" null "), nil)
		is(vmrun.decode('"x"'), "x")
		for text, wanted in pairs {
			[""] = "1:1: ", ["{"] = "1:2: ", ['{"a": 1, "a": 2}'] = "1:10: duplicate key", ["[1,\n 01]"] = "2:",
			['{"a": null, "a": 1}'] = "1:13: duplicate key", ['{"a": 1, "a": null}'] = "1:10: duplicate key",
			["[1] x"] = "1:5: ", ['{"a" 1}'] = "1:6: ", ["nil"] = "1:1: ", ['"\\u0000"'] = "NUL", ["[" .. ("["):rep(100)] = "1:65: ",
		} do
			local value, why = vmrun.decode(text)
			is(value, nil)
			has(why, wanted)
		end
		is(#vmrun.decode(("["):rep(64) .. ("]"):rep(64)), 1)
		is(pcall(vmrun.decode, {}), false)
	END
}

@test "encode: tables as lists and objects, sorted; what JSON cannot have is raised with its key" {
	passes <<-'END'
		is(vmrun.encode { b = 1, a = { 1, 2.5, "x\n", true, {} }, c = false },
			'{"a":[1,2.5,"x\\n",true,{}],"b":1,"c":false}')
		is(vmrun.encode("x"), '"x"')
		is(vmrun.encode(nil), "null")
		is(vmrun.encode(2.0), "2.0")
		is(vmrun.encode(math.mininteger), "-9223372036854775808")
		local loop = {}
		loop.loop = loop
		for _, case in ipairs {
			{ { f = print }, 'key "f": JSON has no form for a function' }, { print, "no form for a function" },
			{ { 1, x = 2 }, "neither all names nor 1, 2, 3" }, { { [2] = 1 }, "neither all names nor 1, 2, 3" },
			{ { 1, nil, 3 }, "neither all names nor 1, 2, 3" }, { { nil, "x", [0] = "y" }, "neither all names" },
			{ { nil, "x", [-1] = "y" }, "neither all names" }, { { 1, [7] = 1 }, "neither all names" },
			{ { [1.5] = 1 }, "neither all names" }, { { [true] = 1 }, "neither all names" },
			{ { ["a\0b"] = 1 }, "neither all names" }, { { a = 0 / 0 }, 'key "a": JSON has no form for a number that is not finite' },
			{ { a = math.huge }, "not finite" }, { { a = "x\0y" }, "a string with a NUL" }, { loop, "contain themselves" },
			{ { a = { b = { io.stdout } } }, "a userdata" },
		} do
			local ok, why = pcall(vmrun.encode, case[1])
			is(ok, false)
			has(why, case[2])
		end
		is(pcall(vmrun.encode), false)
		is(vmrun.encode(-0.0), "-0.0")

		-- An empty list, made here or read, stays one.
		local list = vmrun.as_list {}
		is(vmrun.encode { a = list }, '{"a":[]}')
		is(vmrun.as_list(list), list)
		list[1] = "x"
		is(vmrun.encode { a = list }, '{"a":["x"]}')
		list[1], list.b = nil, 1
		is(vmrun.encode { a = list }, '{"a":{"b":1}}')
		is(vmrun.encode(setmetatable({}, {})), "{}")
		for _, text in ipairs { '{"a":[],"b":{}}', "[[],[[]]]", "[]", "{}" } do
			is(vmrun.encode(vmrun.decode(text)), text)
		end
		is(vmrun.encode(vmrun.decode("[null]")), "[]")
		is(pcall(vmrun.as_list, 1), false)
		-- Any text survives.
		local deep = { a = {} }
		local at = deep.a
		for i = 1, 62 do at[1] = {} at = at[1] end
		assert(vmrun.decode(vmrun.encode(deep)))
		at[1] = {}
		is(pcall(vmrun.encode, deep), false)
		-- A spec is a table.
		local vm <close> = assert(vmrun.open { dry_run = true, text = vmrun.encode {
			name = "made", cpu = 2, mem = "64M", bootrom = os.getenv("ROM"), bhyve = { release = 14, arch = "amd64" },
			emulations = { { device = "virtio-rnd", slot = 5 } },
		} })
		has(vm:command(), "0:5:0,virtio-rnd")
	END
}

@test "what another process sends: parts, late answers, duplicate keys" {
	serve '{"id":ID,"ok"' ':true,"a":' '1}
'
	passes <<-'END'
		local client <close> = assert(vmrun.connect("x", "fake"))
		is(client:ask { cmd = "status" }.a, 1)
		client:close()
		local again <close> = assert(vmrun.connect("x", "fake"))
		is(again:send { cmd = "status" }, 1)
		local message, kind = again:next(30)
		is(kind, "answer")
		is(message.a, 1)
		is(message.id, 1)
	END
	kill "$server"
	rm fake/x/control serves
	serve '{"id":ID,"ok":true,"a":1,"a":2}
' '{"event":"a","event":"b"}
' '{"event":"c"}
'
	passes <<-'END'
		local client <close> = assert(vmrun.connect("x", "fake"))
		local answer, why, status = client:ask { cmd = "status" }
		is(answer, nil)
		has(why, "malformed answer: ")
		has(why, "duplicate key")
		is(status, 76)
		local all = table.pack(client:next(30))
		is(all.n, 3)
		is(all[1], nil)
		has(all[2], "duplicate key")
		is(all[3], 76)
		is(client:next(30).event, "c")
		is(select(3, client:next(30)), 69)
		local vms = assert(vmrun.list("fake"))
		is(vms[1].name, "x")
		is(vms[1].status, nil)
	END
}

@test "a request that vmrun does not read, and one that it cannot answer in time" {
	up
	kill -STOP "$pid"
	passes <<-'END'
		local client <close> = assert(vmrun.connect(os.getenv("VM"), os.getenv("RUN")))
		local big = ("x"):rep(100000)
		local id, why, status
		repeat id, why, status = client:send({ cmd = "status", a = big }, 0) until not id
		is(status, 75)
		is(select(2, client:fd()), true)
		local hung <close> = assert(vmrun.connect(os.getenv("VM"), os.getenv("RUN")))
		is(select(3, hung:ask({ cmd = "status" }, 0.01)), 75)
		is(select(3, hung:attach(false, 0.01)), 75)
		local _, reason, code = hung:read(0)
		is(code, 64)
		has(select(2, hung:ask { cmd = "status" }), "client:attach() did not end in time")
	END
	kill -CONT "$pid"
	kill "$pid"
	ends 0
}

@test "a hypervisor whose vmrun has died" {
	spec
	script 'acpi on ready up wait waitfile go exit 1'
	start vm.json
	await_file up
	await_text 'runs under' # its pid is noted
	kill -KILL "$pid"
	await has_ended "$pid"
	GUEST_PID=$(cat up) passes <<-'END'
		local client, why, status, absent = vmrun.connect(os.getenv("VM"), os.getenv("RUN"), 5)
		is(client, nil)
		local pid, is_vmrun = absent:survivor()
		is(pid, tonumber(os.getenv("GUEST_PID")))
		is(is_vmrun, false)
		local gone, reason, code = absent:wait("gone", 0.1)
		is(gone, nil)
		is(code, 1)
	END
	touch go
}

# Finalizers run where Lua allocates: what the library has lent must not be gone meanwhile.
@test "a finalizer closes the VM or the client, or changes the table, whose values are being read" {
	awk 'BEGIN { printf "{\"id\":ID,\"ok\":true,\"a\":["; while (i++ < 30000) printf "{\"b\":1},"; print "0]}" }' >big
	serve @big
	passes <<-'END'
		local function finalize(f)
			collectgarbage()
			setmetatable({}, { __gc = f })
		end
		local client <close> = assert(vmrun.connect("x", "fake"))
		finalize(function() client:close() end)
		is(#assert(client:ask { cmd = "status" }).a, 30001)
		local other <close> = assert(vmrun.connect("x", "fake"))
		assert(other:send { cmd = "status" })
		finalize(function() other:close() end)
		is(#assert(other:next(30)).a, 30001)

		local vm = assert(open({ dry_run = true, args = (function()
			local args = {}
			for i = 1, 3000 do args[i] = ("x"):rep(50) .. i end
			return args
		end)() }))
		assert(vm:command())
		finalize(function() vm:close() end)
		assert(#vm:argv() > 3000)

		local t = {}
		for i = 1, 20000 do t[("k"):rep(100) .. i] = i end
		collectgarbage("setpause", 100)
		finalize(function() for k in pairs(t) do t[k] = nil end collectgarbage() end)
		assert(#vmrun.encode(t) > 2000000)
		is(collectgarbage("isrunning"), true)
		collectgarbage("stop")
		vmrun.encode(t)
		is(collectgarbage("isrunning"), false)
	END
}

@test "a hook of the interpreter closes the VM for which it waits" {
	spec
	passes <<-'END'
		local vm = assert(open())
		assert(vm:start())
		debug.sethook(function()
			if debug.getinfo(2, "S").source ~= "return" then return end
			debug.sethook()
			vm:close()
		end, "", 1)
		local ok, why = pcall(vm.run, vm)
		is(ok, false)
		has(why, "the VM is closed")
	END
}

# What no program in Lua needs: the library frees, and says what fails, by values there.
@test "the module has every function of the library" {
	grep -ohE '\bvmrun_[a-z_]+\(' "$SOURCE"/include/vmrun/{vmrun,client}.h | tr -d '(' | sort -u >all
	grep -ohE '\bvmrun_[a-z_]+\(' "$SOURCE"/src/luamodule/*.c | tr -d '(' | sort -u >used
	comm -23 all used >missing
	cat >expected <<-'END'
		vmrun_console_find
		vmrun_decide_handler
		vmrun_import_options_of_cxx
		vmrun_list_count
		vmrun_options_of_cxx
		vmrun_restore_terminal
		vmrun_run
	END
	diff expected missing
}
