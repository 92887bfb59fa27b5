#!/usr/bin/env bats
# Specs in UCL: vmrun runs uclcmd, here a stub that prints the answer from a file beside the spec.
# ucl/myvm.conf.json is what uclcmd 0.2 with libucl 0.9 prints for ucl/myvm.conf.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load common
	common_setup
	mkdir bin
	ln -s "$SOURCE/tests/fake/bin/uclcmd" bin/uclcmd
	usual_path=$PATH
	PATH=$PWD/bin:$PATH
	export FAKE_CALLS=$PWD/calls
}

teardown() {
	common_teardown
}

# ucl FILE [JSON]: writes a file that uclcmd converts to the JSON of `spec`
ucl() {
	echo 'what stands here, only uclcmd knows' >"$1"
	spec "${2:-"{}"}" whole.json
	jq -c . whole.json >"$1.json"
}

# uclcmd_is LINE...: makes a script uclcmd of these lines
uclcmd_is() {
	rm bin/uclcmd
	printf '%s\n' '#!/bin/sh' "$@" >bin/uclcmd
	chmod +x bin/uclcmd
}

# refused STATUS TEXT ARG...: checks that a dry run and a run report one fault that begins with the
# text, and start nothing
refused() {
	local wanted=$1 text=$2 option
	shift 2
	for option in '' -d; do
		# shellcheck disable=SC2086 # no word at all
		vmrun $option -p hyper.pid "$@"
		is "$status" "$wanted"
		is "$(wc -l <err)" 1
		is "$(head -c ${#text} err)" "$text"
		[ ! -s out ]
		is "$(starts)" ''
		[ ! -e hyper.pid ]
	done
}

@test "a .conf file is what its JSON is" {
	cp "$SOURCE"/tests/cli/ucl/myvm.conf* .
	jq '.mem = 512000000' "$SOURCE/examples/readme.json" >myvm.json
	local what target
	for what in -d --debug; do
		for target in default install; do
			vmrun $what -t $target myvm.json
			is "$status" 0
			[ ! -s err ]
			mv out wanted
			vmrun $what -t $target -c myvm.conf
			is "$status" 0
			cmp out wanted
			vmrun $what -t $target myvm.conf
			cmp out wanted
		done
	done
	is "$(sort -u calls)" 'uclcmd get -c -f myvm.conf .'
}

@test "with its memory in quotes it is the original's example" {
	sed 's/512M/"512M"/' "$SOURCE/tests/cli/ucl/myvm.conf" >myvm.conf
	jq -c '.mem = "512M"' "$SOURCE/tests/cli/ucl/myvm.conf.json" >myvm.conf.json
	vmrun -d "$SOURCE/examples/readme.json"
	is "$status" 0
	sed "s|$SOURCE/examples|$PWD|g" out >wanted
	vmrun -d myvm.conf
	is "$status" 0
	cmp out wanted
	[ ! -s err ]
}

@test "by hand: uclcmd get -c -f FILE . | vmrun -c-" {
	cp "$SOURCE"/tests/cli/ucl/myvm.conf* .
	vmrun -d -t install myvm.conf
	is "$status" 0
	mv out wanted
	local stdin
	for stdin in -c- '-c -' --config=- -; do
		# shellcheck disable=SC2086 # words
		uclcmd get -c -f myvm.conf . | "$VMRUN" -d -t install $stdin >out 2>err
		cmp out wanted
	done
}

@test "the format: .ucl, .conf, --format ucl, whatever the content" {
	local name
	for name in vm.ucl vm.conf; do
		ucl $name
		vmrun -d $name
		is "$status" 0
		spec '{"cpu": 0}' $name # JSON is UCL as well: it is uclcmd that reads it
		vmrun -d $name
		is "$status" 0
	done
	for name in plain vm.lua vm.json; do
		ucl $name
		vmrun -d $name
		is "$status" 65
		vmrun -d --format ucl $name
		is "$status" 0
		vmrun -d --format=ucl -c $name
		is "$status" 0
	done
	spec '{}' plain.conf
	vmrun -d --format json plain.conf
	is "$status" 0
	vmrun -d --format auto plain.conf
	is "$status" 65
}

@test "it runs, and boots by its targets" {
	ucl vm.conf '{"targets": {"install": {"cpu": 2, "next_target": "default"}}}'
	script 'exit 0' 'exit 1'
	vmrun -t install vm.conf
	is "$status" 0
	is "$(starts)" 2
	is "$(wc -l <calls)" 1
}

