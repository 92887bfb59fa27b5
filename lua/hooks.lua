-- Loads hook files, lists the functions of a hook in the order of their calls, and calls them.
local native = ...
local import = native.import
local session, merge, answers = import "session", import "merge", import "answers"
local readonly, world = import "readonly", import "world"
local next, rawget = native.next, native.rawget -- a spec may hold read-only views
local error, ipairs, rawequal, type = error, ipairs, rawequal, type
local concat, sort = table.concat, table.sort
local format, match = string.format, string.match

local hooks = {}

local known = {
	on_prepare = true,
	on_start = true,
	on_started = true,
	on_ready = true,
	on_exit = true,
	on_end = true,
}

local lead_keys = { from = true, cause = true, target = true }

-- Raises the error for an entry of a hook file that is not a known hook or not a function.
local function refuse(name, key, value)
	local words = import "words"
	if not known[key] then
		local names = { "programs" }
		for hook in next, known do
			names[#names + 1] = hook
		end
		local hint = type(key) == "string" and words.hint(key, names) or ""
		error(format('%s: unknown hook "%s"%s', name, key, hint), 0)
	end
	local what = words.describe(value)
	error(format("%s: %s is %s, expected a function", name, key, what), 0)
end

-- Returns a copy of the programs that a hook file names, for the checks before a boot.
local function names_of_programs(name, programs)
	local copy, count = {}, 0
	if type(programs) == "table" then
		for _ in next, programs do
			count = count + 1
		end
		for i, program in ipairs(programs) do
			copy[i] = type(program) == "string" and program ~= "" and program or nil
		end
	end
	if type(programs) ~= "table" or #copy ~= count then
		local what = import("words").describe(programs)
		error(format("%s: programs is %s, expected a list of names of programs", name, what), 0)
	end
	return copy
end

-- Returns why the value of a key of a lead is invalid, or nil.
local function lead_fault(key, value)
	local words = import "words"
	if type(value) ~= "string" then
		return format("expected a string, got %s", words.describe(value))
	elseif key ~= "cause" then
		return not words.is_target(value) and words.no_target(value) or nil
	end
	for _, cause in ipairs(session.causes) do
		if cause == value then
			return nil
		end
	end
	return format('unknown cause "%s"%s', value, words.hint(value, session.causes))
end

-- Raises an error unless the value is a list of leads, which say where a hook may lead.
local function check_leads(name, leads)
	local words = import "words"
	if type(leads) ~= "table" or not merge.length(leads) then
		error(format("%s: leads: expected a list of { from, cause, target }, got %s", name,
			words.describe(leads)), 0)
	end
	for i, lead in ipairs(leads) do
		if type(lead) ~= "table" then
			error(format("%s: leads[%d]: expected { from, cause, target }, got %s",
				name, i, words.describe(lead)), 0)
		end
		for key, value in next, lead do
			local why = not lead_keys[key]
				and format('unknown key "%s": expected from, cause or target', key)
				or lead_fault(key, value)
			if why then
				error(format("%s: leads[%d].%s: %s", name, i, key, why), 0)
			end
		end
	end
end

-- Raises an error unless a hook file returned a table of hooks.
local function check_functions(name, functions)
	if type(functions) ~= "table" then
		local what = import("words").describe(functions)
		error(format("%s: a hook file returns a table of hooks, or a function that returns "
			.. "one; this one returned %s", name, what), 0)
	end
	for key, value in next, functions do
		if key == "leads" then
			check_leads(name, value)
		elseif key ~= "programs" and (not known[key] or type(value) ~= "function") then
			refuse(name, key, value)
		end
	end
end

-- Raises the error for an unknown stock hook.
local function no_stock(name)
	local names = native.stock()
	local hint = import("words").hint(name, names)
	error(format('unknown stock hook "%s"%s (known: %s; a file is named with its extension '
		.. 'or a "/")', name, hint, concat(names, ", ")), 0)
end

-- Returns the chunk of a hook and the directory that its relative paths start from.
local function open_hook(request)
	if not request.path then
		return native.stock(request.name) or no_stock(request.name), session.directory
	end
	local directory = match(request.path, "^(.*)/[^/]*$") or "."
	return import("document").compile(request.text, request.name), directory
end

-- Returns the second argument of a hook file's function: the name of the VM, its targets, and the
-- highest number of automatic boots that a target's restart_limit allows, or nil without a limit.
local function facts_of_vm(request)
	return readonly.view({
		name = request.vm,
		targets = import("words").targets(),
		restart_limit = request.restart_limit,
	}, readonly.kind("vm", { restart_limit = true }))
end

-- Loads a hook file or a stock hook with its options.
local function make_hook(request)
	local name, options = request.name, request.options or {}
	session.loading, session.faults, session.keeps = name, {}, nil
	session.of_operator = request.of_operator
	world.use(request.of_operator)
	local chunk, directory = open_hook(request)
	session.here, session.waits = directory, 0
	session.hook, session.label = nil, nil
	local functions, why = chunk()
	if type(functions) == "function" then
		options.use = nil
		functions, why = functions(options, facts_of_vm(request))
	end
	if functions == nil and type(why) == "string" then
		error(format("%s cannot be used: %s", name, why), 0)
	end
	check_functions(name, functions)
	local programs = names_of_programs(name, rawget(functions, "programs") or {})
	session.loading = nil
	return { name = name, directory = directory, functions = functions, keeps = session.keeps,
		of_operator = request.of_operator, programs = programs }
end

-- Loads a hook unless it is loaded already, because a hook keeps its variables for the life of the
-- VM.  Returns the key of vmrun.state under which the hook keeps its state, or nil, and the names of
-- its functions.
function hooks.load_hook(request)
	local key = request.key
	session.files[key] = session.files[key] or make_hook(request)
	local names = {}
	for name in next, known do
		names[#names + 1] = rawget(session.files[key].functions, name) and name
	end
	sort(names)
	return { keeps = session.files[key].keeps, functions = names }
end

-- Returns the programs that a hook names, which it may run.
function hooks.hook_programs(request)
	return session.files[request.key].programs
end

-- Returns the errors that vmrun.options() found while the last hook was loaded.
function hooks.hook_faults()
	session.loading = nil
	return session.faults
end

-- Returns the function of the spec for a hook: that of a target, or with "" that of the base.
local function own(name, owner)
	local document = session.document
	return rawget(owner == "" and document or rawget(rawget(document, "targets"), owner), name)
end

-- Adds the functions of the spec for the target that was merged last: its own, whose name or that of
-- a target that it extends is the owner, then the base's.
local function add_own(list, name, owner)
	local function add(call, label)
		if type(call) == "function" then
			list[#list + 1] = { call = call, label = label, directory = session.directory }
		end
	end

	local base = own(name, "")
	if owner ~= "" and own(name, owner) ~= base then
		add(own(name, owner), format("%s of %s (target %s)", name, session.name, owner))
	end
	add(base, format("%s of %s", name, session.name))
end

-- Returns the labels of the functions of a hook in the order of their calls; `call` takes an index
-- into this list.
function hooks.hooks(request)
	local name, list, labels = request.name, {}, {}
	if request.owner then
		add_own(list, name, request.owner)
	end
	for _, key in ipairs(request.files or {}) do
		local file = session.files[key]
		if not file then
			error(format("the list of hooks has changed since it was read: %s", key), 0)
		end
		local call = rawget(file.functions, name)
		if call then
			list[#list + 1] = {
				call = call,
				label = format("%s of %s", name, file.name),
				directory = file.directory,
				of_operator = file.of_operator,
			}
		end
	end
	for i, entry in ipairs(list) do
		labels[i] = entry.label
	end
	session.calls[name] = list
	return labels
end

-- Returns where the hook files say that they may lead, as { by, from, cause, target }.
function hooks.leads(request)
	local list = {}
	for _, key in ipairs(request.files) do
		local file = session.files[key]
		for _, lead in ipairs(file and rawget(file.functions, "leads") or {}) do
			list[#list + 1] = {
				by = file.name,
				from = lead.from,
				cause = lead.cause,
				target = lead.target,
			}
		end
	end
	return list
end

-- Warns, once for each hook, that an on_prepare changed its copy of the spec and returned nothing.
local function warn_of_lost(label, before, now)
	if session.warned[label] or merge.is_same(before, now) then
		return
	end
	session.warned[label] = true
	native.log("warning", format("%s changed the spec and returned nothing, so its changes are "
		.. 'lost: end it with "return spec"', label))
end

-- Calls an on_prepare and returns the spec that it changed, or nil.  C has no functions: those of the
-- spec come from their owners.
local function prepare(entry, argument)
	local before = argument.spec
	for name, owner in next, argument.owners do
		before[name] = own(name, owner)
	end
	local given = merge.copy(before)
	local spec = entry.call(given, answers.boot(argument.boot or {}))
	if spec == nil then
		warn_of_lost(entry.label, before, given)
		return nil
	elseif type(spec) ~= "table" or session.actions[spec] then
		error(format("on_prepare returned %s; expected the changed spec, or nothing",
			import("words").describe(spec)), 0)
	end
	return spec
end

-- Begins a call of a script.
local function enter(hook, label, directory, of_operator)
	session.hook, session.label = hook, label
	session.here, session.waits = directory, 0
	session.of_operator = of_operator
	world.use(of_operator)
	native.hooking()
end

-- Calls the function with that index in the list that `hooks` returned last for the hook.
function hooks.call(request)
	local name, argument = request.name, request.argument
	local entry = session.calls[name][request.index]
	enter(name, entry.label, entry.directory, entry.of_operator)
	if name == "on_prepare" then
		return prepare(entry, argument)
	elseif name == "on_exit" then
		return answers.decision(name, entry.call(answers.exit(argument)))
	elseif name == "on_start" then
		return answers.start(entry.call(answers.boot(argument)))
	end
	entry.call(name == "on_end" and answers.exit(argument) or answers.boot(argument))
end

-- Runs a script as a hook, from its text; returns what it returns, which is plain data.
function hooks.run(request)
	enter("run", request.name, session.directory, true)
	local chunk = import("document").compile(request.text, request.name)
	local result = chunk()
	if type(result) ~= "string" then
		native.check_plain(result, "result")
	elseif result:find("\0", 1, true) then
		error("result: a string with a NUL in it", 0)
	end
	return result
end

return hooks
