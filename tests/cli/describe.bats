#!/usr/bin/env bats
# What vmrun describes: the schema, the types for Lua, the devices.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load common
	common_setup
}

teardown() {
	common_teardown
}

# validate FILE: validates it by the schema in the file `schema`
validate() {
	python -c 'import json, sys; from jsonschema import Draft202012Validator
Draft202012Validator(json.load(open("schema"))).validate(json.load(open(sys.argv[1])))' "$1"
}

@test "schema, lua-types and devices need no FILE, and print the same with one" {
	local what
	spec
	for what in schema lua-types devices; do
		vmrun --print $what
		is "$status" 0
		[ -s out ] && [ ! -s err ]
		mv out wanted
		vmrun --print=$what vm.json
		is "$status" 0
		cmp out wanted
		vmrun -c no-such-file --print $what
		is "$status" 0
	done
	is "$(starts)" ''
}

@test "--print devices NAME: one device, with the keys that every device has" {
	vmrun --print devices virtio-rnd
	is "$status" 0
	has 'virtio-rnd' out
	has ' slot ' out
	lacks 'virtio-blk' out
	vmrun --print devices --json virtio-blk
	is "$(jq -r '.[].device' out)" virtio-blk
	vmrun --json --print devices
	is "$(jq -c '.[] | select(.device == "virtio-blk")' out)" "$("$VMRUN" --print devices virtio-blk --json | jq -c '.[]')"
	vmrun --print devices cdrom
	is "$status" 64
	is "$(cat err)" 'vmrun: --print devices: unknown device "cdrom", did you mean "ahci-cd"?'
	[ ! -s out ]
}

@test "--json is only for --check and --print devices: else usage, 64" {
	spec
	vmrun --print devices --json
	is "$status" 0
	is "$(jq -r '.[] | select(.device == "virtio-blk") | .keys[] | select(.required) | .key' out |
		paste -sd' ' -)" 'device path'
	vmrun --print schema --json
	is "$status" 64
	has '--json is only for'
	vmrun --json vm.json
	is "$status" 64
	vmrun --print
	is "$status" 64
	vmrun --print scheme
	is "$status" 64
	has 'lua-types'
	is "$(starts)" ''
}

@test "what cannot be printed is an error" {
	[ -e /dev/full ] || skip 'no /dev/full'
	status=0
	"$VMRUN" --print schema >/dev/full 2>err || status=$?
	is "$status" 71
	has 'cannot write to stdout'
}

@test "the schema judges as vmrun does, key by key" {
	vmrun --print schema
	mv out schema
	python "$SOURCE/tests/describe/schema.py" schema "$JUDGE" "$SOURCE"/examples/*.json \
		"$SOURCE"/tests/golden/*/spec.json >said
	grep -qE '^[0-9]{4,} specs, 0 wrong$' said
}

@test "the resolved spec passes the schema too" {
	vmrun --print schema
	mv out schema
	spec '{"graphic": {}, "emulations": [{"device": "virtio-blk", "path": "a.img"},
		{"device": "virtio-net", "name": "tap0"}, {"device": "virtio-console", "ports": ["a"]}]}'
	vmrun --debug vm.json
	is "$status" 0
	mv out resolved.json
	validate resolved.json
	vmrun --debug resolved.json
	is "$status" 0
	cmp out resolved.json
	jq '.emulations[0].pth = 1' resolved.json >wrong.json
	! validate wrong.json 2>err || return 1
	has "'pth' was unexpected"
}

@test "the types are a Lua file, and have all of the vmrun table and nothing else" {
	vmrun --print lua-types
	mv out types.lua
	cat >load.lua <<-'END'
		local api, there = vmrun, {}
		for name in pairs(api) do
			there[#there + 1] = name
		end
		local text = assert(io.open("types.lua")):read("a")
		vmrun = nil
		assert(load(text, "types"))()
		for _, name in ipairs(there) do
			assert(text:find("\nvmrun." .. name .. " = ", 1, true) or
				text:find("\nfunction vmrun." .. name .. "(", 1, true), name)
			assert(type(api[name]) ~= "function" or type(vmrun[name]) == "function", name)
		end
		for name in text:gmatch("\nvmrun%.([%w_]+) = ") do
			assert(name == "state" or api[name] ~= nil, name) -- a file has no state
		end
		for name in text:gmatch("\nfunction vmrun%.([%w_]+)%(") do
			assert(type(api[name]) == "function", name)
		end
		assert(#there >= 9)
		return { name = "t", cpu = 1, mem = "64M" }
	END
	vmrun -d load.lua
	is "$status" 0
}

@test "vmrun.conf(5) has every key of the spec and of its devices" {
	local word missing=
	"$VMRUN" --print schema >schema
	for word in $(jq -r '.properties | keys[]' schema); do
		grep -qE "^\\.It Ic .*\\b$word\\b" "$SOURCE/man/vmrun.conf.5" || missing="$missing $word"
	done
	for word in $(jq -r '[.. | objects | .properties? // empty | objects | keys[]] | unique[]' schema); do
		grep -qw -- "$word" "$SOURCE/man/vmrun.conf.5" || missing="$missing $word"
	done
	for word in $("$VMRUN" --print devices --json | jq -r '.[].device'); do
		grep -qE "^\\.It Cm .*\\b$word\\b" "$SOURCE/man/vmrun.conf.5" || missing="$missing $word"
	done
	is "$missing" ''
}
