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

local MAX_FAULTY = 100 -- targets whose wrong `extends` are reported; the report of more is cut anyway
local MAX_CIRCLE = 16 -- names of a circle that are shown from its start

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

-- Returns the circle that a trail of targets closes, the middle of a long one left out.
local function circle(trail, first)
	local names = { unpack(trail, first, first + MAX_CIRCLE - 1) }
	if #trail - first >= MAX_CIRCLE then
		names[#names + 1] = "..."
		names[#names + 1] = trail[#trail]
	end
	names[#names + 1] = trail[first]
	return concat(names, " -> ")
end

-- Adds what is wrong with the targets that a target extends.
local function report_faults(wanted, all, problems)
	local done, trail, depth = {}, {}, {}

	local function visit(name, path)
		local target = all[name]
		if depth[name] then
			add(problems, path, "circular extends: %s", circle(trail, depth[name]))
		elseif target == nil and name ~= "default" then
			add(problems, path, "%s", import("words").no_target(name))
		elseif merge.is_object(target) and not done[name] then
			trail[#trail + 1] = name
			depth[name] = #trail
			for _, parent in ipairs(parents(name, target, problems)) do
				visit(parent[1], parent[2])
			end
			trail[depth[name]], depth[name] = nil, nil
			done[name] = true
		end
	end

	visit(wanted, {})
end

-- Finds the targets without a top layer that make up one boot, each after those that it extends: a
-- list of { name, parents }.  Returns nil when one of them cannot be laid.  In `open` are the parents
-- of those that were reached.  A list stands for the trail, as chains of targets are long.
local function walk(wanted, all, open, done)
	local trail, found = { wanted }, {}
	while #trail > 0 do
		local name = trail[#trail]
		if done[name] or session.tops[name] then
			trail[#trail] = nil
		elseif open[name] then
			trail[#trail], done[name] = nil, true
			found[#found + 1] = { name, open[name] }
		elseif name == "default" and all[name] == nil then
			done[name] = true
		elseif session.faulty[name] or not merge.is_object(all[name]) then
			return nil
		else
			local faults = {}
			open[name] = parents(name, all[name], faults)
			for i = #open[name], 1, -1 do
				local parent = open[name][i][1]
				if open[parent] and not done[parent] then
					return nil -- a circle
				end
				trail[#trail + 1] = parent
			end
			if #faults > 0 then
				return nil
			end
		end
	end
	return found
end

-- Returns what walk() finds, and remembers the targets that cannot be laid, which are those on its
-- trail where it ends early.
local function unlaid(wanted, all)
	local open, done = {}, {}
	local found = walk(wanted, all, open, done)
	if not found then
		for name in next, open do
			session.faulty[name] = not done[name] or nil
		end
	end
	return found
end

-- Returns the layer of a target over another layer, or over the base.  It is made once, so that
-- targets with the same layers below share it and what is merged up to it (boot.lua).
local function over(below, name)
	local above = below and below.above or not below and session.lowest
	if not above then
		above = {}
		below.above = above
	end
	above[name] = above[name]
		or { name = name, table = session.document.targets[name], below = below }
	return above[name]
end

-- Returns the names of the layers up to a top one.
local function names_up_to(top)
	local names = {}
	while top do
		names[top.name] = true
		top = top.below
	end
	return names
end

-- Returns a top layer with the layers of another one over it that it does not have yet.
local function join(top, other)
	if not top or not other then
		return top or other
	end
	local laid = top
	while laid do
		if laid.name == other.name then
			return top -- with all that it extends
		end
		laid = laid.below
	end
	local known = names_up_to(top)
	for _, layer in ipairs(targets.layers(other)) do
		if not known[layer.name] then
			top = over(top, layer.name)
		end
	end
	return top
end

-- Returns the top one of the targets to merge over the base for one boot, as a layer { name, table,
-- below }, where `below` is the layer under it, or nil above the base.  Each target comes once and
-- after those that it extends.  Without a name there is none, and a target that cannot be laid
-- stands alone.
function targets.top(wanted, problems)
	local all = session.document.targets
	if wanted == nil then
		return nil
	elseif type(all) ~= "table" then
		all = {}
	end
	local missing = unlaid(wanted, all)
	for _, target in ipairs(missing or {}) do
		local top = nil
		for _, parent in ipairs(target[2]) do
			top = join(top, session.tops[parent[1]])
		end
		session.tops[target[1]] = over(top, target[1])
	end
	if missing then
		return session.tops[wanted]
	end
	session.refused = session.refused + 1
	if session.refused <= MAX_FAULTY or all[wanted] == nil then
		report_faults(wanted, all, problems)
	end
	return merge.is_object(all[wanted]) and over(nil, wanted) or nil
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
