-- The state that outlives a call from C.  All modules share this table: import "session".
return {
	-- Keys whose objects merge key by key, nested, from C's rows of keys: { cpu = {}, bhyve = {} }.
	merge = {},

	causes = {}, -- the names of all causes

	-- The table that the file returned.  Merging shares parts of it and does not change it.
	document = {},
	remembered = nil, -- a copy of it, see boot.remember()
	tops = {}, -- by target, its layer with what is merged up to there, see targets.top()
	lowest = {}, -- by target, its layer right over the base, see over() in targets.lua
	faulty = {}, -- by target: it cannot be laid, because of what it extends
	refused = 0, -- the number of boots without layers for that reason
	name = "",    -- the name of the file, for messages
	directory = "/", -- the base of its relative paths

	-- The directory of the code that runs now, where vmrun.include and require look first.
	here = "/",
	warned = {}, -- by the label of a hook: it was told that its changes of a spec are lost

	-- Of the call that runs now, like `here`: waits.lua keeps them for a call that waits.
	waits = 0, -- counted in dry runs
	hook = nil, -- "on_exit"; "run" for a script of `vmrunctl run`; nil while a file is read
	label = nil, -- of the hook, for events: "on_exit of vm.lua"

	-- What the last boot merged (see boot.lua), and the same after the last on_prepare.
	merged = nil,
	last = nil,

	files = {}, -- hook files by key: { name, directory, functions }
	loading = nil, -- the name of the hook that is being loaded
	keeps = nil,   -- the key of vmrun.state under which that hook keeps its state, if any
	faults = {},   -- the errors in its options, a list of { option, text }, see options.lua
	calls = {}, -- by the name of a hook, its functions in the order of their calls

	-- The decisions of vmrun.boot() and vmrun.stop(), by the opaque table that they returned.
	actions = setmetatable({}, { __mode = "k" }),
}
