# For the suites of the module: the interpreter with the module, and specs of fakebhyve.
# shellcheck shell=bash disable=SC2154 # set by ../cli/common.bash and CTest

module_setup() {
	load ../cli/common
	common_setup
	[ -n "$LUA" ] || { echo 'no lua5.4: install lua5.4 (FreeBSD: lua54)' >&2 && return 1; }
	fake_host
	echo vmm.ko >state/modules
	export LUA_CPATH_5_4="$MODULE_DIR/?.so;;" VM=$vm ROM=$rom
	unset LUA_CPATH LUA_PATH LUA_PATH_5_4 LUA_INIT LUA_INIT_5_4
	cat >prelude.lua <<-'END'
		vmrun = require("vmrun")
		-- Opens a VM of fakebhyve with these options, and these keys over its spec.
		function open(options, keys)
			local o = { hypervisor = "bhyve", bhyve = os.getenv("FAKEBHYVE"), run_dir = "run", state_dir = "keep",
				text = ([[{"name": "%s", "cpu": 1, "mem": "64M", "bootrom": "%s", "backoff": false,
					"restart_limit": false, "bhyve": {"release": 14, "arch": "amd64"}%s}]]):format(
					os.getenv("VM"), os.getenv("ROM"), keys and ", " .. keys or "") }
			for k, v in pairs(options or {}) do o[k] = v end
			return vmrun.open(o)
		end
		-- Compares, and raises where the caller is.
		function is(got, wanted)
			if got ~= wanted then error(("got %s, wanted %s"):format(got, wanted), 2) end
		end
		function has(text, part)
			if not tostring(text):find(part, 1, true) then error(("no %q in %s"):format(part, text), 2) end
		end
	END
}

# run_lua: runs the script on stdin; sets status; stdout and stderr are in out and err
run_lua() {
	{ cat prelude.lua - && echo 'print("passed")'; } >script.lua
	status=0
	timeout -k 5 100 "$LUA" script.lua "$@" >out 2>err 3>&- || status=$?
}

# passes: runs the script on stdin, which must reach its end
passes() {
	run_lua "$@"
	is "$status" 0
	is "$(tail -n 1 out)" passed
}
