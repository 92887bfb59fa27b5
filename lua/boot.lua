-- The document of one boot: the base merged with a target, computed anew for every boot.
local native = ...
local import = native.import
local session, merge = import "session", import "merge"
local targets, devices = import "targets", import "devices"
local ipairs, next = ipairs, next
local sort = table.sort

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

-- Returns the positions of the removed devices, sorted.
local function removed_places(state)
	local places = {}
	for place in next, state.removed do
		places[#places + 1] = place
	end
	sort(places)
	return places
end

-- Returns the merged spec of one boot: { spec, base_devices, removed = positions, problems }.
function boot.boot(request)
	local problems, spec = {}, base()
	local layers = targets.layers(request.target, problems)
	local state = devices.start(spec.emulations)
	for i, layer in ipairs(layers) do
		lay(spec, layer)
		if layer.table.emulations ~= nil then
			devices.lay(state, i, layer.name, layer.table.emulations, problems)
		end
	end
	spec.emulations = state.list

	-- Kept for locate and for the hooks.
	local merged = {
		spec = spec,
		layers = layers,
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

return boot