@test "relative paths start at the directory of the file" {
	mkdir sub
	ucl sub/vm.conf '{"emulations": [{"device": "virtio-blk", "path": "disk.img"}]}'
	vmrun -d sub/vm.conf
	is "$status" 0
	has "virtio-blk,$PWD/sub/disk.img " out
	is "$(cat calls)" 'uclcmd get -c -f sub/vm.conf .'
}

@test "names with blanks, dashes and quotes" {
	local name
	for name in 'two words.conf' -x.ucl --set.conf "it's.ucl" '"$HOME" `x` \.conf' grün☃.ucl \
		$'new\nline.conf'; do
		: >calls
		ucl "./$name"
		vmrun -d -c "$name"
		is "$status" 0
		is "$(cat calls)" "uclcmd get -c -f $name ."
		vmrun -d "./$name"
		is "$status" 0
	done
}

@test "places are the file and the path of the key" {
	ucl vm.conf '{"bootRom": "/rom", "targets": {"install": {"mem": "1.5G",
		"emulations": [{"device": "ahci-cd", "pat": "cd.iso"}]}}}'
	vmrun -d vm.conf
	is "$status" 65
	is "$(grep -c '^vm.conf: ' err)" "$(wc -l <err)"
	has 'vm.conf: bootRom: unknown key "bootRom", did you mean "bootrom"?'
	has 'vm.conf: targets.install.mem: invalid size "1.5G"'
	has 'vm.conf: targets.install.emulations[0].pat: unknown key "pat", did you mean "path"?'
}

@test "memory without quotes is decimal: a note where it can be had, a hint where not" {
	local hint='UCL makes that of 512M without quotes: for 512 MiB write "512M" or 512Mb)'
	ucl vm.conf '{"mem": 512000000}'
	vmrun -d vm.conf
	is "$status" 0
	has "note: mem is 512000000 bytes ($hint"
	vmrun vm.conf
	is "$status" 0
	has "note: mem is 512000000 bytes ($hint"
	"$VMRUN" -d -c- <vm.conf.json >out 2>err
	has "note: mem is 512000000 bytes ($hint"
	vmrun -d vm.conf.json
	is "$status" 0
	[ ! -s err ]
	rm starts
	ucl vm.conf '{"mem": 1000000000}'
	hint='UCL makes that of 1G without quotes: for 1 GiB write "1G" or 1Gb)'
	refused 65 "vm.conf: mem: 1000000000 bytes is not a multiple of 4 KiB ($hint" vm.conf
	status=0
	"$VMRUN" -d -c- <vm.conf.json >out 2>err || status=$?
	is "$status" 65
	has "<stdin>:1:"
	has "mem: 1000000000 bytes is not a multiple of 4 KiB ($hint"
	refused 65 'vm.conf.json:1:' vm.conf.json
	lacks UCL
	vmrun -d --set mem=1G vm.conf
	is "$status" 0
	[ ! -s err ]
}

@test "uclcmd is missing: 66, and where to get it" {
	# vmrun also searches /usr/local/bin, whatever PATH is.
	[ ! -e /usr/local/bin/uclcmd ] || skip 'uclcmd is installed'
	ucl vm.conf
	PATH=$usual_path
	refused 66 'vm.conf: UCL is read by uclcmd, which cannot be run (uclcmd: not found in PATH' vm.conf
	has 'install the port textproc/uclcmd (pkg install uclcmd), or give the spec in JSON or Lua'
}

@test "uclcmd fails: 65, in its own words" {
	ucl vm.conf
	rm vm.conf.json
	refused 65 'vm.conf: uclcmd ended with status 2: Error occured: cannot open file vm.conf' vm.conf
	uclcmd_is 'echo "{}"; printf "line: 3, character: \"\033[2J\n\"\n" >&2; exit 3'
	refused 65 'vm.conf: uclcmd ended with status 3: line: 3, character: " [2J "' vm.conf
	uclcmd_is 'exit 0'
	refused 65 'vm.conf: uclcmd printed nothing' vm.conf
	uclcmd_is 'echo "no such key" >&2'
	refused 65 'vm.conf: uclcmd printed nothing: no such key' vm.conf
	uclcmd_is 'kill -9 $$'
	refused 65 'vm.conf: uclcmd was killed by signal 9' vm.conf
	uclcmd_is 'exec yes "{"'
	refused 66 'vm.conf: uclcmd wrote more than 67108864 bytes and was killed' vm.conf
}

