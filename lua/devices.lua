-- Merges emulations: an entry of a target changes the device with its id, or is appended.
local native = ...
local import = native.import
local merge = import "merge"
local next, rawequal, type = next, rawequal, type
local format = string.format

local devices = {}

-- Returns the state of the merge for one boot:
--   list     the devices so far; the document's own table until a target changes it
--   base     the number of devices that come from the base
--   removed  by position: true for a device that a target removes; its entry stays in the list, so
--            that its slot stays empty
--   origin   by position, for devices that a target added or changed: a list of { layer, position
--            in that layer }; the layer is false for the base
function devices.start(list)
	local state = { list = list, base = 0, removed = {}, origin = {}, ids = nil }
	if type(list) ~= "table" then
		return state
	end
	state.base = merge.length(list) or 0
	for i = 1, state.base do
		local device = list[i]
		if merge.is_object(device) then
			local clean = merge.without_nulls(device, {})
			if not rawequal(clean, device) then
				devices.own(state)
				state.list[i] = clean
			end
		end
	end
	return state
end

-- Returns a state that goes on from another one, which stays as it is.
function devices.fork(state)
	local ids = state.ids
	return {
		list = state.list,
		base = state.base,
		removed = merge.shallow(state.removed),
		origin = merge.shallow(state.origin),
		ids = ids and {
			place = merge.shallow(ids.place),
			count = merge.shallow(ids.count),
			known = ids.known,
		},
	}
end

-- Copies the list before its first change, because the document shares it.
function devices.own(state)
	if not state.owned then
		state.list = merge.shallow(state.list or {})
		state.owned = true
	end
end

-- Records the id of the device at a position: its own, or MODEL-N, where N counts the devices of
-- that model from 0.
local function note_id(ids, place, device)
	if type(device) ~= "table" then
		return
	end
	local id, model = device.id, device.device
	if type(model) == "string" then
		local count = ids.count[model] or 0
		ids.count[model] = count + 1
		id = id or format("%s-%d", model, count)
	end
	if type(id) == "string" and not ids.place[id] then
		ids.place[id] = place
	end
end

-- Returns the position of the device with an id.  The index of ids is built at the first call,
-- because most boots do not need it.
local function find(state, id)
	local ids = state.ids
	if not ids then
		ids = { place = {}, count = {}, known = 0 }
		state.ids = ids
	end
	for place = ids.known + 1, #state.list do
		note_id(ids, place, state.list[place])
		ids.known = place
	end
	return ids.place[id]
end

-- Records that an entry of a layer added or changed the device at a position.
local function trace(state, place, layer, entry)
	local origin = state.origin[place] or place <= state.base and { { false, place } } or {}
	origin = merge.shallow(origin)
	origin[#origin + 1] = { layer, entry }
	state.origin[place] = origin
end

-- Returns the key and the text of what is wrong with `remove`; true as the text stands for an
-- unknown id.
local function check_remove(entry, place)
	local remove, id = entry.remove, entry.id
	if type(remove) ~= "boolean" then
		return "remove", "expected true or false, got " .. import("words").describe(remove)
	elseif not remove then
		return nil
	elseif type(id) ~= "string" then
		return "remove", "missing id: give the id of the device to change"
	elseif not place then
		return "id", true
	end
end

-- Returns the message for an unknown id.
local function no_device(state, id)
	local names = {}
	for name in next, state.ids.place do
		names[#names + 1] = name
	end
	return format('no device has the id "%s"%s', id, import("words").hint(id, names))
end

-- Merges one entry of a target's list into the devices.
local function lay_entry(state, layer, place_in_layer, entry, complain)
	local id = type(entry) == "table" and entry.id
	local place = type(id) == "string" and find(state, id) or nil
	if type(entry) == "table" and entry.remove ~= nil then
		local key, text = check_remove(entry, place)
		if key then
			complain(key, text == true and no_device(state, id) or text)
			return
		elseif entry.remove then
			state.removed[place] = true
			return
		end
		entry = merge.shallow(entry)
		entry.remove = nil
	end
	-- Two entries with the same id that both name a model are two devices, not a change of one.
	if place and place > state.before and type(entry) == "table" and entry.device ~= nil then
		complain("id", format('two devices of this list have the id "%s"', id))
		return
	end
	if place then
		state.list[place] = merge.overlay(state.list[place], entry, {})
		state.removed[place] = nil
	else
		place = #state.list + 1
		if merge.is_object(entry) then
			entry = merge.without_nulls(entry, {})
		end
		state.list[place] = entry
	end
	trace(state, place, layer, place_in_layer)
end

-- Merges the emulations of a target (a layer) into the devices so far.
function devices.lay(state, layer, list, problems)
	local function complain(path, text)
		problems[#problems + 1] = { path = path, text = text }
	end

	if list == native.null then -- null removes all devices so far
		for place = 1, type(state.list) == "table" and #state.list or 0 do
			state.removed[place] = true
		end
		return
	end
	local count = type(list) == "table" and native.mark(list) ~= "object" and merge.length(list)
	if not count then
		complain({ "targets", layer.name, "emulations" },
			"expected a list of devices, got " .. import("words").describe(list))
	elseif state.list == nil or type(state.list) == "table" then
		devices.own(state)
		state.before = #state.list
		for i = 1, count do
			lay_entry(state, layer, i, list[i], function(key, text)
				complain({ "targets", layer.name, "emulations", i, key }, text)
			end)
		end
	end
end

return devices
