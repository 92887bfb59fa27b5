-- The Lua module `vmrun` as a rock, for an installed libvmrun:
--
--	luarocks --lua-version 5.4 make VMRUN_DIR=/usr/local
rockspec_format = "3.0"
package = "vmrun"
version = "scm-1"
source = { url = "file://." } -- `luarocks make` builds the sources beside this file
description = {
	summary = "Supervise bhyve and QEMU virtual machines",
	detailed = "Opens a spec, starts its VM, reports its events, and stops, reboots or reloads it; asks other vmruns. See vmrun-lua(3).",
	license = "BSD-2-Clause",
}
supported_platforms = { "freebsd", "linux" }
dependencies = { "lua ~> 5.4" }
external_dependencies = { VMRUN = { header = "vmrun/vmrun.h", library = "vmrun" } }
build = {
	type = "builtin",
	modules = {
		vmrun = {
			sources = {
				"src/base/json.c",
				"src/base/json_write.c",
				"src/base/mem.c",
				"src/base/str.c",
				"src/luamodule/arguments.c",
				"src/luamodule/client.c",
				"src/luamodule/console.c",
				"src/luamodule/decide.c",
				"src/luamodule/event.c",
				"src/luamodule/import.c",
				"src/luamodule/loop.c",
				"src/luamodule/members.c",
				"src/luamodule/module.c",
				"src/luamodule/open.c",
				"src/luamodule/options.c",
				"src/luamodule/values.c",
				"src/luamodule/vm.c",
			},
			incdirs = { "src", "$(VMRUN_INCDIR)" },
			libdirs = { "$(VMRUN_LIBDIR)" },
			libraries = { "vmrun" },
		},
	},
}
