-- The document of one boot: the base merged with a target, computed anew for every boot.
local native = ...
local import = native.import
local session, merge = import "session", import "merge"
local targets, devices = import "targets", import "devices"
local ipairs, next = ipairs, next
local sort, unpack = table.sort, table.unpack

local boot = {}

-- Keys that are not merged as other keys are: `name` and `targets` are refused in a target,
-- `extends` has been applied already, and devices have merge rules of their own (devices.lua).
local apart = { name = true, targets = true, extends = true, emulations = true }

-- Returns a copy of the document without nulls, targets and extends.
local function base()
	local clean = merge.without_nulls(session.document, session.merge)
	local spec = clean == session.document and merge.shallow(clean) or clean
	spec.targets, spec.extends = nil, nil
	return spec
end

-- Merges the keys of a target, except its devices, into the spec.
local function lay(spec, layer)
	local keys = session.merge
	for key, value in next, layer.table do
		if apart[key] then
			goto continue
		elseif value == native.null then
			spec[key] = nil
		elseif keys[key] then
			spec[key] = merge.overlay(spec[key], value, keys[key])
		else
			spec[key] = value
		end
		::continue::
	end
end

-- Returns a list with the entries of both.
local function append(list, more)
	local both = { unpack(list) }
	for _, entry in ipairs(more) do
		both[#both + 1] = entry
	end
	return both
end

-- Returns the positions of the removed devices, sorted.
local function removed_places(state)
	local places = {}
	for place in next, state.removed do
		places[#places + 1] = place
	end
	sort(places)
	return places
end

-- Returns what is merged up to a layer: { spec, devices, problems }.
local function lay_over(below, layer)
	local merged = {
		spec = merge.shallow(below.spec),
		devices = below.devices, -- shared by layers that change none
		problems = below.problems,
	}
	lay(merged.spec, layer)
	if layer.table.emulations ~= nil then
		local found = {}
		merged.devices = devices.fork(below.devices)
		devices.lay(merged.devices, layer, layer.table.emulations, found)
		merged.problems = append(below.problems, found)
	end
	return merged
end

-- Returns what is merged up to the top layer.  Each layer keeps its own, for targets that extend it
-- and for further boots.
local function merge_up_to(top)
	local waiting, layer = {}, top
	while layer and not layer.merged do
		waiting[#waiting + 1] = layer
		layer = layer.below
	end
	local merged = layer and layer.merged
	if not merged then
		local spec = base()
		merged = { spec = spec, devices = devices.start(spec.emulations), problems = {} }
	end
	for i = #waiting, 1, -1 do
		merged = lay_over(merged, waiting[i])
		waiting[i].merged = merged
	end
	return merged
end

-- Returns the merged spec of one boot: { spec, base_devices, removed = positions, problems }.
function boot.boot(request)
	local problems = {}
	local top = targets.top(request.target, problems)
	local up_to = merge_up_to(top)
	local spec, state = merge.shallow(up_to.spec), devices.fork(up_to.devices)
	problems = append(problems, up_to.problems)
	spec.emulations = state.list

	-- Kept for locate and for the hooks.
	local merged = {
		spec = spec,
		top = top,
		removed = state.removed,
		origin = state.origin,
		set = {},
	}
	if request.set and #request.set > 0 then
		import("settings").apply(merged, state, request.set, problems)
	end
	session.merged, session.last = merged, merged
	return {
		spec = spec,
		base_devices = state.base,
		removed = removed_places(state),
		problems = problems,
	}
end

-- Keeps a copy of the document, which functions of the spec can change.
function boot.remember()
	session.remembered = merge.copy(session.document)
end

-- Returns whether the document is as remembered.
function boot.is_same()
	return merge.is_same(session.remembered, session.document)
end

return boot
