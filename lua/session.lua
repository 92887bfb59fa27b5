-- What outlives a call from C.  Every module gets this same table from import "session".
return {
	-- Keys whose objects merge key by key, nested, as C's rows say: { cpu = {}, bhyve = {} }.
	merge = {},

	causes = {}, -- names of all causes

	-- The table that the file returned.  Merging shares parts of it and alters nothing.
	document = {},
	name = "",    -- of the file, for messages
	directory = "/", -- where its relative paths start

	-- Folder of the code that runs now: there vmrun.include and require look first.
	here = "/",
	label = nil, -- and the hook that it is, for events: "on_exit of vm.lua"

	-- What the last boot merged (see boot.lua), and what the last on_prepare made of it.
	merged = nil,
	last = nil,

	files = {}, -- hook files by key: { name, directory, functions }
	loading = nil, -- the name of the one that is being loaded
	keeps = nil,   -- the key of vmrun.state that it keeps its own under, if it does
	faults = {},   -- in its options: { option, text } each, see options.lua
	calls = {}, -- by the name of a hook: the functions that answer to it, in order

	-- What vmrun.boot() and vmrun.stop() stand for, by the opaque table that they returned.
	actions = setmetatable({}, { __mode = "k" }),
}
