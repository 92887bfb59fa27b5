#!/usr/bin/env bats
# The module where an installation and LuaRocks put it.
# shellcheck disable=SC2154 # status: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	unset LUA_CPATH LUA_PATH LUA_PATH_5_4 LUA_INIT LUA_INIT_5_4
	[ -e "$BATS_FILE_TMPDIR/prefix" ] || "$CMAKE" --install "$BUILD" --prefix "$BATS_FILE_TMPDIR/prefix" >installed
	cp -R "$BATS_FILE_TMPDIR/prefix" prefix
	module=$(find prefix -name vmrun.so -path '*/lua/5.4/*')
	spec
}

# loads DIRECTORY: the interpreter finds the module there, which is of this version
loads() {
	cat >load.lua <<-'END'
		local vmrun = require("vmrun")
		print(vmrun.version, assert(vmrun.open { file = "vm.json", dry_run = true }):argv()[1])
	END
	LUA_CPATH_5_4="$1/?.so" "$LUA" load.lua >out
	is "$(cut -f1 out)" "$("$VMRUN" -V | awk '{ print $2 }')"
	has bhyve out
}

@test "an installed module finds its library, wherever the prefix is" {
	[ -n "$module" ]
	mv prefix moved
	loads "$(dirname "$PWD/moved/${module#prefix/}")"
}

@test "the prefixes of systems are where their interpreter looks" {
	case $(dirname "${module#prefix/}") in
	lib/lua/5.4 | lib/*/lua/5.4 | lib64/lua/5.4) ;;
	*) echo "$module" >&2 && return 1 ;;
	esac
	"$LUA" -e 'print(package.cpath)' >out 2>&1 || skip 'this interpreter takes no -e'
	has '/usr/local/lib/lua/5.4/?.so' out
}

@test "LuaRocks builds the rock, with every file of the module" {
	luarocks=$(command -v luarocks54 || command -v luarocks) || skip 'luarocks is not installed'
	mkdir rock
	cp "$SOURCE"/*.rockspec rock
	mkdir rock/src
	cp -R "$SOURCE/src/base" "$SOURCE/src/luamodule" rock/src
	lib=$(dirname "$(find prefix -name 'libvmrun.so')")
	(cd rock && "$luarocks" --lua-version 5.4 make --tree "$PWD/tree" --deps-mode none \
		"VMRUN_INCDIR=$BATS_TEST_TMPDIR/prefix/include" "VMRUN_LIBDIR=$BATS_TEST_TMPDIR/$lib") >out 2>&1 ||
		{ cat out >&2 && return 1; }
	LD_LIBRARY_PATH=$PWD/$lib loads "$PWD/rock/tree/lib/lua/5.4"
	for file in "$SOURCE"/src/luamodule/*.c; do
		grep -qF "\"src/luamodule/${file##*/}\"" rock/vmrun-scm-1.rockspec
	done
}
