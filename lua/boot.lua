-- The document of one boot: the base with a target over it, from scratch every time.
local native = ...
local import = native.import
local session, merge = import "session", import "merge"
local targets, devices = import "targets", import "devices"
local ipairs, next = ipairs, next
local sort = table.sort

local boot = {}

-- Not laid over the base as other keys are: `name` and `targets` are refused in a target, `extends`
-- has done its work, and devices have rules of their own.
local apart = { name = true, targets = true, extends = true, emulations = true }

local function base()
	local clean = merge.without_nulls(session.document, session.merge)
	local spec = clean == session.document and merge.shallow(clean) or clean
	spec.targets, spec.extends = nil, nil
	return spec
end

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

local function removed_places(state)
	local places = {}
	for place in next, state.removed do
		places[#places + 1] = place
	end
	sort(places)
	return places
end

-- Answers { spec, base_devices, removed = places, problems }.
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

	-- What locate and the hooks want to know of this boot.
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