@test "output of uclcmd that is not a spec" {
	local text='is not a spec: '
	ucl vm.conf
	no_spec() {
		printf '%b' "$1" >vm.conf.json
		refused 65 "vm.conf: $2" vm.conf
	}
	no_spec '(null)\n' "uclcmd's output, \`(null)\`, $text"
	no_spec '[1,2]' "uclcmd's output, \`[1,2]\`, ${text}a spec is an object"
	no_spec 'null' "uclcmd's output, \`null\`, $text"
	no_spec '{"mem":\001' "mem: uclcmd's output, \`{\"mem\":\`, $text"
	no_spec '{"a":1,"a":2}' "a: uclcmd's output, \`{\"a\":1,\"a\":2}\`, ${text}duplicate key"
	no_spec '\0\0' "uclcmd's output, "
	no_spec '{"name":"a\0b"}' 'name: '
	head -c 1000000 /dev/zero | tr '\0' '[' >vm.conf.json
	refused 65 'vm.conf: ' vm.conf
	head -c 1000000 /dev/urandom >vm.conf.json
	refused 65 'vm.conf: ' vm.conf
}

@test "what uclcmd says beside a good answer is passed on" {
	ucl vm.conf
	uclcmd_is 'echo "mind the gap" >&2; cat "$4.json"'
	vmrun -d vm.conf
	is "$status" 0
	is "$(wc -l <out)" 1
	has 'warning: vm.conf: uclcmd says: mind the gap'
}

@test "UCL on stdin is refused before it is read" {
	local text='<stdin>: uclcmd reads UCL from a file only: name the file, or pass its JSON on: '
	refused 64 "${text}uclcmd get -c -f FILE . | vmrun -c-" --format ucl -
	refused 64 "$text" --format=ucl -c-
	echo '{}' | {
		status=0
		"$VMRUN" -d --format ucl - 2>err || status=$?
		is "$status" 64
		is "$(cat)" '{}'
	}
	[ ! -e calls ]
}

@test "a file that is empty, missing or a directory: uclcmd is not asked" {
	: >vm.conf
	refused 65 'vm.conf: the file is empty' vm.conf
	refused 66 'vmrun: none.conf: No such file or directory' none.conf
	mkdir d.conf
	refused 66 'vmrun: d.conf: is a directory, not a file' d.conf
	[ ! -e calls ]
}

@test "uclcmd and what it leaves behind hold nobody up" {
	ucl vm.conf
	uclcmd_is 'sleep 600 & echo $! >left; exec cat "$4.json"'
	vmrun -d vm.conf
	is "$status" 0
	kill "$(cat left)"
	# uclcmd does not get vmrun's stdin, which never ends here.
	uclcmd_is 'cat && exec cat "$4.json"'
	mkfifo stdin
	exec 9<>stdin
	"$VMRUN" -d vm.conf <&9 >out 2>err
	exec 9<&-
	is "$(wc -l <out)" 1
}

@test "a parent that ignores SIGCHLD is no hindrance" {
	ucl vm.conf
	trap '' CHLD
	status=0
	"$VMRUN" -d vm.conf >out 2>err || status=$?
	trap - CHLD
	is "$status" 0
}

@test "one section is a list of one, for every list" {
	ucl vm.conf '{"emulations": {"device": "ahci", "ports": {"type": "hd", "path": "/d"}}, "pin": "0:1",
		"reboot_on": "error", "stop": {"do": "kill", "wait": 5}, "fwcfg": {"name": "opt/a", "string": "x"},
		"companions": {"name": "c", "command": ["true"]}, "wait_for": {"path": "/dev/null", "timeout": 1},
		"targets": {"more": {"emulations": {"device": "virtio-rnd"}}}}'
	jq 'def list: if type == "array" then . else [.] end;
		.emulations |= list | .emulations[0].ports |= list | .pin |= list | .reboot_on |= list | .stop |= list |
		.fwcfg |= list | .companions |= list | .wait_for |= list | .targets.more.emulations |= list' \
		vm.conf.json >lists.json
	vmrun --debug -t more lists.json
	is "$status" 0
	mv out wanted
	vmrun --debug -t more vm.conf
	is "$status" 0
	cmp out wanted
	"$VMRUN" --debug -t more - <vm.conf.json >out # what uclcmd printed
	cmp out wanted
	cp vm.conf.json vm.json # in JSON it is an error
	vmrun -d vm.json
	is "$status" 65
	has 'emulations: expected a list of devices, got an object'
	has 'pin: expected a list of'
}
