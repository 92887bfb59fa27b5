-- Checks the targets of the document and finds those that make up one boot.
local native = ...
local import = native.import
local session, merge = import "session", import "merge"
local ipairs, next, type = ipairs, next, type
local concat, sort, unpack = table.concat, table.sort, table.unpack
local find, format, gsub = string.find, string.format, string.gsub

local targets = {}

local foreign = { "name", "targets" } -- keys that cannot be in a target

-- Adds a problem with a formatted text.
local function add(problems, path, text, ...)
	problems[#problems + 1] = { path = path, text = format(text, ...) }
end

local function describe(value)
	return import("words").describe(value)
end

local NAME = "^[A-Za-z0-9][A-Za-z0-9._-]*$" -- as the name of a VM
local MAX_NAME = 64

-- Returns whether a target can have the name.  Names stand in messages, tables and commands.
local function is_name(name)
	return #name <= MAX_NAME and find(name, NAME) ~= nil
end

-- Adds the problems of one target that do not depend on a boot.
local function check_target(name, target, problems)
	if not merge.is_object(target) then
		add(problems, { "targets", name }, "expected an object, got %s", describe(target))
		return
	end
	for _, key in ipairs(foreign) do
		if target[key] ~= nil then
			add(problems, { "targets", name, key }, "%s cannot be in a target", key)
		end
	end
end

-- Returns the names of all targets, sorted, and the problems that do not depend on a boot.
function targets.targets()
	local names, problems = { "default" }, {}
	local all = session.document.targets
	if session.document.extends ~= nil then
		add(problems, { "extends" }, "only a target can extend another")
	end
	if all == nil or all == native.null then
		return { names = names, problems = problems }
	elseif not merge.is_object(all) then
		add(problems, { "targets" }, "expected an object of targets, got %s", describe(all))
		return { names = names, problems = problems }
	end
	for name in next, all do
		if type(name) ~= "string" then
			add(problems, { "targets" }, "the name of a target is a string, not %s",
				describe(name))
		elseif not is_name(name) then
			add(problems, { "targets", name }, 'invalid target name "%s": expected '
				.. 'letters, digits, ".", "_" and "-", first a letter or digit, at most %d of them',
				(gsub(name, "%c", "?")), MAX_NAME)
		elseif name ~= "default" then
			names[#names + 1] = name
		end
	end
	sort(names)
	for _, name in ipairs(names) do
		if all[name] ~= nil then
			check_target(name, all[name], problems)
		end
	end
	return { names = names, problems = problems }
end

-- Returns the targets that `extends` names, a list of { name, path }.
local function parents(name, target, problems)
	local extends, path = target.extends, { "targets", name, "extends" }
	if extends == nil or extends == native.null then
		return {}
	elseif type(extends) == "string" then
		return { { extends, path } }
	end
	local found = {}
	local count = type(extends) == "table" and native.mark(extends) ~= "object"
		and merge.length(extends)
	for i = 1, count or 0 do
		if type(extends[i]) == "string" then
			found[#found + 1] = { extends[i], { "targets", name, "extends", i } }
		end
	end
	if #found ~= count then
		add(problems, path, "expected the name of a target or a list of names, got %s",
			describe(extends))
	end
	return found
end

-- Returns whether a target exists and can be booted.
function targets.exist(name)
	local all = session.document.targets
	return name == "default" or type(all) == "table" and type(all[name]) == "table"
end

-- Returns the list of the layers of one boot, in which each target comes once and after those that it
-- extends.
local function list(wanted, all, problems)
	local layers, done, trail, depth = {}, {}, {}, {}

	local function lay(name, path)
		local target = all[name]
		if depth[name] then
			local circle = concat({ unpack(trail, depth[name]) }, " -> ")
			add(problems, path, "extends goes in a circle: %s -> %s", circle, name)
		elseif target == nil and name ~= "default" then
			add(problems, path, "%s", import("words").no_target(name))
		elseif merge.is_object(target) and not done[name] then
			trail[#trail + 1] = name
			depth[name] = #trail
			for _, parent in ipairs(parents(name, target, problems)) do
				lay(parent[1], parent[2])
			end
			trail[depth[name]], depth[name] = nil, nil
			done[name] = true
			layers[#layers + 1] = { name = name, table = target }
		end
	end

	lay(wanted, {})
	return layers
end

-- Returns the top layer of a target that extends at most one other, as those below it do.  The
-- layers are kept, so that a chain of targets is walked once and not anew for each of them.
local function chain(name, all)
	local names, seen, top = {}, {}, nil
	while name ~= nil do
		top = session.tops[name]
		if top then
			break
		end
		local target = all[name]
		if seen[name] or not merge.is_object(target) then
			return nil
		end
		seen[name] = true
		names[#names + 1] = name
		local faults = {}
		local extends = parents(name, target, faults)
		if #extends > 1 or #faults > 0 then
			return nil
		end
		name = extends[1] and extends[1][1]
	end
	for i = #names, 1, -1 do
		top = { name = names[i], table = all[names[i]], below = top }
		session.tops[names[i]] = top
	end
	return top
end

-- Returns the top one of the targets to merge over the base for one boot, as a layer { name, table,
-- below }, where `below` is the layer under it, or nil above the base.  Without a name there is none.
function targets.top(wanted, problems)
	local all = session.document.targets
	if wanted == nil then
		return nil
	elseif type(all) ~= "table" then
		all = {}
	end
	local top = chain(wanted, all)
	if top then
		return top
	end
	for _, layer in ipairs(list(wanted, all, problems)) do
		layer.below = top
		top = layer
	end
	return top
end

-- Returns the layers below and with a top one as a list, the lowest first.
function targets.layers(top)
	local layers, count = {}, 0
	while top do
		count = count + 1
		layers[count] = top
		top = top.below
	end
	for i = 1, count // 2 do
		layers[i], layers[count + 1 - i] = layers[count + 1 - i], layers[i]
	end
	return layers
end

return targets
