-- The state that outlives a call from C.  All modules share this table: import "session".
return {
	causes = {}, -- the names of all causes

	-- The table that the file of a spec in Lua returned; of another spec, its targets without keys.
	document = {},
	name = "",    -- the name of the file, for messages
	directory = "/", -- the base of its relative paths

	-- The directory of the code that runs now, where vmrun.include and require look first.
	here = "/",
	warned = {}, -- by the label of a hook: it was told that its changes of a spec are lost

	-- Of the call that runs now, like `here`: waits.lua keeps them for a call that waits.
	waits = 0, -- counted in dry runs
	hook = nil, -- "on_exit"; "run" for a script of `vmrunctl run`; nil while a file is read
	label = nil, -- of the hook, for events: "on_exit of vm.lua"
	of_operator = nil, -- the operator named the hook that runs, not the spec

	files = {}, -- hook files by key: { name, directory, functions, of_operator }
	loading = nil, -- the name of the hook that is being loaded
	keeps = nil,   -- the key of vmrun.state under which that hook keeps its state, if any
	faults = {},   -- the errors in its options, a list of { option, text }, see options.lua
	calls = {}, -- by the name of a hook, its functions in the order of their calls

	-- The decisions of vmrun.boot() and vmrun.stop(), by the opaque table that they returned.
	actions = setmetatable({}, { __mode = "k" }),
}
