#!/usr/bin/env bats
# vmrun as root runs no file that other users may write.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	umask 022
	[ "$(id -u)" = 0 ] || skip "only root is asked, and this is user $(id -un)"
}

teardown() {
	[ -z "${other:-}" ] || rm -rf "$other"
	common_teardown
}

refused() {
	vmrun "$@"
	is "$status" 66
	[ ! -e starts ]
}

@test "the spec" {
	spec '{}'
	vmrun vm.json
	is "$status" 0
	rm starts
	chmod 646 vm.json
	refused vm.json
	has 'vm.json: anyone may write this file (mode 0646), and so make root run commands: chmod o-w vm.json'
	chmod o-w vm.json
	lua ''
	chmod 666 vm.lua
	refused vm.lua
	refused -d vm.lua
	refused "$PWD/vm.lua"
	has "chmod o-w $PWD/vm.lua"
	# The group of a file is the choice of its owner, and stdin has no mode.
	chmod 664 vm.lua
	vmrun vm.lua
	is "$status" 0
	chmod 666 vm.lua
	status=0
	"$VMRUN" -d - <vm.lua >out 2>err || status=$?
	is "$status" 0
	status=0
	"$VMRUN" -d <(cat vm.lua) >out 2>err || status=$?
	is "$status" 0
}

@test "the directories on the way, links included" {
	mkdir -p open/deep real
	spec '{}' open/deep/vm.json
	chmod 777 open
	refused open/deep/vm.json
	has "open/deep/vm.json: anyone may write the directory $(pwd -P)/open on the way to it (mode 0777)"
	has "chmod o-w $(pwd -P)/open"
	chmod 1777 open
	vmrun open/deep/vm.json
	is "$status" 0
	rm starts
	chmod 777 open
	# Any user may have made a link in a directory that all may write; a link into it leads there.
	spec '{}' real/vm.json
	ln -s ../real/vm.json open/vm.json
	refused open/vm.json
	ln -s open/deep/vm.json linked.json
	refused linked.json
	ln -s open way
	refused way/deep/vm.json
	refused real/../open/deep/vm.json
	ln -s real/vm.json fine.json
	vmrun fine.json
	is "$status" 0
	(cd open/deep && "$VMRUN" -d vm.json >../../out 2>../../err) || status=$?
	is "$status" 66
}

@test "hook files" {
	echo 'return { on_exit = function() return vmrun.stop(5) end }' >hook.lua
	spec '{"hooks": ["hook.lua"]}'
	script 'exit 3'
	vmrun vm.json
	is "$status" 5
	rm starts
	chmod 666 hook.lua
	refused vm.json
	has "hook.lua: anyone may write this file (mode 0666)"
	has 'hooks[0]'
}

@test "files that Lua loads" {
	local load
	echo 'return { evil = true }' >part.lua
	for load in 'require "part"' 'vmrun.include "part.lua"' 'dofile "part.lua"' 'assert(loadfile "part.lua")()' \
		'assert(loadfile("part.lua", "t", {}))()'; do
		chmod 644 part.lua
		lua "$load"
		vmrun -d vm.lua
		is "$status" 0
		chmod 646 part.lua
		vmrun -d vm.lua
		is "$status" 65
		has 'part.lua: anyone may write this file (mode 0646)'
		lua "function vm.on_exit() $load return vmrun.stop(9) end"
		script 'exit 3'
		vmrun vm.lua
		is "$status" 3
		has 'on_exit of vm.lua failed'
		has 'part.lua: anyone may write this file'
	done
}

@test "modules in C" {
	cp "$VMRUN" part.so # whatever it is, it must not be looked into
	chmod 777 part.so
	lua "package.cpath = '$PWD/?.so' require 'part'"
	vmrun -d vm.lua
	is "$status" 65
	has "part.so: anyone may write this file (mode 0777)"
	lua "local no, why, what = package.loadlib('$PWD/part.so', '*')
	assert(no == nil and what == 'open') print(why)"
	vmrun -d vm.lua
	has "part.so: anyone may write this file (mode 0777)"
	# A good one finds the functions of Lua in vmrun.
	lua "package.cpath = '$C_MODULE_DIR/?.so' print(require('c_module').sum(20, 3))"
	vmrun -d vm.lua
	is "$status" 0
	has "vmrun: 23"
	# A file that is not a module gives Lua's own message.
	echo 'no library' >part.so
	chmod 644 part.so
	lua "package.cpath = '$PWD/?.so' require 'part'"
	vmrun -d vm.lua
	is "$status" 65
	has "error loading module 'part' from file '$PWD/part.so':"
	lua "package.cpath = '$PWD/?.so' require 'gone.deeper'"
	vmrun -d vm.lua
	has "no file '$PWD/gone/deeper.so'"
	has "no file '$PWD/gone.so'"
}

@test "other users are not asked" {
	command -v setpriv >/dev/null || skip "there is no setpriv to become another user"
	other=$(mktemp -d /tmp/vmrun-trust.XXXXXX) # bats' own directories are root's alone
	chmod 755 "$other"
	cp "$VMRUN" "$other/vmrun"
	mkdir "$other/open"
	spec '{}' "$other/open/vm.json"
	chmod 777 "$other/open"
	chmod 666 "$other/open/vm.json"
	refused "$other/open/vm.json"
	cd "$other"
	setpriv --reuid=65534 --regid=65534 --clear-groups "$other/vmrun" -d open/vm.json >"$BATS_TEST_TMPDIR/out"
	has bhyve "$BATS_TEST_TMPDIR/out"
}
